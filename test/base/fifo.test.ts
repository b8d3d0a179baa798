import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../src/base/fifo.ts';

test('gives back what an array would, whatever is pushed and taken in between', () => {
  const steps = fc.array(fc.oneof(fc.nat(), fc.constant('take' as const)), { maxLength: 600 });
  fc.assert(
    fc.property(steps, (todo) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const step of todo) {
        if (step === 'take') expect(fifo.shift()).toBe(model.shift());
        else {
          fifo.push(step);
          model.push(step);
        }
        expect(fifo.length).toBe(model.length);
      }
      expect(fifo.contents()).toEqual(model);
    }),
  );
});
