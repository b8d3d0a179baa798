/**
 * Guest physical address descriptor lists: the handles under which a guest shows pages to the host.
 * Source: linux/hyperv.h, struct vmbus_channel_gpadl_header; drivers/hv/channel.c; reference C.3.
 * Offsets and handles come from the other side, so whatever lies outside is a value (undefined), never a throw.
 * What this leaves out: several ranges in one list, limits on what one guest may show in all.
 */
import type { Protocol } from '../wire/message.ts';
import type { PageList } from '../wire/page-list.ts';
import { type GuestMemory, isPage, PAGE_SIZE, type Payload } from './memory.ts';

/** Contiguous pages: `at` is where they begin within the region. */
export interface Run {
  readonly at: number;
  readonly first: number;
  count: number;
}

/** Puts the first `most` pages of a list behind those that are in the runs. */
export function addPages(runs: Run[], pages: PageList, most = pages.length): void {
  let left = most;
  let last = runs[runs.length - 1];
  for (const { first, count: all } of pages.runs) {
    const count = Math.min(all, left);
    left -= count;
    if (count === 0) return;
    if (last !== undefined && first === last.first + last.count) {
      last.count += count;
    } else {
      last = { at: last === undefined ? 0 : runEnd(last), first, count };
      runs.push(last);
    }
  }
}

interface Region {
  readonly runs: readonly Run[];
  readonly bytes: number;
}

export type GpadlRecord = ReadonlyMap<number, Region>;

export class GpadlTable {
  private readonly memory: GuestMemory;
  private readonly regions = new Map<number, Region>();

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  /** Makes the pages known under the handle; false when the handle is taken or the pages make no sense. */
  establish(handle: number, runs: readonly Run[]): boolean {
    const last = runs[runs.length - 1];
    if (this.regions.has(handle) || last === undefined) return false;
    if (runs.some(({ first, count }) => !isPage(first) || !isPage(first + count - 1))) return false;
    this.regions.set(handle, { runs, bytes: runEnd(last) });
    return true;
  }

  /** False when there is no such handle. */
  teardown(handle: number): boolean {
    return this.regions.delete(handle);
  }

  has(handle: number): boolean {
    return this.regions.has(handle);
  }

  handles(): readonly number[] {
    return [...this.regions.keys()];
  }

  /** Bytes that the handle shows; undefined when it is unknown. */
  sizeOf(handle: number): number | undefined {
    return this.regions.get(handle)?.bytes;
  }

  /** The address of a byte of the region; undefined outside of it. */
  gpaOf(handle: number, offset: number): number | undefined {
    const region = this.regions.get(handle);
    if (region === undefined || !Number.isInteger(offset) || offset < 0 || offset >= region.bytes) return undefined;
    const run = runAt(region.runs, offset);
    return run.first * PAGE_SIZE + offset - run.at;
  }

  /** Puts a message at an offset; gives its bytes, or undefined when it does not lie inside. */
  store<M extends { readonly name: string }>(
    handle: number,
    offset: number,
    protocol: Protocol<M>,
    message: M,
  ): number | undefined {
    const size = protocol.size(message);
    if (!this.inside(handle, offset, size)) return undefined;
    const gpa = this.gpaOf(handle, offset) as number;
    const isOneRun = runEnd(runAt((this.regions.get(handle) as Region).runs, offset)) >= offset + size;
    if (isOneRun || this.memory.transport === 'direct') return this.memory.store(gpa, protocol, message);
    this.write(handle, offset, protocol.encode(message));
    return size;
  }

  /** What lies at an offset, or undefined when that is not inside. */
  load(handle: number, offset: number, length: number): Payload | undefined {
    if (!this.inside(handle, offset, length)) return undefined;
    const gpa = this.gpaOf(handle, offset) as number;
    if (this.memory.transport === 'direct') return this.memory.load(gpa, length);
    const region = this.regions.get(handle) as Region;
    if (runEnd(runAt(region.runs, offset)) >= offset + length) return this.memory.read(gpa, length);
    const out = new Uint8Array(length);
    this.parts(handle, offset, length, (from, at, part) => out.set(this.memory.read(from, part), at));
    return out;
  }

  save(): GpadlRecord {
    return new Map(this.regions);
  }

  restore(record: GpadlRecord): void {
    this.regions.clear();
    for (const [handle, region] of record) this.regions.set(handle, region);
  }

  private write(handle: number, offset: number, bytes: Uint8Array): void {
    this.parts(handle, offset, bytes.length, (to, at, part) =>
      this.memory.write(to, part === bytes.length ? bytes : bytes.subarray(at, at + part)),
    );
  }

  private inside(handle: number, offset: number, length: number): boolean {
    const bytes = this.regions.get(handle)?.bytes ?? 0;
    return Number.isInteger(offset) && offset >= 0 && length > 0 && offset + length <= bytes;
  }

  /** Calls for each contiguous part: its address, where it begins in the whole, its length. */
  private parts(
    handle: number,
    offset: number,
    length: number,
    each: (gpa: number, at: number, part: number) => void,
  ): void {
    const { runs } = this.regions.get(handle) as Region;
    for (let done = 0; done < length; ) {
      const run = runAt(runs, offset + done);
      const part = Math.min(length - done, runEnd(run) - offset - done);
      each(run.first * PAGE_SIZE + offset + done - run.at, done, part);
      done += part;
    }
  }
}

const runEnd = (run: Run): number => run.at + run.count * PAGE_SIZE;

function runAt(runs: readonly Run[], offset: number): Run {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs[middle] as Run).at <= offset) low = middle;
    else high = middle - 1;
  }
  return runs[low] as Run;
}
