import { describe, expect, test } from 'vitest';
import { Cell } from '../../src/sim/cell.ts';
import { Clock } from '../../src/sim/clock.ts';
import type { Context, ContextSide } from '../../src/sim/context.ts';
import { Latency } from '../../src/sim/latency.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { CUT, RunOn, type Step } from '../../src/sim/strategy.ts';
import { describeRunning } from '../../src/sim/stuck.ts';
import { keep, Recorder } from '../../src/trace/recorder.ts';

describe('the clock', () => {
  test('fires by moment, and in the order of setting within one', () => {
    const clock = new Clock();
    const fired: string[] = [];
    const set = (name: string, at: number) => clock.set(at, () => fired.push(`${name}@${clock.now}`));
    for (const [name, at] of [
      ['c', 30],
      ['a1', 10],
      ['b', 20],
      ['a2', 10],
      ['a3', 10],
    ] as const)
      set(name, at);
    while (clock.nextDeadline() !== undefined) clock.fireNext();
    expect(fired).toEqual(['a1@10', 'a2@10', 'a3@10', 'b@20', 'c@30']);
  });

  test('keeps that order among many, whatever the order of setting', () => {
    const clock = new Clock();
    const fired: number[] = [];
    for (let i = 0; i < 500; i++) clock.set((i * 7919) % 101, () => fired.push(clock.now * 1000 + i));
    while (clock.nextDeadline() !== undefined) clock.fireNext();
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
  });

  test('passes over what was cancelled', () => {
    const clock = new Clock();
    clock.set(10, () => expect.unreachable()).cancelled = true;
    clock.set(20, () => {});
    expect(clock.nextDeadline()).toBe(20);
  });

  test('does not go back', () => {
    const clock = new Clock();
    clock.set(10, () => {});
    clock.fireNext();
    expect(() => clock.set(9, () => {})).toThrow('before now');
  });
});

/** Contexts that each set one shared cell three times; the order in which they did. */
function orderOf(...contexts: readonly (readonly [name: string, side: ContextSide])[]): string {
  const sim = new Simulation();
  const cell = new Cell(sim, 'turn', '');
  const order: string[] = [];
  for (const [name, side] of contexts) {
    sim.spawn(
      name,
      side,
      (function* () {
        for (let i = 0; i < 3; i++) {
          yield* cell.set(name);
          order.push(name);
        }
      })(),
    );
  }
  sim.run();
  return order.join('');
}

describe('the default order', () => {
  test('the running context goes on until it blocks', () => {
    expect(orderOf(['a', 'guest'], ['b', 'guest'])).toBe('aaabbb');
  });

  test('user mode reacts at once', () => {
    expect(orderOf(['a', 'guest'], ['b', 'guest'], ['u', 'user'])).toBe('uuuaaabbb');
  });

  test('even into a running context', () => {
    const sim = new Simulation();
    const flag = new Cell(sim, 'flags', 0x1002);
    const order: string[] = [];
    sim.spawn(
      'udevd',
      'user',
      (function* () {
        order.push(`udevd sees ${(yield* flag.whileIs(0x1002)).toString(16)}`);
      })(),
    );
    sim.spawn(
      'probe',
      'guest',
      (function* () {
        yield* flag.set(0x1802);
        yield* flag.set(0x1803);
        order.push('probe is through');
      })(),
    );
    sim.run();
    expect(order).toEqual(['udevd sees 1802', 'probe is through']);
  });
});

