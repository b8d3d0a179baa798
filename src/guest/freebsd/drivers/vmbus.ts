/**
 * The VMBus as FreeBSD has it: channels that are offered become devices, and one thread attaches and detaches all of
 * them. Source: sys/dev/hyperv/vmbus/vmbus_chan.c (vmbus_chan_msgproc_choffer(), vmbus_chan_msgproc_chrescind(),
 * vmbus_prichan_attach_task(), vmbus_prichan_detach_task()); reference E.6.
 * What this leaves out: sub-channels, CPUs, the queue between the message slot and the threads.
 */
import type { Guid } from '../../../base/guid.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Channel, Offer } from '../../hv/channel.ts';
import { VmbusClient, type VmbusEvents } from '../../hv/vmbus-client.ts';
import { Taskqueue } from '../kern/taskqueue.ts';
import type { FreebsdKernel } from '../kernel.ts';
import { Newbus, type NewbusDevice } from './newbus.ts';

export interface VmbusDevice extends NewbusDevice {
  readonly channel: Channel;
}

export class Vmbus implements VmbusEvents {
  readonly client: VmbusClient;
  readonly bus: Newbus<VmbusDevice>;
  /** vmbus_devtq: whoever has to do with the coming and going of devices does it here (vmbus_chan_mgmt_tq()). */
  readonly devices: Taskqueue;
  private readonly known = new Map<number, VmbusDevice>();
  /** For {@link known}. */
  private readonly list: Place;

  /** `devOf`: the scenario's name of an offered device, for traces. */
  constructor(kernel: FreebsdKernel, devOf: (instance: Guid) => string) {
    this.client = new VmbusClient(kernel.sim, kernel.bus, this, devOf);
    this.bus = new Newbus(kernel);
    this.devices = new Taskqueue(kernel.sim, 'vmbusdev');
    this.list = new Place(kernel.sim);
  }

  *offered(offer: Offer): Task {
    const device = { dev: offer.dev, channel: this.client.newChannel(offer) };
    this.list.write();
    this.known.set(offer.relid, device);
    yield* this.devices.enqueue({ name: `attach ${offer.dev}`, body: () => this.bus.add(device) });
  }

  /** Whoever waits for an answer on the channel hears at once that there is none; the rest is the thread's. */
  *rescinded(relid: number): Task {
    this.list.write();
    const device = this.known.get(relid);
    if (device === undefined) return;
    this.known.delete(relid);
    yield* device.channel.markRescinded();
    yield* this.client.wakeWaiters(relid);
    yield* this.devices.enqueue({ name: `detach ${device.dev}`, body: () => this.detach(device, relid) });
  }

  private *detach(device: VmbusDevice, relid: number): Task {
    yield* this.bus.remove(device);
    yield* this.client.releaseRelid(relid);
  }
}
