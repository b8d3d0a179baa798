/**
 * newbus: devices of one bus, their drivers, and the unit numbers that drivers give them. Hardware is attached in the
 * default vnet. Source: kern/subr_bus.c (device_probe_and_attach(), device_detach(), device_delete_child()); reference D.2.
 * What this leaves out: bids of several drivers for one device (the first has it), and Giant, which guards the tree but is
 * let go of whenever its holder sleeps, so that it keeps nobody out of anything that is modelled here.
 */
import { LowestFree } from '../../../base/index-table.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { FreebsdKernel } from '../kernel.ts';

export interface NewbusDevice {
  /** The scenario's name, for the trace. */
  readonly dev: string;
}

export interface NewbusDriver<Device> {
  readonly name: string;
  readonly matches: (device: Device) => boolean;
  /** `unit`: with the driver's name it is the device's, `hn0`. */
  readonly attach: (device: Device, unit: number) => Task<Errno | undefined>;
  readonly detach: (device: Device) => Task;
}

interface Node<Device> {
  readonly device: Device;
  state: 'not-present' | 'attaching' | 'attached';
  driver: NewbusDriver<Device> | undefined;
  unit: number;
}

/** The number of units that a driver can have. Invented: there is no limit but memory. */
const UNITS_MOST = 65_536;

export class Newbus<Device extends NewbusDevice> {
  private readonly kernel: FreebsdKernel;
  private readonly nodes = new Map<Device, Node<Device>>();
  private readonly drivers: NewbusDriver<Device>[] = [];
  private readonly units = new Map<string, LowestFree>();
  /** For all of them. */
  private readonly tree: Place;

  constructor(kernel: FreebsdKernel) {
    this.kernel = kernel;
    this.tree = new Place(kernel.sim);
  }

  /** Loads a driver: devices that wait for one are attached in the caller's context. */
  *load(driver: NewbusDriver<Device>): Task {
    this.tree.write();
    this.drivers.push(driver);
    for (const node of [...this.nodes.values()]) {
      if (node.state === 'not-present' && driver.matches(node.device)) yield* this.attach(node, driver);
    }
  }

  *unload(driver: NewbusDriver<Device>): Task {
    this.tree.write();
    this.drivers.splice(this.drivers.indexOf(driver), 1);
    for (const node of [...this.nodes.values()]) if (node.driver === driver) yield* this.detach(node);
  }

  /** device_add_child() and device_probe_and_attach(). */
  *add(device: Device): Task {
    this.tree.write();
    const node: Node<Device> = { device, state: 'not-present', driver: undefined, unit: 0 };
    this.nodes.set(device, node);
    const driver = this.drivers.find((each) => each.matches(device));
    if (driver !== undefined) yield* this.attach(node, driver);
  }

  /** device_delete_child(): EBUSY, and all stays as it is, while the device is being attached. */
  *remove(device: Device): Task<Errno | undefined> {
    this.tree.write();
    const node = this.nodes.get(device);
    if (node === undefined) return undefined;
    const errno = yield* this.detach(node);
    if (errno !== undefined) return errno;
    this.tree.write();
    this.nodes.delete(device);
    return undefined;
  }

  private *attach(node: Node<Device>, driver: NewbusDriver<Device>): Task {
    const { net, sim } = this.kernel;
    const { device } = node;
    this.tree.write();
    const units = this.unitsOf(driver);
    const unit = units.take(UNITS_MOST) as number;
    Object.assign(node, { state: 'attaching', driver, unit });
    const errno = yield* net.curvnet.within(net.vnet0, driver.attach(device, unit));
    this.tree.write();
    if (errno === undefined) {
      node.state = 'attached';
      sim.trace.emit({ kind: 'driver.bound', dev: device.dev, driver: driver.name, bound: true });
      return;
    }
    units.free(unit);
    Object.assign(node, { state: 'not-present', driver: undefined });
    const text = `${driver.name}${unit}: device_attach: ${driver.name}${unit} attach returned ${errno}`;
    sim.trace.emit({ kind: 'log', level: 'err', dev: device.dev, text });
  }

  private *detach(node: Node<Device>): Task<Errno | undefined> {
    const { net, sim } = this.kernel;
    const { device, driver, unit } = node;
    this.tree.write();
    if (node.state === 'attaching') {
      const text = 'device in attaching state! Deferring detach.';
      sim.trace.emit({ kind: 'log', level: 'warn', dev: device.dev, text });
      return 'EBUSY';
    }
    if (driver === undefined) return undefined;
    Object.assign(node, { state: 'not-present', driver: undefined });
    yield* net.curvnet.within(net.vnet0, driver.detach(device));
    this.tree.write();
    this.unitsOf(driver).free(unit);
    sim.trace.emit({ kind: 'driver.bound', dev: device.dev, driver: driver.name, bound: false });
    return undefined;
  }

  private unitsOf({ name }: NewbusDriver<Device>): LowestFree {
    const known = this.units.get(name) ?? new LowestFree();
    this.units.set(name, known);
    return known;
  }
}
