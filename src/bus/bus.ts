/**
 * Where host and guest meet, and nowhere else. The guest's half: hypercalls, rings, pages, PCI functions. The host's
 * half: messages, interrupts, mailboxes. What a CPU can reach is also there as a plain call (`deliver...`), which
 * touches the bus's state and puts something in a mailbox: that is how a real kernel drives the same host.
 * What this leaves out: several processors, monitor pages (every signal is a hypercall), guest-chosen event ports.
 */
import { assert } from '../base/assert.ts';
import type { Doorbell } from '../sim/doorbell.ts';
import type { Operation } from '../sim/operation.ts';
import { Place } from '../sim/place.ts';
import type { Simulation } from '../sim/simulation.ts';
import { HV_STATUS } from '../wire/synic.ts';
import { VMBUS, type VmbusMessage } from '../wire/vmbus.ts';
import { type GpadlRecord, GpadlTable } from './gpadl.ts';
import { EventFlags } from './interrupts.ts';
import { type BusItem, type HvStatus, Mailbox, type MailboxRecord, type MailItem } from './mailbox.ts';
import { GuestMemory, type MemoryRecord, PAGE_SIZE, type Payload, type Transport } from './memory.ts';
import { type FunctionRecord, PciFunction } from './pci-function.ts';
import { Ring, type RingRecord } from './ring.ts';
import { RingBytes } from './ring-bytes.ts';
import { RingValues } from './ring-values.ts';
import { Synic, type SynicRecord } from './synic.ts';

/** The two rings of a channel, in one contiguous piece of guest memory. */
export interface RingPair {
  readonly firstPfn: number;
  /** Of both rings together, headers included. */
  readonly pages: number;
  /** Page at which the host-to-guest ring begins. */
  readonly downstreamPageOffset: number;
  readonly toHost: Ring;
  readonly toGuest: Ring;
}

/** The mailbox of the VMBus server, to which hypercall messages go. */
export const CONTROL_MAILBOX = 'host.vmbus';

/** The connection id that SIGNAL_EVENT names for a channel, as the channel's offer says. The numbering is invented. */
export const signalConnection = (relid: number): number => 0x10000 + relid;

interface RingPlace {
  /** The channel whose rings they are, as reports name it. Where they lie is chance: who allocated before. */
  readonly of: string;
  readonly pfns: readonly number[];
  readonly downstreamPageOffset: number;
  /** The channel that they were adopted for: found in the memory of a real guest, which does not say when it has freed
   * them. Undefined for rings that were made here. */
  readonly adoptedFor: number | undefined;
}

export interface BusRecord {
  readonly memory: MemoryRecord;
  readonly gpadls: GpadlRecord;
  readonly synic: SynicRecord;
  readonly flags: readonly number[];
  readonly mailboxes: readonly (readonly [string, MailboxRecord<MailItem>])[];
  readonly functions: readonly (readonly [string, FunctionRecord])[];
  readonly routes: readonly (readonly [number, string])[];
  readonly connections: readonly number[];
  readonly rings: readonly (readonly [
    number,
    RingPlace & { readonly toHost: RingRecord; readonly toGuest: RingRecord },
  ])[];
}

export class Bus {
  readonly memory: GuestMemory;
  readonly gpadls: GpadlTable;
  readonly synic: Synic;
  readonly functions: ReadonlyMap<string, PciFunction>;
  readonly flags: EventFlags;
  readonly transport: Transport;
  private readonly sim: Simulation;
  private readonly mailboxes = new Map<string, Mailbox>();
  private readonly ownFunctions = new Map<string, PciFunction>();
  private readonly rings = new Map<number, RingPair & RingPlace>();
  /** Which worker serves a channel. */
  private readonly routes = new Map<number, string>();
  /** For {@link routes}. */
  private readonly routing: Place;
  /** Connection ids that lead to the VMBus server. */
  private readonly connections = new Set<number>();

  constructor(sim: Simulation, transport: Transport, memory: GuestMemory = new GuestMemory(transport)) {
    assert(memory.transport === transport, `memory for ${memory.transport} on a bus for ${transport}`);
    this.sim = sim;
    this.transport = transport;
    this.memory = memory;
    this.gpadls = new GpadlTable(memory);
    this.synic = new Synic(sim, memory);
    this.flags = new EventFlags(sim);
    this.routing = new Place(sim);
    this.functions = this.ownFunctions;
  }

  // -- the guest's half --

  /** Hypercall POST_MESSAGE. A connection that leads nowhere is refused by the hypervisor. */
  postMessage(connectionId: number, message: VmbusMessage | Uint8Array): Operation<HvStatus> {
    return this.postMessages(connectionId, [message]);
  }

