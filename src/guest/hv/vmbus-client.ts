/**
 * The guest's end of the VMBus control protocol, which the hardware demands of every guest: version negotiation, offers,
 * opening and closing of channels, GPADLs. What a guest does with an offer or a rescind is its own.
 * Source: drivers/hv/connection.c, channel.c, channel_mgmt.c (reference C.1, C.3, C.4).
 * What this leaves out: hv_sock, unload at a crash, redirection to VTL2.
 */
import type { Guid } from '../../base/guid.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { WaitCell } from '../../sim/wait-cell.ts';
import { isMalformed } from '../../wire/message.ts';
import { PageList } from '../../wire/page-list.ts';
import { HV_STATUS, MESSAGE_CONNECTION, VMBUS_MESSAGE_SINT } from '../../wire/synic.ts';
import {
  FIRST_GPADL_HANDLE,
  GPADL_BODY_PFNS_MAX,
  GPADL_HEADER_PFNS_MAX,
  messageTarget,
  VMBUS_VERSIONS,
  type VmbusMessage,
} from '../../wire/vmbus.ts';
import type { Errno } from '../uapi/errno.ts';
import { Channel, type Offer } from './channel.ts';

const PAGE_SIZE = 4096;

type Response = Extract<
  VmbusMessage,
  { name: 'versionResponse' | 'openChannelResult' | 'gpadlCreated' | 'gpadlTorndown' | 'unloadResponse' }
>;

/** What a guest makes of news from the host; both run in the context that takes messages. */
export interface VmbusEvents {
  readonly offered: (offer: Offer) => Task;
  readonly rescinded: (relid: number) => Task;
}

export class VmbusClient {
  readonly sim: Simulation;
  readonly bus: Bus;
  private readonly events: VmbusEvents;
  private readonly devOf: (instance: Guid) => string;
  private readonly waiting = new Map<string, WaitCell<Response | 'rescinded'>>();
  /** For {@link waiting}. */
  private readonly asked: Place;
  /** vmbus_connection.msg_conn_id. */
  private connection: number = MESSAGE_CONNECTION.version5;
  private nextGpadl = FIRST_GPADL_HANDLE;
  /** The version that both sides took; 0 before that. */
  version = 0;

  constructor(sim: Simulation, bus: Bus, events: VmbusEvents, devOf: (instance: Guid) => string) {
    this.sim = sim;
    this.asked = new Place(sim);
    this.bus = bus;
    this.events = events;
    this.devOf = devOf;
  }

  /** vmbus_connect(): newest version first; EDOM when the host takes none. Then the offers are asked for. */
  *connect(): Task<Errno | undefined> {
    this.sim.spawn('vmbus.msg', 'guest', this.takeMessages(), { daemon: true });
    for (const [name, version] of Object.entries(VMBUS_VERSIONS)) {
      if (yield* this.negotiate(version)) {
        this.version = version;
        this.sim.trace.emit({ kind: 'log', level: 'info', dev: 'vmbus', text: `Vmbus version:${name}` });
        yield* this.bus.postMessage(this.connection, { name: 'requestOffers' });
        return undefined;
      }
    }
    this.sim.trace.emit({ kind: 'log', level: 'err', dev: 'vmbus', text: 'Unable to connect to host' });
    return 'EDOM';
  }

  newChannel(offer: Offer): Channel {
    return new Channel(this.sim, this.bus, offer);
  }

  /** vmbus_open(): rings of `pages` in each direction. EAGAIN when the host refuses, ENODEV when it takes it back. */
  *open(channel: Channel, pages: number): Task<Errno | undefined> {
    const { relid, dev } = channel.offer;
    const rings = this.bus.createRings(dev, pages);
    const gpadl = yield* this.establishGpadl(channel, rings.firstPfn, rings.pages);
    if (!gpadl.ok) {
      this.bus.freeRings(rings);
      return gpadl.error;
    }
    const opening = channel.prepare(rings, gpadl.value);
    this.bus.listen(relid, opening.doorbell);
    const response = yield* this.ask(`open ${relid}`, {
      name: 'openChannel',
      childRelid: relid,
      openId: relid,
      ringGpadl: gpadl.value,
      targetVp: 0,
      downstreamPageOffset: rings.downstreamPageOffset,
      userData: NO_USER_DATA,
    });
    if (response !== 'rescinded' && response.name === 'openChannelResult' && response.status === 0) {
      channel.opening = opening;
      return undefined;
    }
    this.bus.unlisten(relid);
    yield* this.teardownGpadl(channel, gpadl.value);
    this.bus.freeRings(rings);
    return response === 'rescinded' ? 'ENODEV' : 'EAGAIN';
  }

  /** vmbus_close(): the serving context ends what it is at (tasklet_disable(), napi_disable()), the host is told, the rings' GPADL goes. There is no answer to wait for. */
  *close(channel: Channel): Task {
    const { opening } = channel;
    if (opening === undefined) return;
    channel.opening = undefined;
    this.bus.unlisten(channel.offer.relid);
    yield* opening.doorbell.ring(); // the serving context looks up, and ends
    if (opening.served) yield* opening.over.wait();
    channel.forgetRequests();
    yield* this.post({ name: 'closeChannel', childRelid: channel.offer.relid });
    yield* this.teardownGpadl(channel, opening.gpadl);
    this.bus.freeRings(opening.rings);
  }

