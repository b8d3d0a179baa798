import { describe, expect, test } from 'vitest';
import { type Exploration, type Found, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import {
  describeWindow,
  formatCertainFinding,
  formatExploration,
  formatFinding,
  formatReplay,
  isInEveryOrder,
  type SearchHeader,
  sayHowOften,
  sayVerdict,
} from '../../src/report/exploration.ts';
import { stepsFrom } from '../../src/scenario/step.ts';
import { NAMES } from '../support/vocabulary.ts';

const header: SearchHeader = {
  scenario: 'a VF arrives',
  guest: 'linux-6.12',
  without: [],
  transport: 'direct',
  time: 'idle',
  window: 'from line 13 on',
  options: USUAL_OPTIONS,
  interrupted: false,
};

const whole: Exploration = {
  verdict: 'all',
  found: [],
  sampled: 201,
  searched: { orders: 1234, cut: 5, whole: true },
  departing: undefined,
  steps: 98_765,
  naive: 17.2,
  limit: undefined,
};

const lease: Found = {
  key: 'one-lease-per-mac',
  text: 'nic1.vf: it holds a lease',
  number: 2,
  by: 'pct seed 7',
  order: [],
  sampledOrders: 104,
  searchedOrders: 12,
  departingOrders: 0,
};
const failing: Exploration = {
  ...whole,
  verdict: 'fails',
  found: [lease],
  searched: { orders: 18, cut: 0, whole: true },
};
const flagged: Found = {
  ...lease,
  key: 'flagged',
  sampledOrders: 201,
  searchedOrders: 18,
  number: 0,
  by: 'the usual order',
};

describe('the verdict in a line', () => {
  const tooLarge: Exploration = {
    ...whole,
    verdict: 'limit',
    searched: { orders: 20_000, cut: 0, whole: false },
    departing: { departures: 2, orders: 512, whole: true },
  };
  test.each<[string, Partial<SearchHeader>, Exploration, readonly string[]]>([
    ['all orders', {}, whole, ['holds in all orders: 1,234 inequivalent orders (about 10^17 if each is counted)']],
    [
      'one that stands for few others',
      {},
      { ...whole, searched: { orders: 1, cut: 0, whole: true }, naive: 1.8 },
      ['holds in all orders: 1 inequivalent order (about 63 if each is counted)'],
    ],
    ['more than was estimated', {}, { ...whole, naive: 2 }, ['holds in all orders: 1,234 inequivalent orders']],
    ['what fails in some', {}, failing, ['FAILS: one-lease-per-mac in 12 of 18 orders (104 of 201 sampled)']],
    [
      'two things, a line each',
      {},
      { ...failing, found: [flagged, lease] },
      [
        'FAILS: flagged in all 18 orders (all 201 sampled)',
        'FAILS: one-lease-per-mac in 12 of 18 orders (104 of 201 sampled)',
      ],
    ],
    [
      'sampled only',
      { options: { ...USUAL_OPTIONS, strategy: 'pct' } },
      { ...whole, verdict: 'sampled', searched: undefined },
      ['holds in 201 sampled orders'],
    ],
    [
      'departures only',
      { options: { ...USUAL_OPTIONS, strategy: 'bounded' } },
      { ...whole, verdict: 'sampled', searched: undefined, departing: { departures: 1, orders: 300, whole: true } },
      ['holds in all 300 orders that depart at most once from the usual one'],
    ],
    ['too many orders', {}, tooLarge, ['NO VERDICT: nothing was found in 20,713 orders, and there are more']],
    [
      'a run without end',
      {},
      { ...whole, verdict: 'limit', limit: '40 steps were done' },
      ['NO VERDICT: a run was given up: 40 steps were done'],
    ],
    [
      'interrupted',
      { interrupted: true },
      { ...whole, verdict: 'interrupted', sampled: 1, searched: undefined },
      ['INTERRUPTED: nothing was found in 1 order'],
    ],
    ['interrupted behind a finding', { interrupted: true }, failing, [expect.stringMatching(/^FAILS: one-lease/)]],
  ])('%s', (_, change, exploration, lines) => {
    expect(sayVerdict({ ...header, ...change }, exploration)).toEqual(lines);
  });
});

describe('how often', () => {
  test.each<[string, Partial<Found>, Partial<Exploration>, string]>([
    [
      'of an incomplete search',
      {},
      { searched: { orders: 90, cut: 0, whole: false } },
      '12 of 90 searched orders (104 of 201 sampled)',
    ],
    ['of samples', {}, { searched: undefined }, '104 of 201 sampled orders'],
    [
      'of one order',
      { searchedOrders: 1 },
      { searched: { orders: 1, cut: 0, whole: true } },
      'the only order (104 of 201 sampled)',
    ],
    [
      'of departures',
      { searchedOrders: 0, departingOrders: 7 },
      { searched: undefined, departing: { departures: 2, orders: 50, whole: false } },
      '104 of 201 sampled orders (7 of 50 that depart at most 2 times from the usual one)',
    ],
  ])('%s', (_, found, change, said) => {
    expect(sayHowOften({ ...lease, ...found }, { ...failing, ...change })).toBe(said);
  });

  test('every order has it, or one has not', () => {
    expect(isInEveryOrder(flagged, failing)).toBe(true);
    expect(isInEveryOrder(lease, failing)).toBe(false);
    expect(isInEveryOrder(flagged, { ...failing, departing: { departures: 1, orders: 2, whole: true } })).toBe(false);
  });
});

describe('the whole text', () => {
  test('says what was searched and what that rests on', () => {
    expect(formatExploration(header, whole)).toBe(
      `holds in all orders: 1,234 inequivalent orders (about 10^17 if each is counted)
  a VF arrives (linux-6.12, direct)
  orders searched: from line 13 on
  covered: the usual order and 200 by pos, pct and random (seed 1); all 1,234 inequivalent orders; 98,765 steps
`,
    );
  });

  test('says the limits that were reached, and what was changed of the machine', () => {
    const changed = { ...header, without: ['a-fix', 'b-fix'], time: 'any' } as const;
    const searched = { orders: 50, cut: 0, whole: false };
    const departing = { departures: 1, orders: 50, whole: false };
    const text = formatExploration(
      { ...changed, options: { ...USUAL_OPTIONS, ordersMax: 50 } },
      { ...whole, verdict: 'limit', searched, departing },
    );
    expect(text).toContain('(linux-6.12 without a-fix and b-fix, direct, timers at any time)');
    expect(text).toContain('50 inequivalent orders (about 10^17 if each is counted), the limit is 50: --max-orders;');
    expect(text).toContain('50 orders that depart at most once from the usual one, the limit is 50: --max-orders;');
  });

  test('says of an interrupted search how far it came', () => {
    const none = { ...whole, verdict: 'interrupted', sampled: 0, searched: undefined, steps: 0 } as const;
    const text = formatExploration({ ...header, interrupted: true }, none);
    expect(text).toMatch(/covered: no order to its end; 0 steps\n {2}interrupted before the end\n$/);
  });

  test('of a strategy that samples nothing', () => {
    const text = formatExploration(
      { ...header, options: { ...USUAL_OPTIONS, strategy: 'reduced' } },
      { ...whole, sampled: 1 },
    );
    expect(text).toContain('covered: the usual order; all 1,234 inequivalent orders;');
  });
});

test('a finding has its smallest order, its story and the command that runs it', () => {
  const smallest = { order: [], preemptions: 1, runs: 9, text: 'nic1.vf: in short' };
  expect(formatFinding(lease, smallest, failing, { lanes: 'LANES\n', again: 'netvsim run x' })).toBe(
    `one-lease-per-mac: nic1.vf: in short
  in 12 of 18 orders (104 of 201 sampled); first in order 2, by pct seed 7
  the smallest order that was found to have it has 1 preemption:

LANES

run it again: netvsim run x
`,
  );
  expect(formatCertainFinding(flagged, 'netvsim run x')).toContain('in every order that was tried');
});

describe('the part of a scenario that is searched', () => {
  const on = '+0ms from here on, all orders';
  const off = '+0ms from here on, the usual order';
  const offer = '+0ms host offer nic1';
  test.each([
    [[offer], 'from the first step on'],
    [[offer, on, offer], 'from line 2 on'],
    [[offer, on, offer, off, offer], 'from line 2 to line 4'],
    [[on, on, off, off, on], 'from line 1 to line 3, from line 5 on'],
  ])('%j', (lines, said) => {
    const steps = stepsFrom(lines, NAMES);
    expect(Array.isArray(steps) ? describeWindow(steps) : steps).toBe(said);
  });
});

describe('an order that is run again', () => {
  const order = { ...header, file: 'my.order', finds: ['one-lease-per-mac', 'line 12: expect x'] };
  const about = '  a VF arrives (linux-6.12, direct, order of my.order)\n';
  test.each([
    [
      'finds what it found, though its step has another line now',
      [
        { key: 'one-lease-per-mac', text: 'a' },
        { key: 'line 14: expect x', text: 'b' },
      ],
      undefined,
      'reproduced: one-lease-per-mac: a\nreproduced: line 14: expect x: b\n',
    ],
    [
      'finds something else',
      [{ key: 'deadlock', text: 'a' }],
      undefined,
      'FAILED: deadlock: a\nnot reproduced: one-lease-per-mac\nnot reproduced: line 12: expect x\n',
    ],
    ['finds nothing', [], undefined, 'holds now: one-lease-per-mac\nholds now: line 12: expect x\n'],
  ])('%s', (_, found, limit, said) => {
    expect(formatReplay(order, found, limit)).toBe(said + about);
  });

  test('had found nothing', () => {
    expect(formatReplay({ ...order, finds: [] }, [], undefined)).toBe(`holds, as it did\n${about}`);
    expect(formatReplay({ ...order, finds: [] }, [], 'too long')).toBe(
      `NO VERDICT: the run was given up: too long\n${about}`,
    );
  });
});
