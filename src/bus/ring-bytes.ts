/**
 * A ring in guest memory, byte for byte.
 * Source: linux/hyperv.h, struct hv_ring_buffer; drivers/hv/ring_buffer.c; reference C.2.
 * What this leaves out: the guest's cached indices (one step runs at a time, so nothing moves between check and use).
 * Whatever the other side wrote into the header is checked at each use and comes back as a value.
 */
import { setU32 } from '../wire/layout.ts';
import type { Malformed } from '../wire/message.ts';
import {
  decodeRingPacket,
  RING_DESCRIPTOR_SIZE,
  RING_TRAILER_SIZE,
  type RingPacketHead,
  writeRingPacket,
} from '../wire/ring-packet.ts';
import { type GuestMemory, PAGE_SIZE } from './memory.ts';
import { type ReadPacket, RING_INDICES, type RingPacket } from './packet.ts';
import type { RingStore } from './ring.ts';

/** Words of struct hv_ring_buffer. */
export const RING_HEADER = {
  writeIndex: 0,
  readIndex: 4,
  interruptMask: 8,
  pendingSendSize: 12,
  featureBits: 64,
} as const;
/** linux/hyperv.h: feat_pending_send_sz, bit 0 of the feature bits. */
const FEATURE_PENDING_SEND_SIZE = 1;

/** Byte 4 of a descriptor: its length in units of 8. */
const LENGTH_OFFSET = 4;

export class RingBytes implements RingStore {
  readonly dataSize: number;
  private readonly memory: GuestMemory;
  /** The pages of the ring, header first; contiguous ones as the first only. */
  private readonly pages: readonly number[];
  private readonly contiguous: boolean;
  /** Where in its chunk the header is. */
  private readonly headerAt: number;
  private view: DataView | undefined;
  private generation = -1;

  constructor(memory: GuestMemory, pfns: readonly number[]) {
    this.memory = memory;
    this.pages = pfns;
    this.contiguous = pfns.every((pfn, i) => pfn === (pfns[0] as number) + i);
    this.dataSize = (pfns.length - 1) * PAGE_SIZE;
    this.headerAt = memory.spanOffset((pfns[0] as number) * PAGE_SIZE);
  }

  /** What hv_ringbuffer_init() does. */
  reset(): void {
    for (const offset of Object.values(RING_HEADER)) this.setHeader(offset, 0);
    this.setHeader(RING_HEADER.featureBits, FEATURE_PENDING_SEND_SIZE);
  }

  used(): number | undefined {
    const write = this.header(RING_HEADER.writeIndex);
    const read = this.header(RING_HEADER.readIndex);
    if (!this.isIndex(write) || !this.isIndex(read)) return undefined;
    return write >= read ? write - read : this.dataSize - read + write;
  }

  get masked(): boolean {
    return this.header(RING_HEADER.interruptMask) !== 0;
  }

  set masked(masked: boolean) {
    this.setHeader(RING_HEADER.interruptMask, masked ? 1 : 0);
  }

  get pendingSize(): number {
    // Some guests set the low bits: openvmm masks them, and so do we (anchors 1.5).
    return this.header(RING_HEADER.pendingSendSize) & ~7;
  }

  set pendingSize(bytes: number) {
    this.setHeader(RING_HEADER.pendingSendSize, bytes);
  }

  get featurePending(): boolean {
    return (this.header(RING_HEADER.featureBits) & FEATURE_PENDING_SEND_SIZE) !== 0;
  }

  push(packet: RingPacket, size: number): void {
    const { payload, protocol } = packet;
    const bytes = (payload instanceof Uint8Array ? payload : protocol?.encode(payload)) as Uint8Array;
    const at = this.header(RING_HEADER.writeIndex);
    const gpa = this.gpa(at);
    const span = size <= this.run(at) ? this.memory.span(gpa, size) : undefined;
    if (span !== undefined) {
      writeWhole(packet, bytes, span, this.memory.spanOffset(gpa), size, at);
    } else {
      const whole = new Uint8Array(size);
      writeWhole(packet, bytes, whole, 0, size, at);
      this.copyIn(at, whole);
    }
    this.setHeader(RING_HEADER.writeIndex, (at + size) % this.dataSize);
  }

