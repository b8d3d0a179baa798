/**
 * The VFs of a plan in a machine whose guest has no vPCI: a VF's serial number is the number of its slot, and not every
 * slot is free. So all serial numbers of a plan are raised by one figure, and what crosses goes on to cross.
 */
import { err, ok, type Result } from '../base/result.ts';
import type { HostNic } from '../host/plan.ts';

/**
 * Slots that v86's machine has nothing in: its bridges are in 0, 1 and 7, its VGA is in 18 and its IDE controller in
 * 30, and it makes its cards in 5 and from 8 on. Those that the firmware numbers first come last.
 */
const FREE = [...range(9, 17), ...range(19, 29), ...range(2, 4)];

/** The slot of a VF with that serial number; undefined when there is none. */
export const slotOf = (serial: number): number | undefined => FREE[serial - 1];

/** The NICs with slots for serial numbers, or what does not fit. */
export function inSlots(nics: readonly HostNic[]): Result<readonly HostNic[], string> {
  const out: HostNic[] = [];
  for (const nic of nics) {
    const [serial, pciSerial] = [slotOf(nic.serial), slotOf(nic.pciSerial)];
    if (serial === undefined || pciSerial === undefined) {
      const given = `${nic.serial} and ${nic.pciSerial}`;
      return err(`${nic.name}: there are no slots for the serial numbers ${given}, but for 1 to ${FREE.length}`);
    }
    out.push({ ...nic, serial, pciSerial });
  }
  return ok(out);
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
