import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberSet } from '../../src/base/number-set.ts';

test('it knows the lowest number that is missing and the highest that is there, whatever came and went', () => {
  const change = fc.record({ add: fc.boolean(), number: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const set = new NumberSet();
      const plain = new Set<number>();
      for (const { add, number } of changes) {
        expect(add ? set.add(number) : set.delete(number)).toBe(plain.has(number) !== add);
        if (add) plain.add(number);
        else plain.delete(number);
        const lowest = Array.from({ length: 202 }, (_, i) => i).find((i) => !plain.has(i));
        expect([set.size, set.lowestAbsent()]).toEqual([plain.size, lowest]);
        expect(set.highest()).toBe(plain.size === 0 ? undefined : Math.max(...plain));
      }
    }),
  );
});
