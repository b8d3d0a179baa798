import { expect, test } from 'vitest';
import { Board } from '../../src/campaign/board.ts';

test('several jobs count on one board, in whatever thread', () => {
  const board = new Board();
  const elsewhere = new Board(board.buffer);
  const [one, other] = [board.pause(), elsewhere.pause()];
  one(1, 0);
  one(2, 1);
  other(5, 5);
  expect([board.orders, board.failing]).toEqual([7, 6]);
  one(0, 0);
  expect([board.orders, board.failing]).toEqual([5, 5]);
});

test('all of them hear that they are to stop', () => {
  const board = new Board();
  const pause = new Board(board.buffer).pause();
  expect(pause(1, 0)).toBe(false);
  board.stop();
  expect(pause(2, 0)).toBe(true);
  expect(board.isStopped).toBe(true);
});
