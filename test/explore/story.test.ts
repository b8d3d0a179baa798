import { describe, expect, test } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { minimise } from '../../src/explore/minimise.ts';
import type { Program } from '../../src/explore/program.ts';
import type { RacingPair, Side } from '../../src/explore/racing-pair.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { type Choice, parseChoices } from '../../src/explore/schedule.ts';
import { type Story, tellStory } from '../../src/explore/story.ts';
import { shipped } from '../support/shipped.ts';
import {
  droppedMessage,
  flagTooLate,
  halfWritten,
  lostUpdate,
  notAwaited,
  saidTooEarly,
  timerTooEarly,
  twoLocks,
} from './toys.ts';

function told(program: Program, order: string, key: string): Story {
  const choices = parseChoices(order);
  if ('odd' in choices) throw new Error(choices.odd);
  return tellStory(program, choices, key);
}

const sideOf = ({ context, kind, object, step, before, after, waits, holding }: Side): string =>
  `${step} ${context}: ${waits ? 'waits to ' : ''}${kind} ${object} ${before} -> ${after}${holding.length === 0 ? '' : `, has ${holding}`}`;

function pairOf({ race }: Story): readonly string[] {
  if (race === undefined) return [];
  const { object, first, second, help }: RacingPair = race;
  return [object, sideOf(first), sideOf(second), help];
}

describe('the two operations that came in the wrong order', () => {
  test('a lost update: the read and the write around which the other one fell', () => {
    expect(pairOf(told(lostUpdate(), 'a b', 'lost update'))).toEqual([
      'counter',
      '2 b: get counter 0 -> 0',
      '4 a: set counter 1 -> 1',
      'Nothing orders the two: set counter of a should come before get counter of b. ' +
        'Or a holds a lock from its get counter (step 1) on, and b takes it too.',
    ]);
  });

  test('a lock that one of them has already is named', () => {
    expect(pairOf(told(lostUpdate({ lock: true }), 'a*2 b', 'lost update'))).toEqual([
      'counter',
      '3 b: get counter 0 -> 0',
      '5 a: set counter 1 -> 1, has lock of a',
      'Nothing orders the two: set counter of a should come before get counter of b. ' +
        'Or b takes lock of a for its get counter: a has it from before that until behind its set counter.',
    ]);
  });

  test('a flag that is set too late: by the one who let the reader go', () => {
    expect(pairOf(told(flagTooLate(), 'reader', 'unmarked'))).toEqual([
      'flag',
      '3 reader: get flag false -> false',
      '4 driver: set flag false -> true',
      'driver lets reader go by put devices (step 1): its set flag should come before that.',
    ]);
    expect(pairOf(told(flagTooLate({ lock: true }), 'reader', 'unmarked')).at(-1)).toBe(
      'driver lets reader go by put devices (step 2): its set flag should come before that. ' +
        'Or reader takes rtnl for its get flag: driver has it from before that until behind its set flag.',
    );
  });

  test('two locks in two orders: one of the two was never taken', () => {
    expect(pairOf(told(twoLocks, 'ab ba', 'deadlock'))).toEqual([
      'B',
      '2 ba: lock B free -> ba',
      '2 ab: waits to lock B ba -> ba, has A',
      'ab has A and waits for B, ba has B and waits for A: both should take them in one order.',
    ]);
  });

  test('a timer that fires early: what it lets go, and what that should have waited for', () => {
    expect(pairOf(told(timerTooEarly, 'clock delayed', 'not ready'))).toEqual([
      'ready',
      '4 delayed: get ready false -> false',
      '11 starter: set ready false -> true',
      'delayed, which only a timer lets go, should wait for set ready of starter: a delay is no order.',
    ]);
  });

  test('none where it fails in every order', () => {
    const always: Program = (strategy, listener) => ({
      ...lostUpdate()(strategy, listener),
      found: [{ key: 'always', text: 'it fails' }],
    });
    const story = told(always, '', 'always');
    expect(story).toMatchObject({ race: undefined, text: 'it fails', preemptions: 0 });
    expect(story.runs).toBeGreaterThan(0);
  });

  test('none where nobody but one is there, and a fault is to blame', () => {
    expect(told(droppedMessage(3, 1), '?drop=0 ?drop=1', 'lost message').race).toBeUndefined();
  });

  test('one exchange may need all that the second one does in one go', () => {
    expect(pairOf(told(halfWritten, 'reader', 'half')).slice(0, 3)).toEqual([
      'first half',
      '1 reader: get first half false -> false',
      '2 writer: set first half false -> true',
    ]);
  });

  test('a request that nobody waits for', () => {
    expect(pairOf(told(notAwaited, '', 'closed'))).toEqual([
      'open',
      '2 client: set open true -> false',
      '4 server: get open false -> false',
      'client lets server go by put requests (step 1) and does not wait for it: it should, before its set open.',
    ]);
  });

  test('what is written too early, where what it lacks comes only when time goes on', () => {
    expect(pairOf(told(saidTooEarly, '', 'nothing there'))).toEqual([
      'ready',
      '1 maker: set ready false -> true',
      '2 user: get ready true -> true',
      'set ready of maker comes too early: user acts on it. It should come behind all that user then relies on.',
    ]);
  });
});

