/**
 * How Linux handles offers and rescinds, and brings VMBus devices and drivers together.
 * Source: drivers/hv/channel_mgmt.c (vmbus_onoffer(), vmbus_onoffer_rescind()), vmbus_drv.c; reference B.2, C.1.
 * The queues have one item at a time each: create_workqueue() allows one a CPU, and messages come on one CPU.
 * What this leaves out: sub-channels, CPU assignment, devices that wait for resume.
 */

import type { Guid } from '../../base/guid.ts';
import { Cell } from '../../sim/cell.ts';
import { Mutex } from '../../sim/mutex.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { OrderedQueue } from '../../sim/work.ts';
import type { Channel, Offer } from '../hv/channel.ts';
import type { VmbusClient, VmbusEvents } from '../hv/vmbus-client.ts';
import { type Errno, inLog } from '../uapi/errno.ts';

/** struct hv_device: one offered channel as a device of the driver core. */
export interface HvDevice {
  readonly channel: Channel;
  readonly dev: string;
  /** Held over probe and remove. */
  readonly lock: Mutex;
  /** probe_done: the rescind of a channel waits for it. */
  readonly probed: Cell<boolean>;
  driver: HvDriver | undefined;
}

/** struct hv_driver. */
export interface HvDriver {
  readonly name: string;
  readonly interfaceType: Guid;
  readonly probe: (device: HvDevice) => Task<Errno | undefined>;
  readonly remove: (device: HvDevice) => Task;
}

export class VmbusCore implements VmbusEvents {
  private readonly sim: Simulation;
  private client: VmbusClient | undefined;
  private readonly connectionQueue: OrderedQueue;
  private readonly rescindQueue: OrderedQueue;
  private readonly primaryQueue: OrderedQueue;
  private readonly devices = new Map<number, HvDevice>();
  private readonly drivers: HvDriver[] = [];
  /** offer_in_progress: offers taken from the slot that have no channel yet. */
  private readonly offersInProgress: Cell<number>;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.connectionQueue = new OrderedQueue(sim, 'hv_vmbus_con');
    this.rescindQueue = new OrderedQueue(sim, 'hv_vmbus_rescind');
    this.primaryQueue = new OrderedQueue(sim, 'hv_pri_chan');
    this.offersInProgress = new Cell(sim, 'offers in progress', 0);
  }

  connectedBy(client: VmbusClient): void {
    this.client = client;
  }

  /** In the message tasklet: counted there, handled by the connection's queue. */
  *offered(offer: Offer): Task {
    yield* this.offersInProgress.update((count) => count + 1);
    yield* this.connectionQueue.queue({ name: `offer ${offer.dev}`, body: () => this.addOffer(offer) });
  }

  *rescinded(relid: number): Task {
    yield* this.rescindQueue.queue({ name: `rescind ${relid}`, body: () => this.onRescind(relid) });
  }

  /** vmbus_driver_register(): probes the devices that wait for it, in the caller's context. */
  *registerDriver(driver: HvDriver): Task {
    this.drivers.push(driver);
    for (const device of this.devicesFor(driver)) yield* this.bind(device);
  }

  /** vmbus_driver_unregister(): removes every device that it drives, and waits for those that it is probing. */
  *unregisterDriver(driver: HvDriver): Task {
    this.drivers.splice(this.drivers.indexOf(driver), 1);
    for (const device of this.devicesFor(driver)) yield* this.unbind(device, driver);
  }

  private devicesFor(driver: HvDriver): readonly HvDevice[] {
    return [...this.devices.values()].filter(({ channel }) => channel.offer.interfaceType === driver.interfaceType);
  }

  private *addOffer(offer: Offer): Task {
    const { client, sim } = this;
    if (client === undefined) return;
    const device: HvDevice = {
      channel: client.newChannel(offer),
      dev: offer.dev,
      lock: new Mutex(sim, `${offer.dev}.lock`),
      probed: new Cell(sim, `${offer.dev}.probe_done`, false),
      driver: undefined,
    };
    this.devices.set(offer.relid, device);
    yield* this.offersInProgress.update((count) => count - 1);
    yield* this.primaryQueue.queue({ name: `probe ${offer.dev}`, body: () => this.addDevice(device) });
  }

  private *addDevice(device: HvDevice): Task {
    yield* this.bind(device);
    yield* device.probed.set(true);
  }

  /** device_attach(): under the device's lock, to the first driver that takes it. */
  private *bind(device: HvDevice): Task {
    yield* device.lock.lock();
    if (device.driver === undefined && !device.channel.rescinded.now) {
      const driver = this.drivers.find((each) => each.interfaceType === device.channel.offer.interfaceType);
      if (driver !== undefined) yield* this.probe(device, driver);
    }
    yield* device.lock.unlock();
  }

  private *probe(device: HvDevice, driver: HvDriver): Task {
    const { dev } = device;
    const errno = yield* driver.probe(device);
    if (errno === undefined) {
      device.driver = driver;
      this.sim.trace.emit({ kind: 'driver.bound', dev, driver: driver.name, bound: true });
      return;
    }
    const text = `probe failed for device ${device.channel.offer.instance} (${inLog(errno)})`;
    this.sim.trace.emit({ kind: 'log', level: 'err', dev, text });
  }

  /** device_release_driver(); with `from` only when that one has the device. */
  private *unbind(device: HvDevice, from?: HvDriver): Task {
    yield* device.lock.lock();
    const { driver, dev } = device;
    if (driver !== undefined && (from === undefined || driver === from)) {
      yield* driver.remove(device);
      device.driver = undefined;
      this.sim.trace.emit({ kind: 'driver.bound', dev, driver: driver.name, bound: false });
    }
    yield* device.lock.unlock();
  }

  /** vmbus_onoffer_rescind(). */
  private *onRescind(relid: number): Task {
    const { client } = this;
    // The kernel polls both once a millisecond; here it sleeps until they change.
    for (let left = this.offersInProgress.now; left > 0; ) left = yield* this.offersInProgress.whileIs(left);
    const device = this.devices.get(relid);
    if (device === undefined || client === undefined || device.channel.rescinded.now) return;
    yield* device.channel.markRescinded();
    yield* client.wakeWaiters(relid);
    yield* device.probed.whileIs(false);
    this.devices.delete(relid);
    yield* this.unbind(device);
    yield* client.releaseRelid(relid);
  }
}
