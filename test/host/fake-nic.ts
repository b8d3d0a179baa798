/** The synthetic NIC and the VF from the guest's end, rung by rung. */

import { NVSP, NVSP_COMPLETION, type NvspCompletion, type NvspMessage } from '../../src/wire/nvsp.ts';
import { OID, PACKET_FILTER } from '../../src/wire/oid.ts';
import { RNDIS, type RndisControl, type RndisMessage } from '../../src/wire/rndis.ts';
import { CLASS_GUIDS, type VmbusMessage } from '../../src/wire/vmbus.ts';
import { VPCI, type VpciMessage } from '../../src/wire/vpci.ts';
import { decodeVpciCompletion, type VpciCompletion, type VpciCompletionName } from '../../src/wire/vpci-completion.ts';
import { type FakeChannel, FakeGuest, type Got, type Options, opened } from './fake-guest.ts';

export const NIC_CAPABILITIES = 0x4 | 0x8 | 0x20;

/** A connected guest to which the NICs were offered. */
export function connectedGuest(options: Options = {}): FakeGuest {
  const guest = new FakeGuest(options);
  for (const { name } of options.nics ?? [{ name: 'nic1' }]) guest.act({ do: 'offer', nic: name });
  return guest.connect();
}

export class FakeNic {
  readonly guest: FakeGuest;
  readonly channel: FakeChannel;
  readonly relid: number;
  readonly heard: NvspMessage[] = [];
  readonly control: RndisControl[] = [];
  readonly frames: Uint8Array[] = [];
  receiveGpadl = 0;
  sendGpa = 0;
  private nextRequest = 1;

  constructor(guest: FakeGuest, offer = guest.take('offerChannel'), ringPages = 4) {
    this.guest = guest;
    this.relid = offer.childRelid;
    this.channel = guest.open(this.relid, ringPages);
  }

  say(message: NvspMessage, transactionId = 0n): void {
    this.channel.send(NVSP, message, transactionId);
  }

  ask(message: NvspMessage): NvspCompletion {
    const id = BigInt(this.nextRequest++);
    this.say(message, id);
    const completion = this.pull().find((got) => got.type === 'completion' && got.transactionId === id);
    if (completion === undefined) throw new Error(`${message.name} was not completed`);
    return opened<NvspCompletion>(NVSP_COMPLETION, completion.payload);
  }

  /** Takes everything out of the ring, gives receive sections back, sorts what it was. */
  pull(): Got[] {
    const all = this.channel.readAll();
    for (const got of all) {
      if (got.type === 'completion') continue;
      const message = opened<NvspMessage>(NVSP, got.payload);
      if (got.type === 'transferPages') this.receive(got);
      else this.heard.push(message);
    }
    return all;
  }

  negotiated(version = 0x60001, capabilities = NIC_CAPABILITIES): this {
    const answer = this.ask({ name: 'init', minVersion: version, maxVersion: version });
    if (answer.name !== 'initComplete' || answer.status !== 1) throw new Error('the version was refused');
    this.say({ name: 'sendNdisConfig', mtu: 1514, capabilities });
    this.say({ name: 'sendNdisVersion', major: 6, minor: 30 });
    const receive = this.guest.buffer(this.relid, 64);
    this.receiveGpadl = receive.gpadl;
    this.ask({ name: 'sendReceiveBuffer', gpadl: receive.gpadl, id: 0xcafe });
    const send = this.guest.buffer(this.relid, 8);
    this.sendGpa = send.gpa;
    this.ask({ name: 'sendSendBuffer', gpadl: send.gpadl, id: 0 });
    return this;
  }

  rndisReady(): this {
    this.rndis({ name: 'initialize', requestId: 1, major: 1, minor: 0, maxTransferSize: 0x4000 });
    this.filter(PACKET_FILTER.directed | PACKET_FILTER.broadcast | PACKET_FILTER.allMulticast);
    return this;
  }

