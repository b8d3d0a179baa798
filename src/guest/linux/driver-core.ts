/**
 * Bringing devices and drivers of one bus together, each under its device's lock. Source: drivers/base/dd.c
 * (device_attach(), really_probe(), device_release_driver()).
 * What this leaves out: deferred and asynchronous probes, several drivers that match one device (the first has it).
 */

import type { Mutex } from '../../sim/mutex.ts';
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';

export interface BusDevice<Driver> {
  /** The scenario's name, for the trace. */
  readonly dev: string;
  /** Held over a driver's probe and remove (device_lock()). */
  readonly lock: Mutex;
  driver: Driver | undefined;
}

export interface BusDriver<Device> {
  readonly name: string;
  readonly probe: (device: Device) => Task<Errno | undefined>;
  readonly remove: (device: Device) => Task;
}

/** What differs from bus to bus (struct bus_type). */
export interface BusType<Device, Driver> {
  readonly devices: () => Iterable<Device>;
  readonly matches: (device: Device, driver: Driver) => boolean;
  /** Whether the device can still be given to a driver. */
  readonly isThere: (device: Device) => boolean;
  /** The line that a failed probe leaves in the log. */
  readonly failure: (device: Device, driver: Driver, errno: Errno) => string;
}

export class DriverCore<Device extends BusDevice<Driver>, Driver extends BusDriver<Device>> {
  private readonly sim: Simulation;
  private readonly bus: BusType<Device, Driver>;
  private readonly drivers: Driver[] = [];
  /** For {@link drivers}. */
  private readonly list: Place;

  constructor(sim: Simulation, bus: BusType<Device, Driver>) {
    this.sim = sim;
    this.list = new Place(sim);
    this.bus = bus;
  }

  /** Probes the devices that wait for the driver, in the caller's context. */
  *register(driver: Driver): Task {
    this.list.write();
    this.drivers.push(driver);
    for (const device of this.devicesFor(driver)) yield* this.bind(device);
  }

  /** A device that is being probed is waited for: only then it is known whether the driver has it. */
  *unregister(driver: Driver): Task {
    this.list.write();
    this.drivers.splice(this.drivers.indexOf(driver), 1);
    for (const device of this.devicesFor(driver)) yield* this.unbind(device, driver);
  }

  /** device_attach(): to the first driver that takes it. */
  *bind(device: Device): Task {
    yield* device.lock.lock();
    if (device.driver === undefined && this.bus.isThere(device)) {
      this.list.read();
      const driver = this.drivers.find((each) => this.bus.matches(device, each));
      if (driver !== undefined) yield* this.probe(device, driver);
    }
    yield* device.lock.unlock();
  }

  /** device_release_driver(); with `from` only when that one has the device. */
  *unbind(device: Device, from?: Driver): Task {
    yield* device.lock.lock();
    const { driver, dev } = device;
    if (driver !== undefined && (from === undefined || driver === from)) {
      yield* driver.remove(device);
      device.driver = undefined;
      this.sim.trace.emit({ kind: 'driver.bound', dev, driver: driver.name, bound: false });
    }
    yield* device.lock.unlock();
  }

  private *probe(device: Device, driver: Driver): Task {
    const { dev } = device;
    device.driver = driver; // really_probe() sets it first: sysfs shows the driver of a device that is being probed
    const errno = yield* driver.probe(device);
    if (errno === undefined) {
      this.sim.trace.emit({ kind: 'driver.bound', dev, driver: driver.name, bound: true });
      return;
    }
    device.driver = undefined;
    this.sim.trace.emit({ kind: 'log', level: 'err', dev, text: this.bus.failure(device, driver, errno) });
  }

  private devicesFor(driver: Driver): readonly Device[] {
    return [...this.bus.devices()].filter((device) => this.bus.matches(device, driver));
  }
}
