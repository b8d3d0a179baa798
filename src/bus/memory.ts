import { assert } from '../base/assert.ts';
import type { Malformed, Protocol } from '../wire/message.ts';

/**
 * The guest's physical memory as far as the host can see it: pages that the guest hands out for rings, buffers and
 * packets. Sparse: chunks are made when they are first written.
 * Under `direct` a message is kept as a value by its address, so that a search does not pay for encoding it.
 * What this leaves out: the guest's own use of memory, protection, NUMA nodes.
 */

/** How messages cross the bus: as bytes in guest memory, or as the values themselves. */
export type Transport = 'bytes' | 'direct';

/** What lies in memory or in a ring: bytes, or under `direct` the message that they would be. */
export type Payload = Uint8Array | { readonly name: string };

/** A protocol whose messages are known to be the right ones by whoever holds both. */
// biome-ignore lint/suspicious/noExplicitAny: a protocol takes its own messages only, and no type says which those are
export type AnyProtocol = Protocol<any>;

export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);
export const PAGE_SIZE = 4096;
/** Pages beyond 2^40 have addresses that a double no longer holds exactly; no machine has them. */
const PFN_LIMIT = 2 ** 40;

const CHUNK_BITS = 16;
const CHUNK_SIZE = 1 << CHUNK_BITS;
/** Where allocation begins: above the first megabyte, which firmware owns on a PC. */
const FIRST_PFN = 0x100;

/** The message in a payload: bytes are decoded, values go through. */
export function openPayload<M extends { readonly name: string }>(
  protocol: Protocol<M>,
  payload: Payload,
): M | Malformed {
  return payload instanceof Uint8Array ? protocol.decode(payload) : (payload as M | Malformed);
}

/** What a payload stands for in bytes. */
export function payloadSize(payload: Payload, protocol: AnyProtocol | undefined): number {
  if (payload instanceof Uint8Array) return payload.length;
  assert(protocol !== undefined, `no protocol says how long a ${payload.name} is`);
  return protocol.size(payload);
}

/** Whether a page can exist. What a guest says about its pages is checked with this. */
export const isPage = (pfn: number): boolean => Number.isInteger(pfn) && pfn >= 0 && pfn < PFN_LIMIT;

/** 64 KiB of memory. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

interface Value {
  readonly message: { readonly name: string };
  readonly size: number;
}

/** Gives the 64 KiB at a chunk number of somebody else's memory: the RAM of an emulated CPU. */
export type Backing = (chunk: number) => Uint8Array | undefined;

export interface MemoryRecord {
  readonly chunks: ReadonlyMap<number, Uint8Array>;
  readonly values: ReadonlyMap<number, Value>;
  readonly nextPfn: number;
  readonly freed: ReadonlyMap<number, readonly number[]>;
}

export class GuestMemory {
  readonly transport: Transport;
  private readonly backing: Backing | undefined;
  private readonly chunks = new Map<number, Chunk>();
  private readonly values = new Map<number, Value>();
  /** Rises when chunks are replaced. */
  generation = 0;
  private nextPfn = FIRST_PFN;
  /** Freed runs by their length: the run that was freed last is handed out first, as by a real page allocator. */
  private readonly freed = new Map<number, number[]>();

  constructor(transport: Transport, backing?: Backing) {
    this.transport = transport;
    this.backing = backing;
  }

  /** The first of `pages` contiguous pages, all zero. */
  allocate(pages: number): number {
    assert(Number.isInteger(pages) && pages > 0, `${pages} pages cannot be allocated`);
    assert(this.backing === undefined, 'memory of a real guest is allocated by that guest');
    const again = this.freed.get(pages)?.pop();
    if (again !== undefined) return again;
    const first = this.nextPfn;
    this.nextPfn += pages;
    return first;
  }

  free(firstPfn: number, pages: number): void {
    const runs = this.freed.get(pages) ?? [];
    assert(!runs.includes(firstPfn), `page ${firstPfn} is freed twice`);
    runs.push(firstPfn);
    this.freed.set(pages, runs);
    this.clear(firstPfn * PAGE_SIZE, pages * PAGE_SIZE);
  }