  /** Several of them in one step: a GPADL header with its bodies. */
  postMessages(connectionId: number, messages: readonly (VmbusMessage | Uint8Array)[]): Operation<HvStatus> {
    const control = this.mailbox(CONTROL_MAILBOX);
    if (!this.connections.has(connectionId)) return control.refuseCall(HV_STATUS.invalidConnectionId);
    const payloads = messages.map((message) => this.posted(message));
    const [first] = payloads;
    const item: BusItem =
      payloads.length === 1 && first !== undefined
        ? { what: 'message', connection: connectionId, message: first }
        : { what: 'messages', connection: connectionId, messages: payloads };
    return control.call([item]);
  }

  /** Hypercall SIGNAL_EVENT: tells the host that a channel's ring has something. */
  signalEvent(relid: number): Operation<HvStatus> {
    this.routing.read();
    const worker = this.routes.get(relid);
    if (worker === undefined) return this.mailbox(CONTROL_MAILBOX).refuseCall(HV_STATUS.invalidConnectionId);
    return this.mailbox(worker).call([{ what: 'signal', channel: relid }]);
  }

  /** Allocates and initialises the rings of a channel; `pages` is for each of them, its header page included. */
  createRings(of: string, pages: number): RingPair {
    assert(pages >= 2, `a ring of ${pages} pages has no room for data`);
    const firstPfn = this.memory.allocate(2 * pages);
    const pfns: number[] = [];
    for (let pfn = firstPfn; pfn < firstPfn + 2 * pages; pfn++) pfns.push(pfn);
    const pair = this.makeRings({ of, pfns, downstreamPageOffset: pages, adoptedFor: undefined });
    this.resetRings(pair);
    return pair;
  }

  /** Empties the rings for a channel that is to be opened again with them. */
  resetRings(pair: RingPair): void {
    pair.toHost.reset();
    pair.toGuest.reset();
  }

  freeRings(pair: RingPair): void {
    assert(this.rings.delete(pair.firstPfn), `the rings at page ${pair.firstPfn} are not there`);
    // A host that was not told writes into nothing.
    pair.toHost.abandon();
    pair.toGuest.abandon();
    this.memory.free(pair.firstPfn, pair.pages);
  }

  listen(relid: number, bell: Doorbell): void {
    this.flags.listen(relid, bell);
  }

  unlisten(relid: number): void {
    this.flags.unlisten(relid);
  }

  // -- what a CPU reaches: the same without an operation --

  deliverPost(connectionId: number, payload: Uint8Array): HvStatus {
    if (!this.connections.has(connectionId)) return HV_STATUS.invalidConnectionId;
    this.mailbox(CONTROL_MAILBOX).inject({ what: 'message', connection: connectionId, message: payload });
    return HV_STATUS.success;
  }

  deliverSignal(connectionId: number): HvStatus {
    const relid = connectionId - signalConnection(0);
    const worker = this.routes.get(relid);
    if (worker === undefined) return HV_STATUS.invalidConnectionId;
    this.mailbox(worker).inject({ what: 'signal', channel: relid });
    // The signal may as well say that there is room again for somebody who waits to write.
    for (const pair of this.rings.values()) pair.toGuest.poke();
    return HV_STATUS.success;
  }

  /** A function was made to send a frame; nothing when there is no such function. */
  deliverFrame(name: string, frame: Uint8Array): void {
    this.ownFunctions.get(name)?.deliverFrame(frame);
  }

  /** The guest lets go of a function's slot. */
  deliverEjected(name: string): void {
    this.ownFunctions.get(name)?.deliverEjected();
  }

  // -- the host's half --

  mailbox<T extends MailItem = BusItem>(name: string): Mailbox<T> {
    let mailbox = this.mailboxes.get(name);
    if (mailbox === undefined) {
      mailbox = new Mailbox(this.sim, name);
      this.mailboxes.set(name, mailbox);
    }
    return mailbox as unknown as Mailbox<T>;
  }

  /** The function of that name; made, absent, when it is asked for first. `owner` is the mailbox its frames go to. */
  function(name: string, owner: string): PciFunction {
    let made = this.ownFunctions.get(name);
    if (made === undefined) {
      made = new PciFunction(this.sim, name, this.mailbox(owner));
      this.ownFunctions.set(name, made);
    }
    return made;
  }

  /** Lets messages to a connection id through to the VMBus server. */
  connect(connectionId: number): void {
    this.connections.add(connectionId);
  }

  /** Sends a channel's signals to a worker. */
  route(relid: number, worker: string): void {
    this.routing.write();
    this.routes.set(relid, worker);
  }

  unroute(relid: number): void {
    this.routing.write();
    this.routes.delete(relid);
  }

