import { expect, test } from 'vitest';
import { SLOTS, whyNotInSlots } from '../../src/vm/slots.ts';
import { nic1 } from '../host/fake-guest.ts';

test('no VF comes into a slot that the machine has something in, nor two into one', () => {
  expect(new Set(SLOTS).size).toBe(23);
  // Bridges, the cards' own places, VGA, IDE.
  for (const taken of [0, 1, 5, 7, 8, 18, 30]) expect(SLOTS).not.toContain(taken);
});

test('a serial number without a slot is said', () => {
  expect(whyNotInSlots([nic1, { ...nic1, pciSerial: 23 }])).toBeUndefined();
  expect(whyNotInSlots([nic1, { ...nic1, name: 'nic7', serial: 24 }])).toBe(
    'nic7: there is no slot for serial number 24, but for 1 to 23',
  );
});