describe('a story', () => {
  test('has a row for each step, with what was told in it, who took the turn and who raced', () => {
    const { lanes, sides, steps, preemptions } = told(flagTooLate(), 'reader', 'unmarked');
    expect([lanes, sides, preemptions]).toEqual([['driver', 'reader'], ['guest', 'user'], 1]);
    const rows = steps.map(({ step, context, kind, object, before, after, events, preempts, racing }) => [
      `${step} ${context}: ${kind} ${object} ${before} -> ${after}`,
      events.map((event) => event.kind).join(),
      `${preempts ? 'preempts' : ''}${racing ?? ''}`,
    ]);
    expect(rows).toEqual([
      ['1 driver: put devices 0 -> 1', '', ''],
      ['2 reader: take devices 1 -> 0', '', 'preempts'],
      ['3 reader: get flag false -> false', 'manager', 'first'],
      ['4 driver: set flag false -> true', '', 'second'],
    ]);
  });

  test('shows an operation that was never done where it waits', () => {
    const { steps } = told(twoLocks, 'ab ba', 'deadlock');
    expect(steps.map(({ context, kind, object, waits, racing }) => [context, kind, object, waits, racing])).toEqual([
      ['ab', 'lock', 'A', false, undefined],
      ['ba', 'lock', 'B', false, 'first'],
      ['ab', 'lock', 'B', true, 'second'],
    ]);
  });

  test('of an order that does not lead there is refused', () => {
    expect(() => told(lostUpdate(), '', 'lost update')).toThrow('this order does not lead to "lost update"');
  });

  test('is plain data, the same every time', () => {
    const story = told(lostUpdate({ noise: 3 }), 'a b', 'lost update');
    expect(structuredClone(story)).toEqual(story);
    expect(told(lostUpdate({ noise: 3 }), 'a b', 'lost update')).toEqual(story);
  });
});

describe('the seed scenario: an unmarked VF is leased an address', () => {
  const program = scenarioProgram(
    shipped('vf-seen-before-join', { guest: 'linux-5.15', transport: 'direct' }),
    makeStage,
  );
  const key = 'one-lease-per-mac';
  const { found } = searchOrders(program, { ...USUAL_OPTIONS, strategy: 'pos', samples: 10 });
  const order: readonly Choice[] = found.find((each) => each.key === key)?.order ?? [];
  const smallest = minimise(program, order, key);
  const story = tellStory(program, smallest.order, key);

  test('its order is small: one turn is taken', () => {
    expect(smallest.preemptions).toBe(1);
    expect(smallest.order.length).toBeLessThanOrEqual(3);
    expect(story.preemptions).toBe(smallest.preemptions);
  });

  test('udev looks at the flags before hv_netvsc has set them', () => {
    const { race } = story;
    expect(race?.object).toBe('nic1.vf.flags');
    expect(race?.first).toMatchObject({ context: 'udev-worker 3', kind: 'get', object: 'nic1.vf.flags', holding: [] });
    expect(race?.second).toMatchObject({ context: 'hv_pri_chan', kind: 'set', object: 'nic1.vf.flags' });
    expect(race?.second.holding).toContain('rtnl');
    expect(race?.help).toMatch(
      /^hv_pri_chan lets udev-worker 3 go by put uevents of udevd \(step \d+\): its set nic1.vf.flags should come before that\. Or udev-worker 3 takes rtnl/,
    );
  });

  test('is told from the plug to the lease, with the two moments that break the invariant', () => {
    const [first] = story.steps;
    expect(first?.events.map(({ kind }) => kind)).toContain('scenario.step');
    const moments = story.steps.filter(({ moment }) => moment !== undefined);
    expect(moments.map(({ moment }) => moment)).toEqual(['since', 'found']);
    expect(moments.map(({ events }) => events.some(({ kind }) => kind === 'lease'))).toEqual([true, true]);
  });

  test('what fails in every order has no pair', () => {
    const always = 'flagged-before-visible';
    expect(minimise(program, order, always)).toMatchObject({ order: [], preemptions: 0, runs: 1 });
    expect(tellStory(program, [], always).race).toBeUndefined();
  });
});