  /** vmbus_establish_gpadl(): EDQUOT when the host refuses, ENODEV when the channel was taken back. */
  *establishGpadl(channel: Channel, firstPfn: number, pages: number): Task<Result<number, Errno>> {
    if (channel.rescinded.now) return err('ENODEV');
    const gpadl = this.nextGpadl++;
    const { relid } = channel.offer;
    const cell = this.expect(`gpadl ${gpadl} of ${relid}`);
    yield* this.bus.postMessages(this.connection, gpadlMessages(relid, gpadl, firstPfn, pages));
    const response = (yield* cell.wait()) ?? 'rescinded';
    if (response === 'rescinded') return err('ENODEV');
    return response.name === 'gpadlCreated' && response.status === 0 ? ok(gpadl) : err('EDQUOT');
  }

  *teardownGpadl(channel: Channel, gpadl: number): Task {
    // A channel that was taken back has no GPADLs at the host any more, and gets no answer.
    if (channel.rescinded.now) return;
    yield* this.ask(`torndown ${gpadl} of ${channel.offer.relid}`, {
      name: 'gpadlTeardown',
      childRelid: channel.offer.relid,
      gpadl,
    });
  }

  /** The channel's number can be given out again. */
  *releaseRelid(relid: number): Task {
    yield* this.post({ name: 'relidReleased', childRelid: relid });
  }

  /** Wakes those who wait for a message about a channel that was taken back; not those who wait for its packets. */
  *wakeWaiters(relid: number): Task {
    this.asked.write();
    for (const [key, cell] of [...this.waiting]) {
      if (!key.endsWith(` ${relid}`)) continue;
      this.waiting.delete(key);
      yield* cell.resolve('rescinded');
    }
  }

  private *negotiate(version: number): Task<boolean> {
    const asked = version >= VMBUS_VERSIONS['5.0'] ? MESSAGE_CONNECTION.version5 : MESSAGE_CONNECTION.beforeVersion5;
    const cell = this.expect('version');
    const status = yield* this.bus.postMessage(asked, {
      name: 'initiateContact',
      version,
      targetVcpu: 0,
      interruptPage: messageTarget.pack(VMBUS_MESSAGE_SINT, 0),
      monitorPage1: 0n,
      monitorPage2: 0n,
    });
    if (status !== HV_STATUS.success) {
      this.waiting.delete('version');
      return false;
    }
    const response = yield* cell.wait();
    if (response === undefined || response === 'rescinded' || response.name !== 'versionResponse') return false;
    if (response.supported === 0) return false;
    this.connection = version >= VMBUS_VERSIONS['5.0'] ? response.connectionId : asked;
    return true;
  }

  private *takeMessages(): Task {
    for (;;) {
      const message = yield* this.bus.synic.take();
      if (isMalformed(message)) {
        const { problem, what = '' } = message;
        this.sim.trace.emit({
          kind: 'wire.malformed',
          from: 'host',
          protocol: 'vmbus',
          problem,
          dev: 'vmbus',
          detail: what,
        });
        continue;
      }
      yield* this.onMessage(message);
    }
  }

  private *onMessage(message: VmbusMessage): Task {
    switch (message.name) {
      case 'offerChannel': {
        const { childRelid: relid, interfaceType, interfaceInstance: instance } = message;
        yield* this.events.offered({ relid, interfaceType, instance, dev: this.devOf(instance) });
        break;
      }
      case 'rescindChannelOffer':
        yield* this.events.rescinded(message.childRelid);
        break;
      case 'versionResponse':
        yield* this.answer('version', message);
        break;
      case 'openChannelResult':
        yield* this.answer(`open ${message.childRelid}`, message);
        break;
      case 'gpadlCreated':
        yield* this.answer(`gpadl ${message.gpadl} of ${message.childRelid}`, message);
        break;
      case 'gpadlTorndown':
        for (const key of this.waiting.keys()) {
          if (key.startsWith(`torndown ${message.gpadl} of `)) yield* this.answer(key, message);
        }
        break;
      default: // what a host does not send, or nobody here waits for
        break;
    }
  }

  private *answer(key: string, message: Response): Task {
    this.asked.writeNamed(key);
    const cell = this.waiting.get(key);
    if (cell === undefined) return; // an answer that nobody waits for is dropped, as in the kernel
    this.waiting.delete(key);
    yield* cell.resolve(message);
  }

  private expect(key: string): WaitCell<Response | 'rescinded'> {
    const cell = new WaitCell<Response | 'rescinded'>(this.sim, `host's answer: ${key}`);
    this.asked.writeNamed(key);
    this.waiting.set(key, cell);
    return cell;
  }

  private *ask(key: string, message: VmbusMessage): Task<Response | 'rescinded'> {
    const cell = this.expect(key);
    yield* this.post(message);
    return (yield* cell.wait()) ?? 'rescinded';
  }

  private post(message: VmbusMessage): Operation<unknown> {
    return this.bus.postMessage(this.connection, message);
  }
}

const NO_USER_DATA = new Uint8Array(120);

/** GPADL_HEADER with up to 26 page numbers, then bodies with up to 28 each. */
function gpadlMessages(relid: number, gpadl: number, firstPfn: number, pages: number): VmbusMessage[] {
  const messages: VmbusMessage[] = [
    {
      name: 'gpadlHeader',
      childRelid: relid,
      gpadl,
      rangeBuflen: 8 + 8 * pages,
      rangeCount: 1,
      byteCount: pages * PAGE_SIZE,
      byteOffset: 0,
      pfns: PageList.ofRun(firstPfn, Math.min(pages, GPADL_HEADER_PFNS_MAX)),
    },
  ];
  for (let at = GPADL_HEADER_PFNS_MAX; at < pages; at += GPADL_BODY_PFNS_MAX) {
    const pfns = PageList.ofRun(firstPfn + at, Math.min(pages - at, GPADL_BODY_PFNS_MAX));
    messages.push({ name: 'gpadlBody', messageNumber: messages.length - 1, gpadl, pfns });
  }
  return messages;
}