  filter(bits: number): void {
    const info = new Uint8Array(4);
    new DataView(info.buffer).setUint32(0, bits, true);
    this.rndis({ name: 'set', requestId: 2, oid: OID.currentPacketFilter, info });
  }

  /** Sends an RNDIS message through section 0 of the send buffer; gives the completion's status. */
  rndis(message: RndisMessage): number {
    const sendSectionSize = this.guest.bus.memory.store(this.sendGpa, RNDIS, message);
    return this.sendSection(sendSectionSize, message.name === 'packet' ? 0 : 1);
  }

  sendSection(sendSectionSize: number, channelType: number, sendSectionIndex = 0): number {
    const answer = this.ask({ name: 'sendRndisPacket', channelType, sendSectionIndex, sendSectionSize });
    if (answer.name !== 'sendRndisPacketComplete') throw new Error(answer.name);
    return answer.status;
  }

  transmit(frame: Uint8Array): number {
    return this.rndis({ name: 'packet', data: frame, perPacketInfo: [] });
  }

  /** Asks for the path and waits for the answer; gives the payload's length. */
  switchTo(path: 0 | 1): number {
    const payload = this.channel.ask(NVSP, { name: 'switchDataPath', activeDataPath: path } as { name: string });
    return (payload as Uint8Array).length;
  }

  /** What the host said in band, in short, and forgets it. */
  said(): string[] {
    this.pull();
    return this.heard.splice(0).map((message) => {
      if (message.name === 'sendVfAssociation') return `association ${message.allocated} serial ${message.serial}`;
      if (message.name === 'switchDataPath') return `path ${message.activeDataPath}`;
      return message.name;
    });
  }

  private receive(got: Got): void {
    for (const { byteCount, byteOffset } of got.ranges) {
      const payload = this.guest.bus.gpadls.load(this.receiveGpadl, byteOffset, byteCount);
      if (payload === undefined) throw new Error(`${byteCount} bytes at ${byteOffset} of the receive buffer`);
      const message = opened<RndisMessage>(RNDIS, payload);
      if (message.name === 'packet') this.frames.push(Uint8Array.from(message.data));
      else this.control.push(message);
    }
    this.channel.complete(got.transactionId, { name: 'sendRndisPacketComplete', status: 1 } as { name: string }, NVSP);
  }
}

export class FakeVf {
  readonly channel: FakeChannel;
  readonly relid: number;
  private readonly guest: FakeGuest;

  constructor(guest: FakeGuest) {
    this.guest = guest;
    const offer = guest.take('offerChannel');
    if (offer.interfaceType !== CLASS_GUIDS.pciPassThrough) throw new Error('the offer is not that of a VF');
    this.relid = offer.childRelid;
    this.channel = guest.open(this.relid);
  }

  ask(message: Extract<VpciMessage, { name: VpciCompletionName }>): VpciCompletion {
    const payload = this.channel.ask(VPCI, message);
    const answer = payload instanceof Uint8Array ? decodeVpciCompletion(message.name, payload) : payload;
    if (answer.name === 'malformed') throw new Error('the host sent nonsense');
    return answer as VpciCompletion;
  }

  /** What the host said in band. */
  heard(): VpciMessage[] {
    return this.channel
      .readAll()
      .flatMap((got) => (got.type === 'inband' ? [opened<VpciMessage>(VPCI, got.payload)] : []));
  }

  /** As a PCI driver does it, up to D0. */
  probed(): this {
    this.ask({ name: 'queryProtocolVersion', version: 0x10004 });
    this.channel.send(VPCI, { name: 'queryBusRelations' });
    this.heard();
    this.ask({ name: 'busD0Entry', mmioBase: 0xf8000000n });
    return this;
  }

  letGo(): void {
    this.channel.send(VPCI, { name: 'ejectionComplete', slot: 2, status: 0 } as { name: string });
  }

  /** Closes the channel and releases it, as the guest does after a rescind. */
  release(): void {
    this.channel.close();
    this.guest.post({ name: 'relidReleased', childRelid: this.relid } satisfies VmbusMessage);
  }
}