  pop(used: number | undefined): ReadPacket {
    if (used === undefined) return this.broken('an index outside of the ring');
    const at = this.header(RING_HEADER.readIndex);
    // A descriptor begins at a multiple of 8, so its first 8 bytes never wrap.
    const length = (this.memory.readU32(this.gpa(at) + LENGTH_OFFSET) & 0xffff) * 8;
    const whole = length + RING_TRAILER_SIZE;
    if (length < RING_DESCRIPTOR_SIZE || whole > used) {
      return this.broken(`a packet of ${length} bytes where ${used} are used`);
    }
    const packet = this.decode(at, length);
    this.setHeader(RING_HEADER.readIndex, (at + whole) % this.dataSize);
    return packet;
  }

  /** Nothing beside what is in guest memory. */
  save(): undefined {
    return undefined;
  }

  restore(): void {}

  private decode(at: number, length: number): ReadPacket {
    const gpa = this.gpa(at);
    const span = length <= this.run(at) ? this.memory.span(gpa, length) : undefined;
    if (span === undefined) return decodeRingPacket(this.copyOut(at, length));
    const from = this.memory.spanOffset(gpa);
    const packet = decodeRingPacket(span.subarray(from, from + length));
    // The bytes in the ring will be written over; the payload must not change then.
    if (!('problem' in packet)) (packet as { payload: Uint8Array }).payload = packet.payload.slice();
    return packet;
  }

  private broken(what: string): Malformed {
    return {
      name: 'malformed',
      protocol: RING_INDICES,
      problem: 'invalid',
      type: undefined,
      size: this.dataSize,
      expected: undefined,
      what,
    };
  }

  private isIndex(index: number): boolean {
    return index < this.dataSize && index % 8 === 0;
  }

  private header(offset: number): number {
    return this.headerView().getUint32(this.headerAt + offset, true);
  }

  private setHeader(offset: number, value: number): void {
    this.headerView().setUint32(this.headerAt + offset, value, true);
  }

  /** The header is looked at a dozen times a packet, so its chunk is kept at hand. */
  private headerView(): DataView {
    if (this.view === undefined || this.generation !== this.memory.generation) {
      this.view = this.memory.chunkAt((this.pages[0] as number) * PAGE_SIZE).view;
      this.generation = this.memory.generation;
    }
    return this.view;
  }

  /** How many bytes of the data from `at` on lie behind one another in memory. */
  private run(at: number): number {
    return this.contiguous ? this.dataSize - at : PAGE_SIZE - (at % PAGE_SIZE);
  }

  private gpa(at: number): number {
    if (this.contiguous) return ((this.pages[0] as number) + 1) * PAGE_SIZE + at;
    return (this.pages[1 + Math.floor(at / PAGE_SIZE)] as number) * PAGE_SIZE + (at % PAGE_SIZE);
  }

  private copyIn(from: number, bytes: Uint8Array): void {
    let at = from;
    for (let done = 0; done < bytes.length; ) {
      const part = Math.min(bytes.length - done, this.run(at));
      this.memory.write(this.gpa(at), part === bytes.length ? bytes : bytes.subarray(done, done + part));
      done += part;
      at = (at + part) % this.dataSize;
    }
  }

  private copyOut(from: number, length: number): Uint8Array {
    const first = Math.min(length, this.run(from));
    if (first === length) return this.memory.read(this.gpa(from), length);
    const out = new Uint8Array(length);
    let at = from;
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, this.run(at));
      out.set(this.memory.read(this.gpa(at), part), done);
      done += part;
      at = (at + part) % this.dataSize;
    }
    return out;
  }
}

/** A packet and its trailer: low half 0, high half the index at which the packet began. */
function writeWhole(
  head: RingPacketHead,
  payload: Uint8Array,
  to: Uint8Array,
  base: number,
  size: number,
  index: number,
): void {
  writeRingPacket(head, payload, to, base);
  setU32(to, base + size - RING_TRAILER_SIZE, 0);
  setU32(to, base + size - RING_TRAILER_SIZE + 4, index);
}
