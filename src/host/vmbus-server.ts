/**
 * The VMBus server: versions, offers, opening and closing of channels, rescinds.
 * Source: linux/hyperv.h; drivers/hv/channel_mgmt.c, connection.c, channel.c as the other end; reference C.1, C.4; what
 * openvmm answers to nonsense (anchors 1.6).
 * What this leaves out: sub-channels, monitor pages, target processors, isolation, more than one guest.
 */

import type { Nanoseconds } from '../base/time.ts';
import { signalConnection } from '../bus/bus.ts';
import { openPayload, type Payload } from '../bus/memory.ts';
import { isMalformed } from '../wire/message.ts';
import { MESSAGE_CONNECTION } from '../wire/synic.ts';
import { CHANNEL_FLAGS, CLASS_GUIDS, VMBUS, VMBUS_VERSIONS, type VmbusMessage } from '../wire/vmbus.ts';
import type { HostAction } from './action.ts';
import { describe } from './describe.ts';
import type { RequestFault } from './fault-points.ts';
import { arm, carry, failureOf, sendMessage, takeUp } from './faults.ts';
import type { ChannelOffer, HostItem, OpenChannel } from './item.ts';
import { GpadlKeeper, type GpadlServer } from './vmbus-gpadl.ts';
import { FAILURE_STATUS, type ServerChannel, type VmbusState } from './vmbus-state.ts';
import type { Behaviour, Worker } from './worker.ts';

type Received<N extends VmbusMessage['name']> = Extract<VmbusMessage, { name: N }>;

/** `user_def` of an offer: a host may put there what it likes. */
const NOTHING_OF_OURS = new Uint8Array(120);

export class VmbusServer implements Behaviour, GpadlServer {
  private readonly worker: Worker<VmbusState>;
  private readonly versionMax: number;
  private readonly gpadls: GpadlKeeper;

  constructor(worker: Worker<VmbusState>, versionMax: number) {
    this.worker = worker;
    this.versionMax = versionMax;
    this.gpadls = new GpadlKeeper(this);
    worker.around.bus.connect(MESSAGE_CONNECTION.beforeVersion5);
    if (versionMax >= VMBUS_VERSIONS['5.0']) worker.around.bus.connect(MESSAGE_CONNECTION.version5);
  }

  get state(): VmbusState {
    return this.worker.state;
  }

  get around(): Worker<VmbusState>['around'] {
    return this.worker.around;
  }

  take(item: HostItem): void {
    switch (item.what) {
      case 'message':
        this.receive(item.message);
        break;
      case 'messages':
        for (const message of item.messages) this.receive(message);
        break;
      case 'vmbus-due':
        this.answer(item.message);
        break;
      case 'gpadl-due':
        this.gpadls.answer(item.gpadl);
        break;
      case 'offer':
        this.offer(item.offer);
        break;
      case 'rescind':
        this.rescind(item.dev);
        break;
      case 'send-due':
        carry(this.worker, item.dev, 'goes', item.delivery);
        break;
      case 'action':
        this.arm(item.action, item.ticket);
        break;
      default:
    }
  }

  /** Sends a message to the guest. */
  say(message: VmbusMessage, dev = 'vmbus'): void {
    const tell = {
      kind: 'vmbus.message',
      from: 'host',
      name: message.name,
      dev,
      detail: describe(this.around.sim.trace, 'vmbus.message', message),
    } as const;
    sendMessage(this.worker, dev, message.name, { to: 'guest', message, tell });
  }

  refuse(dev: string, what: string, why: string): void {
    this.worker.emit({ kind: 'host.refused', dev, what, why });
  }

  /** Answers after the time that an answer takes. */
  later(item: HostItem): void {
    this.worker.after(this.replySpan, item);
  }

  failureOf(dev: string, request: string): RequestFault | undefined {
    return failureOf(this.worker, dev, request);
  }

  private get replySpan(): Nanoseconds {
    return this.around.latency.of('host.reply');
  }

  /** Faults of the messages that it sends and gets are all that an operator asks of it himself. */
  private arm(action: HostAction, ticket: number): void {
    this.worker.send({ to: 'ticket', ticket });
    if (action.do !== 'arm-fault') return;
    arm(this.worker, action.fault);
    this.worker.emit({ kind: 'host.action', action: action.do, dev: action.fault.dev });
  }

  devOf(relid: number): string {
    return this.channelAt(relid)?.dev ?? 'vmbus';
  }

