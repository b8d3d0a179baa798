import { describe, expect, test } from 'vitest';
import { OrderedList, type Prioritised } from '../../src/base/ordered-list.ts';

const entry = (name: string, priority = 0): Prioritised => ({ name, priority });

/** Walks step by step; `during` may change the list while an entry is being visited. */
function walk(list: OrderedList<Prioritised>, during: (at: Prioritised) => void = () => {}): string {
  const seen: string[] = [];
  for (let at = list.after(undefined); at !== undefined && seen.length < 10; at = list.after(at)) {
    seen.push(at.name);
    during(at);
  }
  return seen.join(' ');
}

function listOf(...entries: Prioritised[]): OrderedList<Prioritised> {
  const list = new OrderedList<Prioritised>();
  for (const one of entries) list.add(one);
  return list;
}

test('higher priority first, equals as they came', () => {
  expect(walk(listOf(entry('a'), entry('b'), entry('high', 5), entry('low', -1), entry('c')))).toBe('high a b c low');
});

test('or lower priority first', () => {
  const list = new OrderedList<Prioritised>('lowest');
  for (const one of [entry('a'), entry('high', 5), entry('b'), entry('low', -1)]) list.add(one);
  expect(walk(list)).toBe('low a b high');
});

test('the same entry twice is our mistake', () => {
  const a = entry('a');
  expect(() => listOf(a, a)).toThrow('a is added twice');
});

test('removing says whether it was there', () => {
  const a = entry('a');
  const list = listOf(a);
  expect([list.has(a), list.remove(a), list.remove(a), list.has(a)]).toEqual([true, true, false, false]);
});

describe('while somebody walks', () => {
  const [a, b, c] = [entry('a'), entry('b'), entry('c')];

  test('an entry that is added behind is visited', () => {
    const list = listOf(a, b);
    expect(walk(list, (at) => at === a && list.add(c))).toBe('a b c');
  });

  test('an entry that is removed ahead is not', () => {
    const list = listOf(a, b, c);
    expect(walk(list, (at) => at === a && list.remove(b))).toBe('a c');
  });

  test('an entry that removes itself does not send the walk back to the start', () => {
    const list = listOf(a, b, c);
    expect(walk(list, (at) => at === b && list.remove(b))).toBe('a b c');
  });

  test('nor does one that removes itself and the next', () => {
    const list = listOf(a, b, c);
    expect(walk(list, (at) => at === a && list.remove(a) && list.remove(b))).toBe('a c');
  });
});
