/**
 * The PCI core as far as a hot-plugged function needs it: buses, slots with names that are unique in the system,
 * drivers by vendor and device. Source: drivers/pci/probe.c, slot.c, remove.c (reference C.7).
 * What this leaves out: bridges, resources, power management, drivers that probe asynchronously.
 */
import type { PciFunction } from '../../bus/pci-function.ts';
import { Mutex } from '../../sim/mutex.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { type Errno, inLog } from '../uapi/errno.ts';

/** struct pci_dev. */
export interface PciDevice {
  /** The scenario's name of the function: `nic1.vf`. */
  readonly dev: string;
  readonly fn: PciFunction;
  readonly domain: number;
  readonly device: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Path of its directory below the VMBus's in sysfs. */
  readonly path: string;
  /** Held over a driver's probe and remove (device_lock()). */
  readonly lock: Mutex;
  slot: PciSlot | undefined;
  driver: PciDriver | undefined;
}

/** struct pci_slot. */
export interface PciSlot {
  readonly name: string;
}

export interface PciDriver {
  readonly name: string;
  readonly matches: (vendorId: number, deviceId: number) => boolean;
  readonly probe: (device: PciDevice) => Task<Errno | undefined>;
  readonly remove: (device: PciDevice) => Task;
}

export class PciCore {
  private readonly sim: Simulation;
  /** pci_lock_rescan_remove(). */
  readonly rescanRemove: Mutex;
  private readonly devices = new Set<PciDevice>();
  private readonly drivers: PciDriver[] = [];
  private readonly slotNames = new Set<string>();
  private readonly domains = new Set<number>();

  constructor(sim: Simulation) {
    this.sim = sim;
    this.rescanRemove = new Mutex(sim, 'pci_rescan_remove_lock');
  }

  /** The domain that a bus asks for, or the lowest free one; 0 is reserved for the machine's own. */
  takeDomain(wanted: number): { readonly domain: number; readonly collided: boolean } {
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
    this.domains.delete(domain);
  }

  /** pci_create_slot(): a name that is taken gets "-1", "-2" ... behind it. */
  createSlot(wanted: string): PciSlot {
    let name = wanted;
    for (let n = 1; this.slotNames.has(name); n++) name = `${wanted}-${n}`;
    this.slotNames.add(name);
    return { name };
  }

  destroySlot(slot: PciSlot): void {
    this.slotNames.delete(slot.name);
  }

  /** pci_bus_add_devices(): the device is there, and the first driver that knows it probes it. */
  *add(device: PciDevice): Task {
    this.devices.add(device);
    yield* this.bind(device);
  }

  /** pci_stop_and_remove_bus_device(); under the rescan lock. */
  *remove(device: PciDevice): Task {
    if (this.devices.delete(device)) yield* this.unbind(device);
  }

  *registerDriver(driver: PciDriver): Task {
    this.drivers.push(driver);
    for (const device of this.devicesFor(driver)) yield* this.bind(device);
  }

  /** A device that is being probed is waited for: only then it is known whether the driver has it. */
  *unregisterDriver(driver: PciDriver): Task {
    this.drivers.splice(this.drivers.indexOf(driver), 1);
    for (const device of this.devicesFor(driver)) yield* this.unbind(device, driver);
  }

  private devicesFor(driver: PciDriver): readonly PciDevice[] {
    return [...this.devices].filter((device) => driver.matches(device.vendorId, device.deviceId));
  }

  /** device_attach(): under the device's lock, to the first driver that takes it. */
  private *bind(device: PciDevice): Task {
    yield* device.lock.lock();
    if (device.driver === undefined && this.devices.has(device)) {
      const driver = this.drivers.find((each) => each.matches(device.vendorId, device.deviceId));
      if (driver !== undefined) yield* this.probe(device, driver);
    }
    yield* device.lock.unlock();
  }

  private *probe(device: PciDevice, driver: PciDriver): Task {
    device.driver = driver; // really_probe() sets it first: sysfs shows the driver of a device that is being probed
    const errno = yield* driver.probe(device);
    if (errno === undefined) {
      this.sim.trace.emit({ kind: 'driver.bound', dev: device.dev, driver: driver.name, bound: true });
      return;
    }
    device.driver = undefined;
    const text = `probe with driver ${driver.name} failed with error ${inLog(errno)}`;
    this.sim.trace.emit({ kind: 'log', level: 'err', dev: device.dev, text });
  }

  /** device_release_driver(); with `from` only when that one has the device. */
  private *unbind(device: PciDevice, from?: PciDriver): Task {
    yield* device.lock.lock();
    const { driver, dev } = device;
    if (driver !== undefined && (from === undefined || driver === from)) {
      yield* driver.remove(device);
      device.driver = undefined;
      this.sim.trace.emit({ kind: 'driver.bound', dev, driver: driver.name, bound: false });
    }
    yield* device.lock.unlock();
  }
}
