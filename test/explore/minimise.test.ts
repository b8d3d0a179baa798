import { describe, expect, test } from 'vitest';
import { FollowLeniently } from '../../src/explore/follow-leniently.ts';
import { minimise } from '../../src/explore/minimise.ts';
import type { Program } from '../../src/explore/program.ts';
import { RecordOrder } from '../../src/explore/record-order.ts';
import { type Choice, formatChoices, parseChoices } from '../../src/explore/schedule.ts';
import { Uniform } from '../../src/explore/strategies/uniform.ts';
import { Window } from '../../src/explore/strategies/window.ts';
import { programOf, randomPlan } from './random-program.ts';
import { droppedMessage, flagTooLate, lostUpdate, takingTurns, timerTooEarly, twoLocks } from './toys.ts';

const steps = (text: string): readonly Choice[] =>
  text.split(' ').map((word) => {
    const [context = '', times = '1'] = word.split('*');
    return { context, times: Number(times) };
  });

/** The first random order with the finding. */
function failing(program: Program, key: string, from = 1): readonly Choice[] {
  for (let seed = from; seed < from + 500; seed++) {
    const order = new RecordOrder(new Uniform(seed));
    if (program(order).found.some((found) => found.key === key)) return order.choices;
  }
  throw new Error(`${key} is in none of 500 orders`);
}

const keysOf = (program: Program, order: readonly Choice[]): readonly string[] =>
  program(new FollowLeniently(order)).found.map(({ key }) => key);

/** Who ran at each step when an order is followed leniently, and how many turns were taken. */
function follow(program: Program, order: readonly Choice[]): readonly [string, number] {
  const lenient = new FollowLeniently(order);
  const recorded = new RecordOrder(lenient);
  program(recorded);
  return [formatChoices(recorded.choices), lenient.preemptions];
}

describe('following an order as far as it goes', () => {
  test('without any, everybody runs on until he blocks', () => {
    expect(follow(lostUpdate(), [])).toEqual(['a*2 b*2', 0]);
  });

  test('who cannot run yet has his turn as soon as he can', () => {
    expect(follow(flagTooLate(), steps('reader'))).toEqual(['driver reader*2 driver', 1]);
  });

  test('a name that nobody has changes nothing', () => {
    expect(follow(lostUpdate(), steps('nobody*3 a nobody b*2'))).toEqual(['a b*2 a', 1]);
  });

  test('steps that are too many are left over', () => {
    expect(follow(lostUpdate(), steps('b*9 a*9'))).toEqual(['b*2 a*2', 0]);
  });

  test('so many steps as usual are those of whoever it is', () => {
    expect(follow(lostUpdate(), steps('*1 b'))).toEqual(['a b*2 a', 1]);
    expect(follow(lostUpdate(), steps('*3 a'))).toEqual(['a*2 b*2', 0]);
    expect(follow(flagTooLate({ lock: true }), steps('*2 reader*9'))).toEqual(['driver*2 reader*2 driver*2', 1]);
  });

  test('it counts turns that are taken, not those that are given up, nor the clock', () => {
    expect(follow(flagTooLate({ lock: true }), steps('driver*4 reader'))[1]).toBe(0);
    expect(follow(timerTooEarly, steps('starter clock'))).toEqual(['starter clock starter*6 delayed*3', 0]);
    expect(follow(timerTooEarly, steps('clock delayed'))).toEqual(['starter clock delayed*3 starter*6', 1]);
  });

  test('values are given in their order, whatever steps are left out; one that is too large is none', () => {
    const values = [0, 7, 1].map((value) => ({ why: 'drop', value }));
    const asked = droppedMessage(4, 2);
    expect(follow(asked, values)[0]).toBe('sender ?drop=0 sender ?drop=0 sender ?drop=1 sender ?drop=0');
    expect(keysOf(asked, values)).toEqual(['lost message']);
  });
});

