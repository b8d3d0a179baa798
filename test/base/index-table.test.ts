import { describe, expect, test } from 'vitest';
import { CyclicIndex, LowestFree } from '../../src/base/index-table.ts';

describe('names (eth%d): the lowest free number', () => {
  test('a number that is given back is the next one given out', () => {
    const numbers = new LowestFree();
    const taken = [1, 2, 3].map(() => numbers.take(10));
    numbers.free(1);
    expect([...taken, numbers.take(10), numbers.take(10)]).toEqual([0, 1, 2, 1, 3]);
  });

  test('a number that somebody chose is passed over, and cannot be chosen twice', () => {
    const numbers = new LowestFree();
    expect(numbers.reserve(1)).toBe(true);
    expect([numbers.take(10), numbers.take(10)]).toEqual([0, 2]);
    expect(numbers.reserve(1)).toBe(false);
  });

  test('below the limit there may be none left', () => {
    const numbers = new LowestFree();
    numbers.take(1);
    expect(numbers.take(1)).toBeUndefined();
  });

  test('giving back what was not taken is our mistake', () => {
    expect(() => new LowestFree().free(0)).toThrow('0 is freed but was not taken');
  });
});

describe('ifindex: rising, so that a NIC that comes back has a new one', () => {
  test('a freed index is not given out again', () => {
    const indices = new CyclicIndex(1, 1000);
    const vf = indices.take();
    indices.free(vf as number);
    expect([vf, indices.take()]).toEqual([1, 2]);
  });

  test('until the end of the range: then it wraps and skips what is in use', () => {
    const indices = new CyclicIndex(1, 3);
    const taken = [indices.take(), indices.take(), indices.take()];
    indices.free(2);
    expect([...taken, indices.take(), indices.take()]).toEqual([1, 2, 3, 2, undefined]);
  });

  test('one that somebody asks for is taken when it is free and in range', () => {
    const indices = new CyclicIndex(1, 3);
    expect([indices.reserve(2), indices.reserve(2), indices.reserve(4), indices.reserve(0)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([indices.take(), indices.take()]).toEqual([1, 3]);
  });
});