  private receive(payload: Payload): void {
    const message = openPayload(VMBUS, payload);
    if (isMalformed(message)) {
      const { problem, what = '' } = message;
      this.worker.emit({
        kind: 'wire.malformed',
        from: 'guest',
        protocol: 'vmbus',
        problem,
        dev: 'vmbus',
        detail: what,
      });
      return;
    }
    // The pieces of a GPADL are gathered as they come; what takes time is the answer to the whole, and the header
    // tells all that there is to tell.
    if (message.name === 'gpadlBody') {
      this.gpadls.gather(message);
      return;
    }
    const dev = 'childRelid' in message ? this.devOf(message.childRelid) : 'vmbus';
    this.worker.emit({
      kind: 'vmbus.message',
      from: 'guest',
      name: message.name,
      dev,
      detail: describe(this.around.sim.trace, 'vmbus.message', message),
    });
    if (message.name === 'gpadlHeader') this.gpadls.gather(message);
    else takeUp(this.worker, [dev, message.name], this.replySpan, { what: 'vmbus-due', message });
  }

  private answer(message: VmbusMessage): void {
    if (message.name === 'initiateContact') {
      this.contact(message);
    } else if (this.state.connection.at === 'none') {
      this.refuse('vmbus', message.name, 'no version is agreed upon');
    } else {
      this.connected(message);
    }
  }

  private connected(message: VmbusMessage): void {
    switch (message.name) {
      case 'requestOffers':
        this.requestOffers();
        break;
      case 'openChannel':
        this.open(message);
        break;
      case 'closeChannel':
        this.close(message);
        break;
      case 'gpadlTeardown':
        this.gpadls.teardown(message);
        break;
      case 'relidReleased':
        this.released(message);
        break;
      case 'unload':
        this.forgetGuest();
        this.say({ name: 'unloadResponse' });
        break;
      case 'modifyChannel':
        this.modify(message);
        break;
      default:
        this.refuse('vmbus', message.name, 'a guest does not send this');
    }
  }

  private contact({ version }: Received<'initiateContact'>): void {
    // A guest that makes contact again has forgotten everything: a kernel started by kexec.
    this.forgetGuest();
    const known = (Object.values(VMBUS_VERSIONS) as readonly number[]).includes(version);
    const supported = known && version <= this.versionMax;
    if (supported) this.state.connection = { at: 'made', version, offersAsked: false };
    const connectionId = supported && version >= VMBUS_VERSIONS['5.0'] ? MESSAGE_CONNECTION.version5 : 0;
    this.say({ name: 'versionResponse', supported: supported ? 1 : 0, connectionState: 0, connectionId });
  }

  private requestOffers(): void {
    const { connection } = this.state;
    if (connection.at === 'none') return;
    this.state.connection = { ...connection, offersAsked: true };
    for (const channel of this.state.channels.values()) if (channel.offer === 'kept') this.tellOffer(channel);
    this.say({ name: 'allOffersDelivered' });
  }

  private offer(offer: ChannelOffer): void {
    const channel: ServerChannel = { relid: this.freeRelid(), offer: 'kept', open: undefined, ...offer };
    this.state.channels.set(channel.relid, channel);
    this.around.bus.route(channel.relid, channel.owner);
    const { connection } = this.state;
    if (connection.at === 'made' && connection.offersAsked) this.tellOffer(channel);
  }

  private tellOffer(channel: ServerChannel): void {
    const { interfaceType, instance: interfaceInstance, relid } = channel;
    const isNic = interfaceType === CLASS_GUIDS.nic;
    channel.offer = 'told';
    this.say(
      {
        name: 'offerChannel',
        interfaceType,
        interfaceInstance,
        channelFlags: isNic ? CHANNEL_FLAGS.enumerateDeviceInterface : 0,
        mmioMegabytes: 0,
        userDefined: NOTHING_OF_OURS,
        subChannelIndex: 0,
        childRelid: relid,
        monitorId: 0,
        monitorAllocated: false,
        isDedicatedInterrupt: true,
        connectionId: signalConnection(relid),
      },
      channel.dev,
    );
  }

  /** A relid is used again when the guest has released it, and not before. */
  private freeRelid(): number {
    return this.state.freeRelids.pop() ?? this.state.nextRelid++;
  }

  private rescind(dev: string): void {
    const all = [...this.state.channels.values()];
    const channel = all.find((one) => one.dev === dev && one.offer !== 'rescinded');
    if (channel === undefined) return;
    if (channel.offer === 'kept') {
      this.remove(channel);
      return;
    }
    channel.offer = 'rescinded';
    this.say({ name: 'rescindChannelOffer', childRelid: channel.relid }, dev);
  }