describe('the smallest order', () => {
  test.each([
    ['a lost update', lostUpdate(), 'lost update', /^(a b|b a)$/, 1],
    // Whoever takes the turn from the one is as good as the other: he does not come back before the other is done.
    ['a lost update among much else', lostUpdate({ noise: 8 }), 'lost update', /^(a|b) (a|b|noise%20\d)$/, 1],
    ['a flag that is set too late', flagTooLate(), 'unmarked', /^reader$/, 1],
    ['two locks in two orders', twoLocks, 'deadlock', /^(ab ba|ba ab)$/, 1],
    ['a timer that fires early', timerTooEarly, 'not ready', /^clock delayed$/, 1],
  ] as const)('%s', (_what, program, key, order, preemptions) => {
    for (const from of [1, 1000, 2000]) {
      const smallest = minimise(program, failing(program, key, from), key);
      expect(formatChoices(smallest.order)).toMatch(order);
      expect(smallest.preemptions).toBe(preemptions);
      expect(keysOf(program, smallest.order)).toEqual([key]);
    }
  });

  test('is empty where the usual order fails as well', () => {
    const program = droppedMessage(1, 0);
    const always: Program = (strategy) => ({ ...program(strategy), found: [{ key: 'always', text: 'it fails' }] });
    expect(minimise(always, failing(always, 'always'), 'always')).toEqual({
      order: [],
      preemptions: 0,
      runs: 1,
      text: 'it fails',
    });
  });

  test('has no fault that is not needed; of those before it stands that they were none', () => {
    const program = droppedMessage(6, 2);
    const all = Array.from({ length: 6 }, () => ({ why: 'drop', value: 1 }));
    const { order, text } = minimise(program, all, 'lost message');
    expect([formatChoices(order), text]).toEqual(['?drop=0 ?drop=0 ?drop=1', 'lost 2']);
  });

  test('says how long all goes as usual, where it matters when the turn is taken', () => {
    const program = lostUpdate({ prelude: 30, noise: 2 });
    const order = parseChoices('noise%200*2 a*10 noise%201*3 a*15 noise%200 a*6 b a b');
    if ('odd' in order) throw new Error(order.odd);
    const { order: smallest, preemptions } = minimise(program, order, 'lost update');
    // Behind the 30 steps of the prelude, and the first one's read.
    expect([formatChoices(smallest), preemptions]).toEqual(['*31 b', 1]);
  });

  test('moves the steps of one context together', () => {
    const order = steps('noise0 a noise1 b noise0 b noise1 noise0');
    const { order: smallest, runs } = minimise(lostUpdate(), order, 'lost update');
    expect([formatChoices(smallest), runs < 20]).toEqual(['a b', true]);
  });

  test('is the same every time', () => {
    const program = lostUpdate({ noise: 8 });
    const order = failing(program, 'lost update', 77);
    expect(minimise(program, order, 'lost update')).toEqual(minimise(program, order, 'lost update'));
  });

  test('whatever the program, it leads to the same, with no more turns taken than before', () => {
    let shrunk = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const plan = programOf(randomPlan(seed));
      const program: Program = (strategy) => plan(new Window(strategy, true, seed % 2 === 0));
      const recorded = new RecordOrder(new Uniform(seed));
      const [{ key } = { key: '' }] = program(recorded).found;
      const whole = new FollowLeniently(recorded.choices);
      expect(program(whole).found.map((found) => found.key)).toEqual([key]);
      const { order, preemptions } = minimise(program, recorded.choices, key);
      expect([seed, keysOf(program, order)]).toEqual([seed, [key]]);
      expect(preemptions).toBeLessThanOrEqual(whole.preemptions);
      if (order.length > 0 && order.length < recorded.choices.length) shrunk++;
    }
    expect(shrunk).toBeGreaterThan(50);
  });

  test('an order from which nothing can be left out stays, and the search ends', () => {
    const program = takingTurns(300);
    const order = steps('a b '.repeat(300).trim());
    let runs = 0;
    const counted: Program = (strategy) => {
      runs++;
      return program(strategy);
    };
    const smallest = minimise(counted, order, 'turns');
    expect(smallest.runs).toBe(runs);
    expect(runs).toBeLessThanOrEqual(400);
    expect(keysOf(program, smallest.order)).toEqual(['turns']);
  });

  test('an order that does not lead there is refused', () => {
    expect(() => minimise(lostUpdate(), steps('a*2 b*2'), 'lost update')).toThrow(
      'this order does not lead to "lost update"',
    );
  });
});