  /** A copy of what is there; memory that was never written reads as zero. */
  read(gpa: number, length: number): Uint8Array {
    const at = gpa % CHUNK_SIZE;
    if (at + length <= CHUNK_SIZE) return this.find(gpa)?.bytes.slice(at, at + length) ?? new Uint8Array(length);
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const from = (gpa + done) % CHUNK_SIZE;
      const part = Math.min(length - done, CHUNK_SIZE - from);
      const chunk = this.find(gpa + done);
      if (chunk !== undefined) out.set(chunk.bytes.subarray(from, from + part), done);
      done += part;
    }
    return out;
  }

  write(gpa: number, bytes: Uint8Array): void {
    if (this.transport === 'direct') this.values.delete(gpa);
    for (let done = 0; done < bytes.length; ) {
      const from = (gpa + done) % CHUNK_SIZE;
      const part = Math.min(bytes.length - done, CHUNK_SIZE - from);
      const whole = part === bytes.length;
      this.make(gpa + done).bytes.set(whole ? bytes : bytes.subarray(done, done + part), from);
      done += part;
    }
  }

  /**
   * The bytes of the chunk that holds the whole piece, for whoever reads or writes in place at {@link spanOffset};
   * undefined when the piece crosses into the next chunk.
   */
  span(gpa: number, length: number): Uint8Array | undefined {
    return (gpa % CHUNK_SIZE) + length <= CHUNK_SIZE ? this.make(gpa).bytes : undefined;
  }

  /** Where in its chunk an address is. */
  spanOffset(gpa: number): number {
    return gpa % CHUNK_SIZE;
  }

  /** The chunk that holds an address, for whoever comes back to it often; good as long as {@link generation} stays. */
  chunkAt(gpa: number): Chunk {
    return this.make(gpa);
  }

  /** One aligned word; ring indices are read and written with these. */
  readU32(gpa: number): number {
    return this.find(gpa)?.view.getUint32(gpa % CHUNK_SIZE, true) ?? 0;
  }

  writeU32(gpa: number, value: number): void {
    this.make(gpa).view.setUint32(gpa % CHUNK_SIZE, value, true);
  }

  /** Puts a message at an address; gives the bytes that it takes. */
  store<M extends { readonly name: string }>(gpa: number, protocol: Protocol<M>, message: M): number {
    if (this.transport === 'direct') {
      const size = protocol.size(message);
      this.values.set(gpa, { message, size });
      return size;
    }
    if (protocol.encodeInto !== undefined) {
      const size = protocol.size(message);
      const span = this.span(gpa, size);
      if (span !== undefined) {
        protocol.encodeInto(message, span, this.spanOffset(gpa));
        return size;
      }
    }
    const bytes = protocol.encode(message);
    this.write(gpa, bytes);
    return bytes.length;
  }

  /** What stands at an address: under `direct` the message that was stored there, else bytes. */
  load(gpa: number, length: number): Payload {
    const value = this.values.get(gpa);
    if (value === undefined) return this.read(gpa, length);
    return value.size <= length ? value.message : cutShort(value, length);
  }

  save(): MemoryRecord {
    // Somebody else's memory is saved by its owner.
    const chunks = this.backing === undefined ? [...this.chunks] : [];
    return {
      chunks: new Map(chunks.map(([at, chunk]) => [at, chunk.bytes.slice()])),
      values: new Map(this.values),
      nextPfn: this.nextPfn,
      freed: new Map([...this.freed].map(([pages, runs]) => [pages, [...runs]])),
    };
  }

  restore(record: MemoryRecord): void {
    this.generation++;
    this.chunks.clear();
    this.values.clear();
    this.freed.clear();
    for (const [at, bytes] of record.chunks) this.make(at * CHUNK_SIZE).bytes.set(bytes);
    for (const [gpa, value] of record.values) this.values.set(gpa, value);
    for (const [pages, runs] of record.freed) this.freed.set(pages, [...runs]);
    this.nextPfn = record.nextPfn;
  }

  /** Forgets the views on a backing whose bytes have moved. */
  refresh(): void {
    if (this.backing === undefined) return;
    this.generation++;
    this.chunks.clear();
  }

  private find(gpa: number): Chunk | undefined {
    const at = Math.floor(gpa / CHUNK_SIZE);
    return this.chunks.get(at) ?? (this.backing === undefined ? undefined : this.adopt(at, this.backing(at)));
  }

  private make(gpa: number): Chunk {
    const found = this.find(gpa);
    if (found !== undefined) return found;
    const bytes = new Uint8Array(CHUNK_SIZE);
    // A write where the backing has no memory is lost, as on a real machine.
    if (this.backing !== undefined) return { bytes, view: new DataView(bytes.buffer) };
    return this.adopt(Math.floor(gpa / CHUNK_SIZE), bytes) as Chunk;
  }

  private adopt(at: number, bytes: Uint8Array | undefined): Chunk | undefined {
    if (bytes === undefined) return undefined;
    const chunk = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
    this.chunks.set(at, chunk);
    return chunk;
  }

  private clear(gpa: number, length: number): void {
    for (const at of this.values.keys()) {
      if (at >= gpa && at < gpa + length) this.values.delete(at);
    }
    for (let done = 0; done < length; ) {
      const from = (gpa + done) % CHUNK_SIZE;
      const part = Math.min(length - done, CHUNK_SIZE - from);
      this.find(gpa + done)?.bytes.fill(0, from, from + part);
      done += part;
    }
  }
}

function cutShort(value: Value, length: number): Malformed {
  const { name } = value.message;
  return {
    name: 'malformed',
    protocol: 'memory',
    problem: 'short',
    type: undefined,
    size: length,
    expected: value.size,
    what: name,
  };
}
