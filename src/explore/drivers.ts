/**
 * The library's search: a scenario, with the drivers of whoever asks, in all orders. What such a driver must not do is
 * found where it can be (driver-guard.ts).
 */
import type { DriverFactory } from '../guest/linux/modules.ts';
import type { Catalogue } from '../machine/machine.ts';
import { loadScenario } from '../scenario/load.ts';
import { formatProblem, unknownName } from '../scenario/problem.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Vocabulary, vocabularyOf } from '../scenario/vocabulary.ts';
import { moduleNames, SourceError, withModules } from './driver-modules.ts';
import { driverProgram } from './driver-program.ts';
import {
  type Exploration,
  type ExploreOptions,
  type Found,
  SEED_MOST,
  STRATEGIES,
  searchOrders,
  USUAL_OPTIONS,
} from './explore.ts';
import { FollowLeniently } from './follow-leniently.ts';
import { findHiddenState } from './hidden-state.ts';
import { NOT_THE_SAME } from './job.ts';
import type { Program } from './program.ts';
import { type Choice, parseChoices } from './schedule.ts';

/** What a file of drivers exports: one, or several that are loaded in this order. */
export type Drivers = DriverFactory | readonly DriverFactory[];

export interface ScenarioOptions extends Partial<ExploreOptions> {
  /** The devices that a scenario can name: those of `netvsim/devices`, or your own. */
  readonly catalogue: Catalogue;
  /**
   * Modules beside the guest's own, loaded behind them or by a step `guest load NAME`. One with the name of the guest's
   * own stands in its place.
   */
  readonly drivers?: Drivers;
  /** Another guest than the scenario's; only where the scenario is given as text. */
  readonly guest?: string;
  /** `any`: a timer may fire before what could run, so that "100 ms are enough" is the bet that it is. */
  readonly time?: 'idle' | 'any';
  /** Steps of one run before it is given up. */
  readonly stepsMax?: number;
  /** Only this order, as the report of a failure prints it. What it leaves open is decided as usual. */
  readonly order?: string;
}

/** A scenario whose orders were searched, with what it takes to look closer at what was found. */
export interface Explored extends Exploration {
  readonly scenario: Scenario;
  /** Runs one order of it. */
  readonly program: Program;
  /** How it was searched. */
  readonly options: ExploreOptions & { readonly time: 'idle' | 'any' };
}

/**
 * Searches the orders of a scenario: one that was loaded, or the text of its file, whose messages then cross the bus as
 * values. Throws a SourceError when the text is no scenario, or what was given as a driver is none.
 */
export function explore(source: string | Scenario, options: ScenarioOptions): Explored {
  const { catalogue, drivers = [], guest, time = 'idle', stepsMax, order, ...search } = options;
  const how = { ...USUAL_OPTIONS, ...search };
  const problem =
    whatIsWrong(how) ?? (guest !== undefined && typeof source !== 'string' ? GUEST_OF_A_SCENARIO : undefined);
  if (problem !== undefined) throw new SourceError(problem);
  const factories = [drivers].flat();
  const names = moduleNames(factories, catalogue);
  const loaded = typeof source === 'string' ? load(source, vocabularyOf(catalogue, names), guest) : source;
  const scenario = withModules(loaded, names, catalogue);
  const anyTime = time === 'any';
  const program = driverProgram(scenario, { catalogue, drivers: factories, names, stepsMax, anyTime });
  const explored = order === undefined ? searchOrders(program, how) : runOrder(program, read(order));
  const judged = names.length === 0 || order !== undefined ? explored : withDoubts(explored, program, how);
  return { ...judged, scenario, program, options: { ...how, time } };
}

const GUEST_OF_A_SCENARIO = 'a scenario that was loaded has its guest: give its text, or load it with another one';

/** The least of each number, and the most of those that have one. */
const LEAST = { seed: 0, samples: 0, ordersMax: 1, depth: 1, departures: 0 } as const;
const MOST: Partial<Record<keyof typeof LEAST, number>> = { seed: SEED_MOST };

function whatIsWrong({ strategy, ...numbers }: ExploreOptions): string | undefined {
  if (!Object.hasOwn(STRATEGIES, strategy)) return unknownName('strategy', strategy, Object.keys(STRATEGIES));
  for (const name of Object.keys(LEAST) as (keyof typeof LEAST)[]) {
    const value = numbers[name];
    if (!Number.isSafeInteger(value) || value < LEAST[name]) {
      return `${name} is ${value}, and must be a whole number from ${LEAST[name]} on`;
    }
    const most = MOST[name];
    if (most !== undefined && value > most) return `${name} is ${value}, and must be ${most} at most`;
  }
  return undefined;
}

function load(text: string, vocabulary: Vocabulary, guest: string | undefined): Scenario {
  const loaded = loadScenario(text, 'scenario', vocabulary, { guest, transport: 'direct' });
  if (!loaded.ok) throw new SourceError(loaded.error.map(formatProblem).join('\n'));
  return loaded.value;
}

function read(order: string): readonly Choice[] {
  const choices = parseChoices(order);
  if ('odd' in choices) throw new SourceError(`"${choices.odd}" is no choice such as hv_pci_1*6 or ?tie=1`);
  return choices;
}

function runOrder(program: Program, order: readonly Choice[]): Exploration {
  const { found, steps, limit } = program(new FollowLeniently(order));
  const by = 'the order that was given';
  return {
    verdict: found.length > 0 ? 'fails' : limit === undefined ? 'sampled' : 'limit',
    found: found.map((each) => ({
      ...each,
      by,
      order,
      number: 0,
      sampledOrders: 1,
      searchedOrders: 0,
      departingOrders: 0,
    })),
    sampled: 1,
    searched: undefined,
    departing: undefined,
    steps,
    naive: undefined,
    limit,
  };
}

/** The key of what is found when steps that touch nothing in common cannot change places. */
export const HIDDEN_STATE = 'driver hides state';
const PUT_IT = 'what contexts share is to be in an object of the kernel, or to have a Place beside it';
const CAUSES =
  'a variable outside of what the factory makes, a value that two contexts share and that is no object of the kernel, ' +
  'or something of the world outside (a file, node:crypto)';

/** Orders in which hidden state is looked for; each is run three times. Invented. */
const CHECKS = 8;

/** The search rests on what drivers say that they share: so much of it as can be checked. */
function withDoubts(explored: Exploration, program: Program, { seed }: ExploreOptions): Exploration {
  if (explored.found.length > 0) return { ...explored, found: explored.found.map((each) => explain(each, explored)) };
  for (let check = 0; check < CHECKS; check++) {
    const hidden = findHiddenState(program, seed + check);
    if (hidden === undefined) continue;
    const text = `${hidden.text}; ${PUT_IT}`;
    const counts = { number: check, sampledOrders: 0, searchedOrders: 0, departingOrders: 0 };
    const by = `the look for hidden state, seed ${seed + check}`;
    return { ...explored, verdict: 'fails', found: [{ key: HIDDEN_STATE, text, by, order: hidden.order, ...counts }] };
  }
  return explored;
}

/** What it may come from, where it is nothing that a driver says. */
function explain(found: Found, { searched }: Exploration): Found {
  if (found.key === NOT_THE_SAME) {
    return { ...found, text: `${found.text}. The same order did not give the same twice: ${CAUSES}` };
  }
  if (searched?.whole !== true || found.searchedOrders > 0) return found;
  const doubt = `The search of all orders does not meet it, so that it leaves out too many: ${CAUSES}`;
  return { ...found, text: `${found.text}. ${doubt}` };
}
