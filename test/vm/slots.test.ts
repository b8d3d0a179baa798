import { expect, test } from 'vitest';
import { inSlots, slotOf } from '../../src/vm/slots.ts';
import { nic1, nic2 } from '../host/fake-guest.ts';

test('serial numbers become slots, each its own, and what crosses goes on to cross', () => {
  const crossed = inSlots([
    { ...nic1, serial: 1, pciSerial: 2 },
    { ...nic2, serial: 2, pciSerial: 1 },
  ]);
  if (!crossed.ok) throw new Error(crossed.error);
  expect(crossed.value.map(({ serial, pciSerial }) => [serial, pciSerial])).toEqual([
    [9, 10],
    [10, 9],
  ]);
});

test('no VF comes into a slot that the machine has something in', () => {
  const slots = Array.from({ length: 23 }, (_, i) => slotOf(i + 1));
  expect(new Set(slots).size).toBe(23);
  // Bridges, the cards' own places, VGA, IDE.
  for (const taken of [0, 1, 5, 7, 8, 18, 30, undefined]) expect(slots).not.toContain(taken);
});

test('a serial number without a slot is said', () => {
  expect(inSlots([{ ...nic1, serial: 24 }])).toEqual({
    ok: false,
    error: 'nic1: there are no slots for the serial numbers 24 and 2, but for 1 to 23',
  });
});
