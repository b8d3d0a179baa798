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
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { OrderedQueue } from '../../sim/work.ts';
import type { Channel, Offer } from '../hv/channel.ts';
import type { VmbusClient, VmbusEvents } from '../hv/vmbus-client.ts';
import { inLog } from '../uapi/errno.ts';
import { type BusDevice, type BusDriver, DriverCore } from './driver-core.ts';

/** struct hv_device: one offered channel as a device of the driver core. */
export interface HvDevice extends BusDevice<HvDriver> {
  readonly channel: Channel;
  /** probe_done: the rescind of a channel waits for it. */
  readonly probed: Cell<boolean>;
}

/** struct hv_driver. */
export interface HvDriver extends BusDriver<HvDevice> {
  readonly interfaceType: Guid;
}

export class VmbusCore implements VmbusEvents {
  private readonly sim: Simulation;
  private client: VmbusClient | undefined;
  private readonly connectionQueue: OrderedQueue;
  private readonly rescindQueue: OrderedQueue;
  private readonly primaryQueue: OrderedQueue;
  private readonly devices = new Map<number, HvDevice>();
  /** For {@link devices}. */
  private readonly list: Place;
  readonly drivers: DriverCore<HvDevice, HvDriver>;
  /** offer_in_progress: offers taken from the slot that have no channel yet. */
  private readonly offersInProgress: Cell<number>;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.list = new Place(sim);
    this.connectionQueue = new OrderedQueue(sim, 'hv_vmbus_con');
    this.rescindQueue = new OrderedQueue(sim, 'hv_vmbus_rescind');
    this.primaryQueue = new OrderedQueue(sim, 'hv_pri_chan');
    this.offersInProgress = new Cell(sim, 'offers in progress', 0);
    this.drivers = new DriverCore(sim, {
      devices: () => {
        this.list.read();
        return this.devices.values();
      },
      matches: ({ channel }, driver) => channel.offer.interfaceType === driver.interfaceType,
      isThere: ({ channel }) => !channel.rescinded.now,
      failure: ({ channel }, _, errno) => `probe failed for device ${channel.offer.instance} (${inLog(errno)})`,
    });
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

  private *addOffer(offer: Offer): Task {
    const { client, sim } = this;
    if (client === undefined) return;
    if (this.isKnown(offer)) {
      // WARN_ON_ONCE() in vmbus_process_offer(), and the offer is dropped
      const text = 'WARNING: drivers/hv/channel_mgmt.c vmbus_process_offer()';
      sim.trace.emit({ kind: 'log', level: 'warn', dev: offer.dev, text });
      yield* this.offersInProgress.update((count) => count - 1);
      return;
    }
    const device: HvDevice = {
      channel: client.newChannel(offer),
      dev: offer.dev,
      lock: new Mutex(sim, `${offer.dev}.lock`),
      probed: new Cell(sim, `${offer.dev}.probe_done`, false),
      driver: undefined,
    };
    this.list.write();
    this.devices.set(offer.relid, device);
    yield* this.offersInProgress.update((count) => count - 1);
    yield* this.primaryQueue.queue({ name: `probe ${offer.dev}`, body: () => this.addDevice(device) });
  }

  /** A primary channel of the same type and instance: what is offered again is no sub-channel here. */
  private isKnown({ interfaceType, instance }: Offer): boolean {
    this.list.read();
    for (const { channel } of this.devices.values()) {
      if (channel.offer.interfaceType === interfaceType && channel.offer.instance === instance) return true;
    }
    return false;
  }

  private *addDevice(device: HvDevice): Task {
    yield* this.drivers.bind(device);
    yield* device.probed.set(true);
  }

  /** vmbus_onoffer_rescind(). */
  private *onRescind(relid: number): Task {
    const { client } = this;
    // The kernel polls both once a millisecond; here it sleeps until they change.
    for (let left = this.offersInProgress.now; left > 0; ) left = yield* this.offersInProgress.whileIs(left);
    this.list.read();
    const device = this.devices.get(relid);
    if (device === undefined || client === undefined || device.channel.rescinded.now) return;
    yield* device.channel.markRescinded();
    yield* client.wakeWaiters(relid);
    yield* device.probed.whileIs(false);
    this.list.write();
    this.devices.delete(relid);
    yield* this.drivers.unbind(device);
    yield* client.releaseRelid(relid);
  }
}
