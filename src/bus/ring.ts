/**
 * One direction of a channel: one object for both of its ends.
 * Source of the rules (full, empty, when to signal): drivers/hv/ring_buffer.c; reference C.2.
 * What this leaves out: the single loads and stores of the index protocol, which are searched as a program of their
 * own; here a write and a read are one step each.
 */
import type { Context } from '../sim/context.ts';
import { type Footprint, HEAD, itemPart } from '../sim/footprint.ts';
import { Operation, type Peek, SharedObject } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { packetSize } from '../wire/ring-packet.ts';
import { payloadSize } from './memory.ts';
import type { ReadPacket, RingPacket } from './packet.ts';

/** Where the packets of a ring are kept. Everything that decides stands in {@link Ring}. */
export interface RingStore {
  readonly dataSize: number;
  /** Bytes that wait to be read; undefined when the indices in memory make no sense. */
  used(): number | undefined;
  /** interrupt_mask: the reader is awake and wants no signal. */
  masked: boolean;
  /** pending_send_sz: a writer waits for so many free bytes. */
  pendingSize: number;
  /** Whether both sides know {@link pendingSize}. */
  readonly featurePending: boolean;
  push(packet: RingPacket, size: number): void;
  /** Called when something waits to be read, or when the indices are broken; `used` is what {@link used} has just said. */
  pop(used: number | undefined): ReadPacket;
  reset(): void;
  save(): unknown;
  restore(record: unknown): void;
}

/** What became of a write: `signal` says that the other side sleeps and must be woken; a `shut` ring takes nothing. */
export type Written = 'full' | 'signal' | 'quiet' | 'shut';

export class Ring extends SharedObject {
  readonly store: RingStore;
  /** Called when a read frees the space that a writer outside of the simulation waits for. */
  onSpace: (() => void) | undefined;
  private shutDown = false;
  /** Packets that were written and read; numbers for footprints. */
  private written = 0;
  /** The bytes that were there when time last moved, and those written since: reads do not change that. */
  private most = 0;
  private mostAt = -1;
  private taken = 0;

  constructor(sim: Simulation, name: string, store: RingStore) {
    super(sim, name);
    this.store = store;
  }

  write(packet: RingPacket): Operation<Written> {
    return new Operation(this, 'write', packet);
  }

  /** Waits until the packet fits. */
  writeWhenFree(packet: RingPacket): Operation<Exclude<Written, 'full'>> {
    return new Operation(this, 'writeWhenFree', packet);
  }

  /**
   * The next packet; undefined when there is none, and then the reader has asked for a signal in the same step, so
   * that none is lost between the look and the sleep.
   */
  read(): Operation<ReadPacket | undefined> {
    return new Operation(this, 'read');
  }

  /** Lets go whoever waits to write: the channel is closed and nobody will read. */
  shut(): Operation<void> {
    return new Operation(this, 'shut');
  }

  /** Empties the ring for a channel that is to be opened. */
  reset(): void {
    this.store.reset();
    this.taken = this.written;
    this.reopen();
  }

  reopen(): void {
    this.shutDown = false;
    this.touchBothEnds();
    this.changed();
  }

  /** As {@link shut}, for a ring whose memory is given back. */
  abandon(): void {
    this.shutDown = true;
    this.touchBothEnds();
    this.changed();
  }

  /** Looks again after memory was changed by somebody outside: the CPU of a real guest. */
  poke(): void {
    this.changed();
  }

  /** Bytes that can be written now. */
  get free(): number {
    return this.store.dataSize - (this.store.used() ?? this.store.dataSize);
  }

  get isEmpty(): boolean {
    return this.store.used() === 0;
  }

  override arrive(operation: Operation): void {
    if (operation.kind !== 'writeWhenFree' || this.enabled(operation)) return;
    this.store.pendingSize = Math.max(this.store.pendingSize, sizeOf(operation.arg as RingPacket));
  }

  enabled(operation: Operation): boolean {
    if (operation.kind !== 'writeWhenFree') return true;
    return this.shutDown || fits(sizeOf(operation.arg as RingPacket), this.free);
  }

