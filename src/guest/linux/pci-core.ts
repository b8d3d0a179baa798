/**
 * The PCI core as far as a hot-plugged function needs it: buses, slots with names that are unique in the system,
 * drivers by vendor and device. Source: drivers/pci/probe.c, slot.c, remove.c (reference C.7).
 * What this leaves out: bridges, resources, power management, drivers that probe asynchronously.
 */

import type { PciFunction } from '../../bus/pci-function.ts';
import { Mutex } from '../../sim/mutex.ts';
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { inLog } from '../uapi/errno.ts';
import { type BusDevice, type BusDriver, DriverCore } from './driver-core.ts';

/** struct pci_dev. */
export interface PciDevice extends BusDevice<PciDriver> {
  readonly fn: PciFunction;
  readonly domain: number;
  readonly device: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Path of its directory below the VMBus's in sysfs. */
  readonly path: string;
  slot: PciSlot | undefined;
}

/** struct pci_slot. */
export interface PciSlot {
  readonly name: string;
}

export interface PciDriver extends BusDriver<PciDevice> {
  readonly matches: (vendorId: number, deviceId: number) => boolean;
}

export class PciCore {
  /** pci_lock_rescan_remove(). */
  readonly rescanRemove: Mutex;
  private readonly devices = new Set<PciDevice>();
  /** For the list of devices, the names of slots and the numbers of domains. */
  private readonly tables: Place;
  readonly drivers: DriverCore<PciDevice, PciDriver>;
  private readonly slotNames = new Set<string>();
  private readonly domains = new Set<number>();

  constructor(sim: Simulation) {
    this.tables = new Place(sim);
    this.rescanRemove = new Mutex(sim, 'pci_rescan_remove_lock');
    this.drivers = new DriverCore(sim, {
      devices: () => {
        this.tables.read();
        return this.devices;
      },
      matches: ({ vendorId, deviceId }, driver) => driver.matches(vendorId, deviceId),
      isThere: (device) => {
        this.tables.read();
        return this.devices.has(device);
      },
      failure: (_, { name }, errno) => `probe with driver ${name} failed with error ${inLog(errno)}`,
    });
  }

  /** The domain that a bus asks for, or the lowest free one; 0 is reserved for the machine's own. */
  takeDomain(wanted: number): { readonly domain: number; readonly collided: boolean } {
    this.tables.write();
    if (wanted !== 0 && !this.domains.has(wanted)) {
      this.domains.add(wanted);
      return { domain: wanted, collided: false };
    }
    let domain = 1;
    while (this.domains.has(domain)) domain++;
    this.domains.add(domain);
    return { domain, collided: true };
  }

  releaseDomain(domain: number): void {
    this.tables.write();
    this.domains.delete(domain);
  }

  /** pci_create_slot(): a name that is taken gets "-1", "-2" ... behind it. */
  createSlot(wanted: string): PciSlot {
    this.tables.write();
    let name = wanted;
    for (let n = 1; this.slotNames.has(name); n++) name = `${wanted}-${n}`;
    this.slotNames.add(name);
    return { name };
  }

  destroySlot(slot: PciSlot): void {
    this.tables.write();
    this.slotNames.delete(slot.name);
  }

  /** pci_bus_add_devices(): the device is there, and the first driver that knows it probes it. */
  *add(device: PciDevice): Task {
    this.tables.write();
    this.devices.add(device);
    yield* this.drivers.bind(device);
  }

  /** pci_stop_and_remove_bus_device(); under the rescan lock. */
  *remove(device: PciDevice): Task {
    this.tables.write();
    if (this.devices.delete(device)) yield* this.drivers.unbind(device);
  }
}