describe('a run ends', () => {
  const spinning = (): Simulation => {
    const sim = new Simulation();
    const cell = new Cell(sim, 'poll', 0);
    sim.spawn(
      'spinner',
      'guest',
      (function* () {
        for (;;) yield* cell.get();
      })(),
    );
    return sim;
  };

  test('at its limit of steps, and the report names who was still running', () => {
    const sim = spinning();
    expect(sim.run({ stepsMax: 50 })).toBe('steps');
    expect([sim.steps, describeRunning(sim)]).toEqual([50, 'spinner (get poll)']);
  });

  test('when it is asked to', () => {
    const sim = spinning();
    expect(sim.run({ enough: () => sim.steps >= 7 })).toBe('asked');
    expect(sim.steps).toBe(7);
  });

  test('at a moment, and goes on from there', () => {
    const sim = new Simulation();
    let woken = -1;
    sim.spawn(
      'sleeper',
      'guest',
      (function* () {
        yield* sim.sleep(100, 'morning');
        woken = sim.now;
      })(),
    );
    expect([sim.run({ until: 40 }), sim.now, woken]).toEqual(['until', 40, -1]);
    expect([sim.run(), woken]).toEqual(['idle', 100]);
  });

  test('where the strategy cuts it', () => {
    class Cutting extends RunOn {
      override pick(ready: readonly Context[], last: Context | undefined): number {
        return last === undefined ? super.pick(ready, last) : CUT;
      }
    }
    const sim = new Simulation(new Recorder(), new Cutting());
    const cell = new Cell(sim, 'x', 0);
    sim.spawn(
      'a',
      'guest',
      (function* () {
        yield* cell.set(1);
        yield* cell.set(2);
      })(),
    );
    expect([sim.run(), cell.now]).toEqual(['cut', 1]);
  });
});

test('a strategy that wants the record gets context, object, kind, before and after', () => {
  const steps: string[] = [];
  class Noting extends RunOn {
    did({ context, object, kind, before, after }: Step): void {
      steps.push(`${context.name}: ${kind} ${object} ${before} -> ${after}`);
    }
  }
  const sim = new Simulation(new Recorder(), new Noting());
  const flags = new Cell(sim, 'flags', 2);
  sim.spawn(
    'join',
    'guest',
    (function* () {
      yield* flags.set(3);
      yield* flags.get();
    })(),
  );
  sim.run();
  expect(steps).toEqual(['join: set flags 2 -> 3', 'join: get flags 3 -> 3']);
});

test('an event is stamped with time, step and context', () => {
  const sim = new Simulation();
  const events = keep(sim.trace);
  sim.spawn(
    'insmod',
    'guest',
    (function* () {
      yield* sim.sleep(5, 'disk');
      sim.trace.emit({ kind: 'module', module: 'hv_netvsc', loaded: true });
    })(),
  );
  sim.after(9, () => sim.trace.emit({ kind: 'module', module: 'mana', loaded: true }));
  sim.run();
  expect(events.map(({ time, step, context }) => ({ time, step, context }))).toEqual([
    { time: 5, step: 1, context: 'insmod' },
    { time: 9, step: 1, context: 'clock' },
  ]);
});

test('a context that is ended does nothing more, and is not missed', () => {
  const sim = new Simulation();
  let ran = false;
  const context = sim.spawn(
    'worker',
    'guest',
    (function* () {
      yield* sim.sleep(5, 'work');
      ran = true;
    })(),
  );
  sim.end(context);
  expect([sim.run(), ran, context.ended]).toEqual(['idle', false, true]);
});

describe('the latency table', () => {
  test("a run's own figure goes before the device's, and that before the table's", () => {
    expect(new Latency().of('vf.stop')).toBe(5_000_000);
    expect(new Latency().of('vf.stop', 7)).toBe(7);
    expect(new Latency({ 'vf.stop': 9 }).of('vf.stop', 7)).toBe(9);
  });

  test('knows what a run took from it, and whose figure that was', () => {
    const latency = new Latency({ 'vf.stop': 9 });
    for (const row of ['vf.link', 'vf.stop', 'host.reply', 'host.reply'] as const) {
      latency.of(row, row === 'vf.link' ? 7 : undefined);
    }
    expect(latency.used).toEqual([
      { row: 'host.reply', span: 20_000, from: 'table' },
      { row: 'vf.link', span: 7, from: 'device' },
      { row: 'vf.stop', span: 9, from: 'scenario' },
    ]);
  });

  test('has no row that it does not know', () => {
    expect(() => new Latency({ 'vf.strop': 1 })).toThrow('no row vf.strop');
  });
});