  perform(operation: Operation, context: Context): Written | ReadPacket | undefined {
    switch (operation.kind) {
      case 'read':
        return this.take();
      case 'shut':
        this.shutDown = true;
        return undefined;
      case 'writeWhenFree':
        this.forgetWaiter(context);
        return this.put(operation.arg as RingPacket);
      default:
        return this.put(operation.arg as RingPacket);
    }
  }

  /**
   * Writes are in one order and reads are in one. A write and a read meet only at one packet: whether the reader found
   * nothing and went to sleep is what a write learns; and where a writer may find no room, at every read.
   */
  override touch(operation: Operation, footprint: Footprint): void {
    const { place } = this;
    switch (operation.kind) {
      case 'read':
        footprint.write(place, HEAD);
        footprint.write(place, itemPart(this.taken));
        break;
      case 'shut':
        footprint.write(place);
        footprint.write(place, HEAD);
        break;
      default:
        footprint.write(place);
        footprint.write(place, itemPart(this.written));
        if (this.isNearlyFull(sizeOf(operation.arg as RingPacket))) footprint.write(place, HEAD);
    }
  }

  peek(): Peek {
    return this.shutDown ? 'shut' : (this.store.used() ?? 'broken');
  }

  save(): RingRecord {
    return { shut: this.shutDown, store: this.store.save() };
  }

  restore(record: RingRecord): void {
    this.shutDown = record.shut;
    this.store.restore(record.store);
    this.changed();
  }

  private touchBothEnds(): void {
    this.sim.footprint?.write(this.place);
    this.sim.footprint?.write(this.place, HEAD);
  }

  /** Whether it could be full, were nothing read since time last moved: then what is read matters to a write. */
  private isNearlyFull(size: number): boolean {
    this.countAnew();
    return !this.sim.isTimed || this.most + size >= this.store.dataSize;
  }

  private countAnew(): void {
    if (this.mostAt === this.sim.clock.now) return;
    this.mostAt = this.sim.clock.now;
    this.most = this.store.used() ?? this.store.dataSize;
  }

  private put(packet: RingPacket): Written {
    // In steps too whose touches nobody notes: a search notes none where it only repeats how a run began.
    this.countAnew();
    if (this.shutDown) return 'shut';
    const { store } = this;
    const size = sizeOf(packet);
    const used = store.used();
    if (used === undefined || !fits(size, store.dataSize - used)) return 'full';
    store.push(packet, size);
    this.written++;
    this.most += size;
    return used === 0 && !store.masked ? 'signal' : 'quiet';
  }

  private take(): ReadPacket | undefined {
    this.countAnew();
    const { store } = this;
    const used = store.used();
    store.masked = used !== 0;
    if (used === 0) return undefined;
    const packet = store.pop(used);
    this.taken++;
    const wanted = store.pendingSize;
    if (wanted !== 0 && used !== undefined) this.wakeWriter(wanted, store.dataSize - used);
    return packet;
  }

  /** hv_pkt_iter_close(): a writer is woken when the free space crosses what it waits for, and only then. */
  private wakeWriter(wanted: number, freeBefore: number): void {
    if (this.store.featurePending && !fits(wanted, freeBefore) && fits(wanted, this.free)) this.onSpace?.();
  }

  private forgetWaiter(context: Context): void {
    let wanted = 0;
    for (const other of this.pending) {
      const waiting = other !== context && other.operation?.kind === 'writeWhenFree';
      if (waiting) wanted = Math.max(wanted, sizeOf(other.operation?.arg as RingPacket));
    }
    if (this.store.pendingSize !== wanted) this.store.pendingSize = wanted;
  }
}

export interface RingRecord {
  readonly shut: boolean;
  readonly store: unknown;
}

const sizeOf = (packet: RingPacket): number => packetSize(packet, payloadSize(packet.payload, packet.protocol));

/** A ring never fills to the last byte: equal indices mean that it is empty. */
const fits = (size: number, free: number): boolean => free > size;
