import { expect, test } from 'vitest';
import { chooseStrikes, QUANTA, type StretchMap } from '../../../src/vm/explore/points.ts';
import { formatStrike } from '../../../src/vm/explore/strike.ts';

const sign = (instructions: number, name?: string) => ({
  instructions,
  time: instructions,
  message: name === undefined ? undefined : { name, nth: 1 },
});
const map: StretchMap = { signs: [sign(1_000_000, 'switchDataPath'), sign(2_000_000)], instructions: 4_000_000 };
const choose = (count: number, seed = 1, of = map) => chooseStrikes(of, { line: 14, count, seed });

test('no two strikes are the same, and the same seed gives the same', () => {
  const strikes = choose(200).map(formatStrike);
  expect(new Set(strikes).size).toBe(200);
  expect(choose(200).map(formatStrike)).toEqual(strikes);
  expect(choose(200, 2).map(formatStrike)).not.toEqual(strikes);
});

test('messages with every quantum, a third near signs, and the rest everywhere', () => {
  const strikes = choose(200);
  const messages = strikes.filter(({ point }) => point.at === 'message');
  expect(messages.map(({ quantum }) => quantum)).toEqual(QUANTA);
  const counts = strikes.flatMap(({ point }) => (point.at === 'instruction' ? [point.count] : []));
  const near = counts.filter((count) => map.signs.some(({ instructions }) => Math.abs(count - instructions) <= 20_000));
  expect(near.length).toBeGreaterThanOrEqual(66);
  for (let from = 0; from < 4_000_000; from += 400_000) {
    expect(counts.some((count) => count >= from && count < from + 400_000)).toBe(true);
  }
  expect(new Set(strikes.map(({ quantum }) => quantum))).toEqual(new Set(QUANTA));
});

test('a short stretch has few points', () => {
  const strikes = choose(200, 1, { signs: [], instructions: 3 });
  expect(strikes.length).toBeLessThanOrEqual(4 * QUANTA.length);
  expect(strikes.length).toBeGreaterThan(QUANTA.length);
});
