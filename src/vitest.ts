/**
 * What vitest can expect of a search, for `expect.extend(matchers)`:
 * `expect(explore(scenario, { catalogue, drivers })).toHoldInAllOrders()`.
 */
// What the declaration below adds to; nothing of it is needed when this runs.
import type {} from 'vitest';
import { type Explored, HIDDEN_STATE } from './explore/drivers.ts';
import type { Found } from './explore/explore.ts';
import { NOT_THE_SAME } from './explore/job.ts';
import { minimise } from './explore/minimise.ts';
import { formatChoices } from './explore/schedule.ts';
import { tellStory } from './explore/story.ts';
import { describeWindow, formatExploration } from './report/exploration.ts';
import { formatSwimLanes } from './report/swim-lanes.ts';

interface ExploreMatchers {
  /** Nothing was found, and all orders were searched. */
  toHoldInAllOrders(): void;
  /** Nothing was found in the orders that were tried. */
  toHoldInSampledOrders(): void;
  /** Some order was found in which this fails: `deadlock`, `one-lease-per-mac`, `driver threw: Error: ...`. */
  toFailWith(key: string): void;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration that it adds to has it so
  interface Matchers<T = any> extends ExploreMatchers {}
}

/** Columns of a story: it stands in reports, whose width nobody knows. */
const WIDTH = 110;

interface Result {
  readonly pass: boolean;
  readonly message: () => string;
}

export const matchers = {
  toHoldInAllOrders(received: unknown): Result {
    const explored = exploredOf(received);
    return result(explored, explored.verdict === 'all', 'to hold in all orders');
  },

  toHoldInSampledOrders(received: unknown): Result {
    const explored = exploredOf(received);
    const { found, limit } = explored;
    return result(explored, found.length === 0 && limit === undefined, 'to hold in the orders that were tried');
  },

  toFailWith(received: unknown, key: string): Result {
    const explored = exploredOf(received);
    const fails = explored.found.some((found) => found.key === key);
    return result(explored, fails, `to fail with "${key}" in some order`);
  },
};

function exploredOf(received: unknown): Explored {
  if (typeof received === 'object' && received !== null && 'program' in received && 'verdict' in received) {
    return received as Explored;
  }
  throw new TypeError('expect() was not given what explore() returns');
}

function result(explored: Explored, pass: boolean, wanted: string): Result {
  return { pass, message: () => `expected${pass ? ' not' : ''} ${wanted}\n\n${report(explored)}` };
}

/** The verdict, and of the first finding the smallest order that leads to it. */
function report(explored: Explored): string {
  const { scenario, options, found } = explored;
  const { guest, transport } = scenario.plan;
  const of = { scenario: scenario.name, guest, without: [], transport, time: options.time };
  const how = { window: describeWindow(scenario.steps), options, interrupted: false };
  const told = formatExploration({ ...of, ...how }, explored);
  const [first] = found;
  return first === undefined ? told : `${told}\n${reportFinding(explored, first)}`;
}

function reportFinding({ program }: Explored, { key, text, order }: Found): string {
  if (key === NOT_THE_SAME || key === HIDDEN_STATE) return text; // no single run of an order shows it
  const { order: smallest, preemptions } = minimise(program, order, key);
  const taken = preemptions === 1 ? 'once' : `${preemptions} times`;
  const which =
    smallest.length === 0 ? 'it comes in the usual order' : `in the smallest order a turn is taken ${taken}`;
  return [
    text,
    `${which}; to run no other: explore(scenario, { ..., order: '${formatChoices(smallest)}' })`,
    '',
    formatSwimLanes(tellStory(program, smallest, key), { colour: false, width: WIDTH }),
  ].join('\n');
}
