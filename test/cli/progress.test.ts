import { expect, test } from 'vitest';
import { sayProgress } from '../../src/cli/progress.ts';

const state = { doing: 'sampling', done: 100, of: 200, isAtMost: false, orders: 1300, failing: 2 };
const times = { all: 2600, now: 1000 };

test('orders, rate, failures, and the time that is left at the rate of what is done now', () => {
  expect(sayProgress(state, times)).toBe('sampling: 1,300 orders, 500 a second, 2 failing, 1 s left');
});

test('a search that may end before its limit', () => {
  const said = sayProgress({ ...state, doing: 'all orders', isAtMost: true, of: 1_000_100 }, times);
  expect(said).toBe('all orders: 1,300 orders, 500 a second, 2 failing, at most 10,000 s left');
});

test('nothing is said of the time that is left before anything is done', () => {
  expect(sayProgress({ ...state, done: 0, orders: 0 }, { all: 0, now: 0 })).toBe(
    'sampling: 0 orders, 0 a second, 2 failing',
  );
});

test('more than was expected leaves no time', () => {
  expect(sayProgress({ ...state, done: 300 }, times)).toContain(', 0 s left');
});

test('what is slow has no rate', () => {
  const slow = { ...state, doing: 'striking', slow: 'strikes' };
  expect(sayProgress(slow, times)).toBe('striking: 100 of 200 strikes, 2 failing, 1 s left');
  expect(sayProgress({ ...slow, doing: 'going there', done: 0, of: 0 }, times)).toBe('going there');
});

test('what is counted where it is not orders, and the time that is left at the rate since the beginning', () => {
  const races = { doing: 'searching', done: 3, of: 24, counted: 'races', isAtMost: false, orders: 2600, failing: 7 };
  expect(sayProgress(races, { all: 26_000, now: 26_000 })).toBe(
    '3 of 24 races: 2,600 orders, 100 a second, 7 failing, 182 s left',
  );
});
