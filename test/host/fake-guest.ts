/**
 * A guest that speaks only when a test says so: each rung of the ladder (connected, open, negotiated, RNDIS ready) is
 * one call, and what the host says is collected. It can be made to live through a host that is saved and loaded at
 * every point where nothing can run.
 */

import { manaVf } from '../../devices/mana.ts';
import { mlx5Vf } from '../../devices/mlx5.ts';
import { ws2022 } from '../../devices/ws2022.ts';
import { mac } from '../../src/base/mac.ts';
import { loadRecord, saveRecord } from '../../src/base/snapshot.ts';
import { ms, type Nanoseconds } from '../../src/base/time.ts';
import { Bus, type BusRecord, type RingPair } from '../../src/bus/bus.ts';
import { type AnyProtocol, openPayload, type Payload, type Transport } from '../../src/bus/memory.ts';
import { isPacket } from '../../src/bus/packet.ts';
import type { HostAction } from '../../src/host/action.ts';
import { Host, type HostRecord } from '../../src/host/host.ts';
import type { Catalogue, HostNic, VfSlots } from '../../src/host/plan.ts';
import { Latency } from '../../src/sim/latency.ts';
import type { Operation, Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { Strategy } from '../../src/sim/strategy.ts';
import type { Event, EventKind, EventOf } from '../../src/trace/event.ts';
import { keep, Recorder } from '../../src/trace/recorder.ts';
import { isMalformed } from '../../src/wire/message.ts';
import { PageList } from '../../src/wire/page-list.ts';
import type { VmbusMessage } from '../../src/wire/vmbus.ts';

export const catalogue: Catalogue = { vfs: [mlx5Vf, manaVf], synthetics: [ws2022] };
export const nic1: HostNic = {
  name: 'nic1',
  mac: mac('00:0d:3a:12:34:56'),
  vf: 'mlx5',
  synthetic: 'ws2022',
  serial: 2,
  pciSerial: 2,
};
export const nic2: HostNic = { ...nic1, name: 'nic2', mac: mac('00:0d:3a:12:34:57'), serial: 3, pciSerial: 3 };

/** What is more than any answer of the host takes, and less than any of its delays. */
const SOON = ms(5);

export interface Options {
  readonly transport?: Transport;
  readonly nics?: readonly HostNic[];
  readonly latency?: Readonly<Record<string, Nanoseconds>>;
  /** Saves, ends and rebuilds the host at every quiescent point. */
  readonly reborn?: boolean;
  readonly strategy?: Strategy;
  readonly vfSlots?: VfSlots;
}

export class FakeGuest {
  readonly sim: Simulation;
  readonly bus: Bus;
  host: Host;
  readonly events: readonly Event[];
  readonly messages: VmbusMessage[] = [];
  rebirths = 0;
  private readonly options: Options;
  private nextGpadl = 0xe1e10;

  constructor(options: Options = {}) {
    this.options = options;
    const trace = new Recorder();
    this.events = keep(trace);
    this.sim = new Simulation(trace, options.strategy);
    this.bus = new Bus(this.sim, options.transport ?? 'bytes');
    this.host = this.newHost();
    this.sim.spawn('message pump', 'guest', this.pump(), { daemon: true });
  }

  /** Lets the machine go on for a span of time. */
  settle(span: Nanoseconds = SOON): void {
    const until = this.sim.now + span;
    for (;;) {
      this.sim.run({ until, enough: () => this.sim.quiescent });
      if (this.options.reborn === true) this.rebirth();
      const deadline = this.sim.clock.nextDeadline();
      if (deadline === undefined || deadline > until) break;
      this.sim.run({ until, enough: () => !this.sim.quiescent });
    }
    this.sim.run({ until });
    this.sim.clock.now = until;
  }

  now<T>(operation: Operation<T>): T {
    return this.soon(
      (function* () {
        return yield* operation;
      })(),
    );
  }

  /** Runs a task that has to end soon. */
  soon<T>(task: Task<T>): T {
    const ended: { value: T }[] = [];
    this.sim.spawn(
      'test',
      'guest',
      (function* () {
        ended.push({ value: yield* task });
      })(),
    );
    this.settle();
    const [first] = ended;
    if (first === undefined) throw new Error('a task of the test waits');
    return first.value;
  }

  act(action: HostAction): string {
    return this.soon(this.host.act(action))?.refused ?? 'taken up';
  }

  post(message: VmbusMessage | Uint8Array, connection = 4): void {
    this.now(this.bus.postMessage(connection, message));
  }

  /** The first message of that name that has not been looked at yet. */
  take<N extends VmbusMessage['name']>(name: N): Extract<VmbusMessage, { name: N }> {
    const at = this.messages.findIndex((message) => message.name === name);
    if (at === -1) throw new Error(`no ${name} among ${this.messages.map((message) => message.name).join(', ')}`);
    return this.messages.splice(at, 1)[0] as Extract<VmbusMessage, { name: N }>;
  }

  contact(version = 0x50003, connection = 4): boolean {
    this.post(
      { name: 'initiateContact', version, targetVcpu: 0, interruptPage: 2n, monitorPage1: 0n, monitorPage2: 0n },
      connection,
    );
    return this.take('versionResponse').supported === 1;
  }

  /** Connected, and knows what there is. */
  connect(): this {
    this.contact();
    this.post({ name: 'requestOffers' });
    this.take('allOffersDelivered');
    return this;
  }

  gpadl(relid: number, pfns: readonly number[]): number {
    const gpadl = this.nextGpadl++;
    const [head, rest] = [pfns.slice(0, 26), pfns.slice(26)];
    const messages: VmbusMessage[] = [
      {
        name: 'gpadlHeader',
        childRelid: relid,
        gpadl,
        rangeBuflen: 8 + 8 * pfns.length,
        rangeCount: 1,
        byteCount: pfns.length * 4096,
        byteOffset: 0,
        pfns: PageList.of(head),
      },
    ];
    for (let i = 0; i < rest.length; i += 28) {
      messages.push({ name: 'gpadlBody', messageNumber: 0, gpadl, pfns: PageList.of(rest.slice(i, i + 28)) });
    }
    this.now(this.bus.postMessages(4, messages));
    return gpadl;
  }

  /** A GPADL over fresh pages. */
  buffer(relid: number, pages: number): { readonly gpadl: number; readonly gpa: number } {
    const first = this.bus.memory.allocate(pages);
    const gpadl = this.gpadl(
      relid,
      Array.from({ length: pages }, (_, i) => first + i),
    );
    if (this.take('gpadlCreated').status !== 0) throw new Error('the GPADL was refused');
    return { gpadl, gpa: first * 4096 };
  }

  open(relid: number, pages = 4): FakeChannel {
    const rings = this.bus.createRings(`channel ${relid}`, pages);
    const ringGpadl = this.gpadl(
      relid,
      Array.from({ length: rings.pages }, (_, i) => rings.firstPfn + i),
    );
    this.take('gpadlCreated');
    const userData = new Uint8Array(120);
    const { downstreamPageOffset } = rings;
    this.post({
      name: 'openChannel',
      childRelid: relid,
      openId: relid,
      ringGpadl,
      targetVp: 0,
      downstreamPageOffset,
      userData,
    });
    if (this.take('openChannelResult').status !== 0) throw new Error('the channel was not opened');
    return new FakeChannel(this, relid, rings);
  }

  told<K extends EventKind>(kind: K): EventOf<K>[] {
    return this.events.filter((event) => event.kind === kind) as unknown as EventOf<K>[];
  }

  /** What a kind of event told, in short. */
  story<K extends EventKind>(kind: K, line: (event: EventOf<K>) => string): string[] {
    return this.told(kind).map(line);
  }

  private newHost(): Host {
    const { nics = [nic1], latency = {}, vfSlots } = this.options;
    return new Host(
      this.sim,
      this.bus,
      { nics, ...(vfSlots === undefined ? {} : { vfSlots }) },
      catalogue,
      new Latency(latency),
    );
  }

  private rebirth(): void {
    const text = saveRecord({ host: this.host.save(), bus: this.bus.save() });
    const old = this.host;
    old.dispose();
    const record = loadRecord<{ host: HostRecord; bus: BusRecord }>(text);
    this.bus.load(record.bus);
    this.host = this.newHost();
    this.bus.load(record.bus);
    this.host.load(record.host, old);
    this.rebirths++;
  }

  private *pump(): Task {
    for (;;) {
      const message = yield* this.bus.synic.take();
      if (isMalformed(message)) throw new Error(`the host sent nonsense: ${message.what}`);
      this.messages.push(message);
    }
  }
}

/** What came out of a ring. */
export interface Got {
  readonly type: string;
  readonly transactionId: bigint;
  readonly completionRequested: boolean;
  readonly payload: Payload;
  readonly ranges: readonly { readonly byteCount: number; readonly byteOffset: number }[];
}

export class FakeChannel {
  readonly relid: number;
  readonly rings: RingPair;
  private readonly guest: FakeGuest;
  private nextId = 1n;

  constructor(guest: FakeGuest, relid: number, rings: RingPair) {
    this.guest = guest;
    this.relid = relid;
    this.rings = rings;
  }

  send(protocol: AnyProtocol, message: { readonly name: string }, transactionId = 0n): void {
    this.sendRaw(message, transactionId, protocol);
  }

  sendRaw(payload: Payload, transactionId = 0n, protocol?: AnyProtocol): void {
    const head = { type: 'inband', transactionId, completionRequested: transactionId !== 0n, payload } as const;
    this.guest.now(this.rings.toHost.write(protocol === undefined ? head : { ...head, protocol }));
    this.signal();
  }

  signal(): void {
    this.guest.now(this.guest.bus.signalEvent(this.relid));
  }

  /** Sends it, and gives the payload of the completion that came. */
  ask(protocol: AnyProtocol, message: { readonly name: string }): Payload {
    const id = this.nextId++;
    this.send(protocol, message, id);
    const got = this.readAll().find((one) => one.type === 'completion' && one.transactionId === id);
    if (got === undefined) throw new Error(`${message.name} was not completed`);
    return got.payload;
  }

  complete(transactionId: bigint, payload: Payload, protocol: AnyProtocol): void {
    this.guest.now(
      this.rings.toHost.write({ type: 'completion', transactionId, completionRequested: false, payload, protocol }),
    );
    this.signal();
  }

  readAll(): Got[] {
    const all: Got[] = [];
    for (;;) {
      const packet = this.guest.now(this.rings.toGuest.read());
      if (packet === undefined) return all;
      if (!isPacket(packet)) throw new Error(`the host sent nonsense: ${packet.what}`);
      const { type, transactionId, completionRequested, payload } = packet;
      const ranges = packet.type === 'transferPages' ? packet.transferPages.ranges : [];
      all.push({ type, transactionId, completionRequested, payload, ranges });
    }
  }

  close(): void {
    this.guest.post({ name: 'closeChannel', childRelid: this.relid });
  }
}

/** The message of a payload; nonsense throws. */
export function opened<T = { readonly name: string }>(protocol: AnyProtocol, payload: Payload): T {
  const message = openPayload(protocol, payload);
  if (isMalformed(message as { name: string })) throw new Error(`the host sent nonsense: ${saveRecord(message)}`);
  return message as T;
}
