import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FollowSchedule } from '../../src/explore/follow.ts';
import { RecordOrder } from '../../src/explore/record-order.ts';
import { AS_USUAL, formatChoices, type Identity, parseChoices, type Schedule } from '../../src/explore/schedule.ts';
import { formatSchedule, mismatch, parseSchedule } from '../../src/explore/schedule-text.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Context } from '../../src/sim/context.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { RunOn, type Strategy } from '../../src/sim/strategy.ts';
import { Recorder } from '../../src/trace/recorder.ts';

const identity: Identity = {
  scenario: 'a VF: arrives',
  guest: 'linux-6.12',
  without: ['post-init-slave'],
  transport: 'bytes',
  fingerprint: '0123456789012345',
};
const base = { ...identity, file: "it's here.yaml", time: 'any', finds: ['line 3: expect "x"', 'deadlock'] } as const;
const schedule: Schedule = {
  ...base,
  choices: [
    { context: 'netvsc_probe', times: 7 },
    { why: 'tie of timers', value: 1 },
    { context: 'a b*c', times: 1 },
  ],
};

test('a schedule survives its file', () => {
  const text = formatSchedule(schedule);
  expect(text).toContain('netvsc_probe*7 ?tie%20of%20timers=1 a%20b%2ac');
  expect(parseSchedule(text, 'f')).toEqual({ ok: true, value: schedule });
});

test('any names survive', () => {
  const context = fc.record({ context: fc.stringMatching(/^[ -~]+$/), times: fc.integer({ min: 1, max: 1e6 }) });
  const value = fc.record({ why: fc.stringMatching(/^[ -~]+$/), value: fc.nat() });
  fc.assert(
    fc.property(fc.array(fc.oneof(context, value), { maxLength: 60 }), (choices) => {
      const parsed = parseSchedule(formatSchedule({ ...base, choices }), 'f');
      expect(parsed.ok ? parsed.value.choices : parsed.error).toEqual(choices);
    }),
  );
});

test('steps as usual survive as text, and have no place in a whole order', () => {
  const choices = [
    { context: AS_USUAL, times: 12 },
    { context: 'manager', times: 1 },
    { context: AS_USUAL, times: 1 },
  ];
  expect(formatChoices(choices)).toBe('*12 manager *1');
  expect(parseChoices('*12 manager *1')).toEqual(choices);
  expect(parseSchedule(formatSchedule({ ...base, choices }), 'f')).toMatchObject({
    error: [{ message: 'says that something goes on as usual, and not who: a whole order names everybody' }],
  });
});

describe('what is no schedule for this run', () => {
  const text = formatSchedule(schedule);
  test('a file that was cut off', () => {
    for (let length = 1; length < text.length - 1; length++) {
      const parsed = parseSchedule(text.slice(0, length), 'f');
      expect(parsed.ok ? length : parsed.error[0]?.message).toMatch(/^is (cut off|no netvsim schedule)/);
    }
  });

  test.each([
    ['text', 'hello', 'is no netvsim schedule'],
    ['a scenario', 'name: x\n', 'is no netvsim schedule'],
    ['older', text.replace('schedule: 2', 'schedule: 1'), 'is of format version 1; this netvsim reads version 2'],
    ['lengthened', text.replace('*7', '*9'), 'was edited: it has 10 steps, and says 8'],
    ['with an alias', text.replace('steps: 8', 'steps: *x'), 'is cut off or damaged'],
    ['shortened', text.replace('*7', '*6'), 'is cut off: 7 of 8 steps are there'],
    ['bent', text.replace('netvsc_probe', 'netvsc_remove'), 'was edited: its last line does not fit the others'],
    ['of nothing', text.replace(/finds: .*/, 'finds: []'), 'was edited: its last line does not fit the others'],
    ['odd', text.replace('*7', '*x'), '"netvsc_probe*x" is no choice such as netvsc_probe*7 or ?tie=1'],
    ['of no transport', text.replace('bytes', 'byte'), /its transport is missing, or of the wrong kind/],
    ['of no time', text.replace('any', 'never'), 'is cut off or damaged: its time is missing, or of the wrong kind'],
    ['with more', `${text}more: 1\n`, 'is cut off or damaged: a schedule has no "more"'],
  ])('%s', (_what, given, message) => {
    const parsed = parseSchedule(given, 'f');
    expect(parsed).toMatchObject({ ok: false, error: [{ file: 'f', line: undefined }] });
    expect(parsed.ok ? '' : parsed.error[0]?.message).toMatch(message);
  });

  test('one that was edited can be wanted; one that is none cannot', () => {
    const edited = parseSchedule(text.replace('*7', '*9'), 'f', { edited: true });
    expect(edited.ok ? edited.value.choices[0] : edited.error).toEqual({ context: 'netvsc_probe', times: 9 });
    expect(parseSchedule(text.slice(0, -30), 'f', { edited: true }).ok).toBe(false);
  });

  test.each([
    [{ guest: 'linux-5.15' }, 'is an order of guest "linux-6.12", not of "linux-5.15"'],
    [{ scenario: 'b' }, 'is an order of scenario "a VF: arrives", not of "b"'],
    [{ without: [] }, 'is an order of a guest without post-init-slave, not without no fix'],
    [{ fingerprint: '0' }, /^the scenario was changed since this order was written/],
  ])('of another run: %o', (change, problem) => {
    expect(mismatch(schedule, identity)).toBeUndefined();
    expect(mismatch(schedule, { ...identity, ...change })).toMatch(problem);
  });
});

/** Three contexts of four steps each: who ran, in order. */
function race(strategy: Strategy, who: readonly string[] = ['a', 'b', 'c']): string {
  const order: string[] = [];
  const sim = new Simulation(new Recorder(), strategy);
  const cell = new Cell(sim, 'shared', '');
  function* run(name: string): Task {
    for (let i = 0; i < 4; i++) {
      yield* cell.set(name);
      order.push(name);
    }
  }
  for (const name of who) sim.spawn(name, 'guest', run(name));
  sim.run();
  return order.join('');
}

/** Takes turns, so that the order is not the default one. */
class TakeTurns extends RunOn {
  override pick(ready: readonly Context[], last: Context | undefined): number {
    return ready.findIndex((context) => context !== last) === -1 ? 0 : ready.findIndex((context) => context !== last);
  }
}

describe('following', () => {
  test('what was recorded runs again', () => {
    const recording = new RecordOrder(new TakeTurns());
    const order = race(recording);
    expect(order).not.toBe(race(new RunOn()));
    const follow = new FollowSchedule(recording.choices);
    expect(race(follow)).toBe(order);
    expect(follow).toMatchObject({ divergence: undefined, unused: undefined });
  });

  test('behind its end the default order goes on', () => {
    const follow = new FollowSchedule([{ context: 'c', times: 2 }]);
    expect(race(follow)).toBe('ccccaaaabbbb');
  });

  test('the first difference is told with both sides, and ends the run', () => {
    const follow = new FollowSchedule([
      { context: 'b', times: 4 },
      { context: 'd', times: 1 },
    ]);
    expect(race(follow)).toBe('bbbb');
    expect(follow.divergence).toBe('step 5: the schedule says d, but only a, c can run');
  });

  test('a run that ends before its schedule', () => {
    const follow = new FollowSchedule([
      { context: 'a', times: 4 },
      { context: 'b', times: 1 },
    ]);
    race(follow, ['a']);
    expect(follow.unused).toBe('the run came to its end after 4 steps, and the schedule goes on with b');
  });
});
