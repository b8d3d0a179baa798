/**
 * The slots that VFs come into in a machine whose guest has no vPCI: the guest is told a slot's number in the place of a
 * serial number, and not every slot is free.
 */
import { type HostNic, whyNoSerial } from '../host/plan.ts';

/**
 * Slots that v86's machine has nothing in, that of serial number 1 first: its bridges are in 0, 1 and 7, its VGA is in
 * 18 and its IDE controller in 30, and it makes its cards in 5 and from 8 on. Those that the firmware numbers first come
 * last.
 */
export const SLOTS: readonly number[] = [...range(9, 17), ...range(19, 29), ...range(2, 4)];

/** Why the VFs of these NICs cannot come into slots; undefined when they can. */
export function whyNotInSlots(nics: readonly HostNic[]): string | undefined {
  for (const { name, serial, pciSerial } of nics) {
    const problem = whyNoSerial(serial, SLOTS) ?? whyNoSerial(pciSerial, SLOTS);
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  return undefined;
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