  /**
   * The rings behind a GPADL, ready to be used: the guest's own pair, or over the memory of a real guest a pair that
   * is made here. Undefined when the handle or the split makes no sense.
   */
  ringsAt(gpadl: number, downstreamPageOffset: number, relid = 0): RingPair | undefined {
    const size = this.gpadls.sizeOf(gpadl);
    const first = this.gpadls.gpaOf(gpadl, 0);
    if (size === undefined || first === undefined) return undefined;
    const pages = size / PAGE_SIZE;
    if (downstreamPageOffset < 2 || pages - downstreamPageOffset < 2) return undefined;
    let pair: (RingPair & RingPlace) | undefined = this.rings.get(first / PAGE_SIZE);
    if (pair?.pages !== pages || pair.downstreamPageOffset !== downstreamPageOffset || pair.adoptedFor !== undefined) {
      if ((pair !== undefined && pair.adoptedFor === undefined) || this.transport === 'direct') return undefined;
      pair = this.adoptRings(gpadl, pages, downstreamPageOffset, relid);
    }
    pair.toHost.reopen();
    pair.toGuest.reopen();
    return pair;
  }

  /** The rings that begin at a page, while the guest has them. */
  pairAt(firstPfn: number): RingPair | undefined {
    return this.rings.get(firstPfn);
  }

  /** Rings the bell that the guest has hung up for the channel. */
  interrupt(relid: number): Operation<void> {
    return this.flags.interrupt(relid);
  }

  /** Everything that belongs to the bus, as plain records. */
  save(): BusRecord {
    return {
      memory: this.memory.save(),
      gpadls: this.gpadls.save(),
      synic: this.synic.save(),
      flags: this.flags.save(),
      mailboxes: [...this.mailboxes].map(([name, mailbox]) => [name, mailbox.save()]),
      functions: [...this.ownFunctions].map(([name, it]) => [name, it.save()]),
      routes: [...this.routes],
      connections: [...this.connections],
      rings: [...this.rings].map(([pfn, { of, pfns, downstreamPageOffset, adoptedFor, toHost, toGuest }]) => [
        pfn,
        { of, pfns, downstreamPageOffset, adoptedFor, toHost: toHost.save(), toGuest: toGuest.save() },
      ]),
    };
  }

  /** Takes over a saved state. Objects that are there keep their identity, so that the guest's references stay good. */
  load(record: BusRecord): void {
    this.memory.restore(record.memory);
    this.gpadls.restore(record.gpadls);
    this.synic.restore(record.synic);
    this.flags.restore(record.flags);
    for (const mailbox of this.mailboxes.values()) mailbox.restore({ items: [], refused: [] });
    for (const [name, mailbox] of record.mailboxes) this.mailbox(name).restore(mailbox);
    for (const [name, it] of record.functions) this.function(name, it.owner).restore(it);
    this.routes.clear();
    for (const [relid, worker] of record.routes) this.routes.set(relid, worker);
    this.connections.clear();
    for (const id of record.connections) this.connections.add(id);
    for (const pfn of this.rings.keys()) if (!record.rings.some(([at]) => at === pfn)) this.rings.delete(pfn);
    for (const [pfn, saved] of record.rings) {
      const pair = this.rings.get(pfn) ?? this.makeRings(saved);
      pair.toHost.restore(saved.toHost);
      pair.toGuest.restore(saved.toGuest);
    }
  }

  private posted(message: VmbusMessage | Uint8Array): Payload {
    return message instanceof Uint8Array || this.transport === 'direct' ? message : VMBUS.encode(message);
  }

  /** A pair over pages that a real guest has shown; the one that the channel had before is forgotten. */
  private adoptRings(gpadl: number, pages: number, downstreamPageOffset: number, relid: number): RingPair & RingPlace {
    for (const [pfn, { adoptedFor }] of this.rings) if (adoptedFor === relid) this.rings.delete(pfn);
    const pfns = Array.from({ length: pages }, (_, i) => (this.gpadls.gpaOf(gpadl, i * PAGE_SIZE) ?? 0) / PAGE_SIZE);
    return this.makeRings({ of: `channel ${relid}`, pfns, downstreamPageOffset, adoptedFor: relid });
  }

  private makeRings(place: RingPlace): RingPair & RingPlace {
    const { of, pfns, downstreamPageOffset, adoptedFor } = place;
    const firstPfn = pfns[0] as number;
    const ring = (name: string, part: readonly number[]): Ring => {
      const store = this.transport === 'bytes' ? new RingBytes(this.memory, part) : new RingValues(part.length);
      return new Ring(this.sim, `ring of ${of} ${name}`, store);
    };
    const pair = {
      of,
      firstPfn,
      pfns,
      pages: pfns.length,
      downstreamPageOffset,
      adoptedFor,
      toHost: ring('to host', pfns.slice(0, downstreamPageOffset)),
      toGuest: ring('to guest', pfns.slice(downstreamPageOffset)),
    };
    // A real guest that waits there for room cannot be seen, and gets a signal.
    if (adoptedFor !== undefined) pair.toHost.onSpace = () => this.flags.onRaise?.(adoptedFor);
    this.rings.set(firstPfn, pair);
    return pair;
  }
}