  private open(message: Received<'openChannel'>): void {
    const { childRelid, openId, ringGpadl, downstreamPageOffset } = message;
    const failing = this.failureOf(this.devOf(childRelid), message.name);
    if (failing?.status !== undefined) {
      const { status } = failing;
      this.say({ name: 'openChannelResult', childRelid, openId, status }, this.devOf(childRelid));
      return;
    }
    const channel = this.channelAt(childRelid);
    const opened = this.openRings(channel, ringGpadl, downstreamPageOffset);
    const status = typeof opened === 'string' ? FAILURE_STATUS : 0;
    if (typeof opened === 'string') this.refuse(this.devOf(childRelid), 'openChannel', opened);
    else this.worker.tell(opened.owner, { what: 'opened', channel: opened.channel });
    this.say({ name: 'openChannelResult', childRelid, openId, status }, this.devOf(childRelid));
  }

  /** Opens the channel, or says why not. */
  private openRings(
    channel: ServerChannel | undefined,
    gpadl: number,
    downstreamPageOffset: number,
  ): { readonly owner: string; readonly channel: OpenChannel } | string {
    if (channel === undefined || channel.offer === 'kept') return 'no such channel is offered';
    if (channel.offer === 'rescinded') return 'the channel is rescinded';
    if (channel.open !== undefined) return 'the channel is open';
    const { dev, relid, owner } = channel;
    if (!this.gpadls.isFor(gpadl, relid)) return 'the rings are on no GPADL of this channel';
    const pair = this.around.bus.ringsAt(gpadl, downstreamPageOffset, relid);
    if (pair === undefined) return 'the GPADL does not hold two rings';
    channel.open = { dev, relid, firstPfn: pair.firstPfn, session: this.state.nextSession++ };
    return { owner, channel: channel.open };
  }

  private close({ childRelid }: Received<'closeChannel'>): void {
    const channel = this.channelAt(childRelid);
    if (channel?.open === undefined) this.refuse(this.devOf(childRelid), 'closeChannel', 'the channel is not open');
    else this.shut(channel);
  }

  private shut(channel: ServerChannel): void {
    const { open } = channel;
    if (open === undefined) return;
    channel.open = undefined;
    // Whoever waits for room in them goes on; the owner may be one of those.
    for (const ring of ['toHost', 'toGuest'] as const) this.worker.send({ to: 'shut', firstPfn: open.firstPfn, ring });
    this.worker.tell(channel.owner, { what: 'closed', dev: channel.dev });
  }

  private released({ childRelid }: Received<'relidReleased'>): void {
    const channel = this.channelAt(childRelid);
    if (channel?.offer === 'rescinded') {
      this.remove(channel);
    } else if (channel?.offer === 'told' && channel.open === undefined) {
      // A guest whose bus driver goes releases what it was offered, without UNLOAD (drivers/hv/vmbus_drv.c,
      // vmbus_exit()); the offer is made again when it asks for offers.
      this.gpadls.forget(childRelid);
      channel.offer = 'kept';
    } else {
      this.refuse(this.devOf(childRelid), 'relidReleased', 'the channel is neither rescinded nor closed');
    }
  }

  private remove(channel: ServerChannel): void {
    this.shut(channel);
    this.gpadls.forget(channel.relid);
    this.around.bus.unroute(channel.relid);
    this.state.channels.delete(channel.relid);
    this.state.freeRelids.push(channel.relid);
    this.state.freeRelids.sort((a, b) => b - a);
    this.worker.tell(channel.owner, { what: 'released', dev: channel.dev });
  }

  /** All channels are closed and have to be offered anew; those that were taken back are gone. */
  private forgetGuest(): void {
    this.state.connection = { at: 'none' };
    for (const channel of [...this.state.channels.values()]) {
      if (channel.offer === 'rescinded') {
        this.remove(channel);
      } else {
        this.shut(channel);
        this.gpadls.forget(channel.relid);
        channel.offer = 'kept';
      }
    }
  }

  private modify({ childRelid }: Received<'modifyChannel'>): void {
    const { connection } = this.state;
    const open = this.channelAt(childRelid)?.open !== undefined;
    const answered = connection.at === 'made' && connection.version >= VMBUS_VERSIONS['5.3'];
    if (!open) this.refuse(this.devOf(childRelid), 'modifyChannel', 'the channel is not open');
    const failing = this.failureOf(this.devOf(childRelid), 'modifyChannel');
    const status = failing?.status ?? (open ? 0 : FAILURE_STATUS);
    if (answered) this.say({ name: 'modifyChannelResponse', childRelid, status }, this.devOf(childRelid));
  }

  channelAt(relid: number): ServerChannel | undefined {
    return this.state.channels.get(relid);
  }
}
