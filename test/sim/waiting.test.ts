import { describe, expect, test } from 'vitest';
import { ms } from '../../src/base/time.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Queue } from '../../src/sim/queue.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { WaitCell } from '../../src/sim/wait-cell.ts';

/** Someone waits 100 ms at most for a reply that comes after `answeredAfter`: what he gets, and when. */
function reply(answeredAfter: number | undefined) {
  const sim = new Simulation();
  const cell = new WaitCell<string>(sim, 'DHCPOFFER', ms(100));
  let got: unknown = 'nothing yet';
  let when = -1;
  let inTime: boolean | undefined;
  sim.spawn(
    'client',
    'user',
    (function* () {
      got = yield* cell.wait();
      when = sim.now / ms(1);
    })(),
  );
  if (answeredAfter !== undefined) {
    sim.spawn(
      'server',
      'guest',
      (function* () {
        yield* sim.sleep(answeredAfter, 'thinking');
        inTime = yield* cell.resolve('10.0.1.4');
      })(),
    );
  }
  sim.run();
  return { got, when, inTime };
}

describe('an answer with a limit: whoever comes first', () => {
  test('the answer', () => {
    expect(reply(ms(30))).toEqual({ got: '10.0.1.4', when: 30, inTime: true });
  });

  test('the limit, and a late answer is told that it is late', () => {
    expect(reply(ms(130))).toEqual({ got: undefined, when: 100, inTime: false });
  });

  test('the limit alone', () => {
    expect(reply(undefined)).toEqual({ got: undefined, when: 100, inTime: undefined });
  });

  test('both at one moment: the one whose timer was set first', () => {
    expect(reply(ms(100))).toEqual({ got: undefined, when: 100, inTime: false });
  });
});

test('the second answer changes nothing', () => {
  const sim = new Simulation();
  const cell = new WaitCell<number>(sim, 'reply');
  cell.inject(1);
  cell.inject(2);
  let got: number | undefined;
  sim.spawn(
    'client',
    'user',
    (function* () {
      got = yield* cell.wait();
    })(),
  );
  sim.run();
  expect(got).toBe(1);
});

test('an answered wait leaves no timer behind that would keep the run alive', () => {
  const sim = new Simulation();
  const cell = new WaitCell<number>(sim, 'reply', ms(100));
  cell.inject(1);
  expect(sim.run()).toBe('idle');
  expect(sim.now).toBe(0);
});

test('a queue gives in the order in which it got, and makes the taker wait', () => {
  const sim = new Simulation();
  const uevents = new Queue<string>(sim, 'uevents');
  const seen: string[] = [];
  sim.spawn(
    'udevd',
    'user',
    (function* () {
      for (;;) seen.push(`${yield* uevents.take()} at ${sim.now}`);
    })(),
    { daemon: true },
  );
  sim.after(7, () => uevents.inject('remove'));
  sim.spawn(
    'kernel',
    'guest',
    (function* () {
      yield* uevents.put('add');
      yield* uevents.put('move');
    })(),
  );
  sim.run();
  expect(seen).toEqual(['add at 0', 'move at 0', 'remove at 7']);
});

test('a cell wakes whoever waits for another value', () => {
  const sim = new Simulation();
  const state = new Cell(sim, 'state', 'opening');
  const log: string[] = [];
  sim.spawn(
    'waiter',
    'guest',
    (function* () {
      log.push(`found ${yield* state.whileIs('opening')}`);
    })(),
  );
  sim.spawn(
    'host',
    'guest',
    (function* () {
      yield* state.set('opening');
      log.push('still opening');
      yield* state.set('open');
    })(),
  );
  sim.run();
  expect(log).toEqual(['still opening', 'found open']);
});
