import { describe, expect, test } from 'vitest';
import type { Exploration, Found } from '../../src/explore/explore.ts';
import { breakOf, formatRaces, problemOf, type RaceReport } from '../../src/report/races.ts';

const race = { id: 'D-01', without: ['early-flag'], breaks: 'one-lease-per-mac' };

const found = (key: string): Found => ({
  key,
  text: 'odd',
  number: 1,
  by: 'pos seed 1',
  order: [],
  sampledOrders: 3,
  searchedOrders: 1,
  departingOrders: 0,
});

const holding: Exploration = {
  verdict: 'all',
  found: [],
  sampled: 201,
  searched: { orders: 1234, cut: 0, whole: true },
  departing: undefined,
  steps: 1,
  naive: 3,
  limit: undefined,
};
const failing = (...keys: readonly string[]): Exploration => ({ ...holding, verdict: 'fails', found: keys.map(found) });

const good: RaceReport = {
  race,
  name: 'a VF is seen unmarked',
  without: failing('one-lease-per-mac'),
  fixed: holding,
  remedies: [],
  preemptions: 1,
  milliseconds: 1234,
};

test('a race that is found without its fix and gone with it', () => {
  expect(problemOf(good)).toBeUndefined();
  expect(formatRaces([good], false).split('\n')).toEqual([
    'the race is found without the fix, and gone with it',
    '',
    'race                       without its fix  preemptions      with every fix  seconds',
    'D-01  1 of 1,234 orders (3 of 201 sampled)            1  holds in all 1,234      1.2  a VF is seen unmarked',
    '',
  ]);
});

test('cures that were proposed, each with what it comes to alone', () => {
  const limited = { ...holding, verdict: 'limit', searched: { orders: 20_000, cut: 0, whole: false } } as const;
  const remedies = [
    { remedy: 'late', exploration: holding },
    { remedy: 'early', exploration: failing('one-lease-per-mac') },
    { remedy: 'other', exploration: failing('deadlock') },
    { remedy: 'large', exploration: limited },
  ];
  expect(problemOf({ ...good, remedies })).toBeUndefined();
  expect(
    formatRaces([{ ...good, remedies }], false)
      .split('\n')
      .slice(4),
  ).toEqual([
    '',
    'D-01 with only late: holds in all 1,234',
    'D-01 with only early: still fails in 1 of 1,234 orders (3 of 201 sampled)',
    'D-01 with only other: still fails (deadlock) in 1 of 1,234 orders (3 of 201 sampled)',
    'D-01 with only large: holds in the 20,000 that were searched, and there are more',
    '',
  ]);
});

describe('what is not as it should be', () => {
  test.each<[string, Partial<RaceReport>, string]>([
    ['not found', { without: holding }, 'without early-flag no order was found that breaks one-lease-per-mac'],
    [
      'only something else',
      { without: failing('deadlock') },
      'without early-flag no order was found that breaks one-lease-per-mac',
    ],
    ['found with every fix', { fixed: failing('one-lease-per-mac') }, 'with every fix one-lease-per-mac fails'],
    [
      'something else with every fix',
      { fixed: failing('deadlock', 'no-panic') },
      'with every fix deadlock and no-panic fails',
    ],
    ['too large', { fixed: { ...holding, verdict: 'limit' } }, 'with every fix not all orders were searched'],
  ])('%s', (_, change, problem) => {
    const report = { ...good, ...change };
    expect(problemOf(report)).toBe(problem);
    expect(formatRaces([good, report], false)).toMatch(new RegExp(`^NOT AS IT SHOULD BE: D-01: ${problem}\n`));
  });
});

test('what else fails without the fix is a note: it mostly follows', () => {
  const report = { ...good, without: failing('one-lease-per-mac', 'line 4: stuck') };
  expect(problemOf(report)).toBeUndefined();
  expect(formatRaces([good, report], false)).toMatch(
    /^all 2 races are found .*\nnote: D-01: without early-flag line 4: stuck fails too\n\nrace/,
  );
});

test('an interrupted search of races shows those that it has', () => {
  expect(formatRaces([good], true)).toMatch(/^INTERRUPTED: these were searched before\n/);
});

test.each([
  ['one-lease-per-mac', 'one-lease-per-mac', true],
  ['stuck', 'line 7: stuck', true],
  ['expectation', 'line 7: expect nic1 is up', true],
  ['expectation', 'line 7: guest up nic1', false],
  ['deadlock', 'stuck', false],
])('what breaks %s is found as %s: %s', (breaks, key, is) => {
  expect(breakOf({ ...race, breaks }, failing(key)) !== undefined).toBe(is);
});
