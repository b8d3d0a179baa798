import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { fingerprintOf } from '../../src/explore/fingerprint.ts';
import { RecordOrder } from '../../src/explore/record-order.ts';
import { Replay, wholeOrder } from '../../src/explore/replay.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import type { Choice } from '../../src/explore/schedule.ts';
import { Uniform } from '../../src/explore/strategies/uniform.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { withoutFixes } from '../../src/scenario/race.ts';
import { runScenario } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { Event } from '../../src/trace/event.ts';

const file = new URL('../../fixtures/races/d-01-vf-seen-unmarked.yaml', import.meta.url);
const TEXT = readFileSync(file, 'utf8');

function load(text = TEXT): Scenario {
  const loaded = loadScenario(text, 'race.yaml', VOCABULARY, { transport: 'direct' });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value;
}

const race = withoutFixes(load(), ['post-init-slave']);
const KEY = 'one-lease-per-mac';

/** Draws orders of the searched part until one has what is looked for. */
function draw(anyTime: boolean): readonly Choice[] {
  const program = scenarioProgram(race, makeStage, { anyTime });
  for (let seed = 1; seed < 100; seed++) {
    const order = new RecordOrder(new Uniform(seed));
    if (program(order).found.some(({ key }) => key === KEY)) return order.choices;
  }
  throw new Error('no order has it');
}

describe.each([
  ['idle', false],
  ['any', true],
] as const)('a whole order, with --time %s', (time, anyTime) => {
  const order = draw(anyTime);
  const whole = wholeOrder(race, makeStage, order, { anyTime });

  test('has what was found in the searched part', () => {
    expect(whole.finds).toContain(KEY);
    expect(whole.choices.length).toBeGreaterThan(order.length);
  });

  test('runs again, strictly and leniently, with the same events', () => {
    const runs = [false, true].map((lenient) => {
      const replay = new Replay(race, { ...whole, time }, lenient);
      const events: Event[] = [];
      const { verdict } = runScenario(race, makeStage, {
        strategy: replay.strategy,
        listeners: [(event) => events.push(event)],
      });
      expect(replay.misfit).toBeUndefined();
      expect(verdict.failures.map(({ what }) => what)).toContain(KEY);
      return events;
    });
    expect(runs[0]?.length).toBeGreaterThan(100);
    expect(runs[1]).toEqual(runs[0]);
  });

  test('tells what was decided in the searched part', () => {
    const replay = new Replay(race, { ...whole, time });
    runScenario(race, makeStage, { strategy: replay.strategy });
    const again = wholeOrder(race, makeStage, replay.searched, { anyTime });
    expect(again).toEqual(whole);
  });

  test('does not fit another run, and says where; leniently it goes on', () => {
    const fixed = load();
    const strict = new Replay(fixed, { ...whole, time });
    runScenario(fixed, makeStage, { strategy: strict.strategy });
    expect(strict.misfit).toMatch(/^step \d+: the schedule says .*, but only .* can run$/);
    const lenient = new Replay(fixed, { ...whole, time }, true);
    const { verdict } = runScenario(fixed, makeStage, { strategy: lenient.strategy });
    expect([lenient.misfit, verdict.exit, verdict.stop]).toEqual([undefined, 0, 'idle']);
  });
});

describe('the fingerprint of a scenario', () => {
  const change = (from: string, to: string): string => {
    expect(TEXT).toContain(from);
    return fingerprintOf(load(TEXT.replace(from, to)));
  };
  const own = fingerprintOf(load());

  test('words for readers do not count', () => {
    expect(change('name: user', 'name: User')).toBe(own);
    expect(change('steps: |\n', 'steps: |\n  # A comment, and all lines are others\n')).toBe(own);
  });

  test.each([
    ['a step', 'host plug vf of nic1', 'host offer vf of nic1'],
    ['a time', '+29ms', '+30ms'],
    ['a delay', 'vf.probe: 10ms', 'vf.probe: 11ms'],
    ['an invariant', 'always: [one-lease-per-mac]', 'always: [one-lease-per-mac, pairing]'],
    ['who watches', 'user: [udev, manager]', 'user: [manager, udev]'],
    ['where orders are searched', 'the usual order', 'all orders'],
  ])('%s counts', (_what, from, to) => {
    expect(change(from, to)).not.toBe(own);
  });

  test('a fix counts', () => {
    expect(fingerprintOf(race)).not.toBe(own);
  });
});
