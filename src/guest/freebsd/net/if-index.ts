/**
 * Interface numbers. Two designs: one table for the machine, whose look-ups compare vnets, or a table each vnet, where a
 * move gives another number. Source: net/if.c (ifindex_alloc(), ifnet_byindex() and its kin), reference A.1, A.5, B.
 * The kernel looks for a free slot from the first one on; here the slot is known at once, and how far the kernel would
 * have looked is told (`ifindex.scan`).
 * What this leaves out: that a reader's look at the high-water mark and at the slot are two loads. Writers order theirs
 * so that no split of them gives another answer.
 */
import { NumberSet } from '../../../base/number-set.ts';
import { type Footprint, HEAD, itemPart } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Ifnet } from './ifnet.ts';

export const INDEX_POLICIES = {
  global: 'one table for the machine; a number is kept until the interface is freed',
  'per-vnet': 'a table each vnet; a move to another vnet gives another number',
} as const satisfies Readonly<Record<string, string>>;

export type IndexPolicyName = keyof typeof INDEX_POLICIES;

/** Slots of a new table (net/if.c, if_indexlim). */
const FIRST_CAPACITY = 8;
/** if_index is an unsigned short. */
export const INDEX_MOST = 0xffff;

interface Slot {
  ifp: Ifnet | undefined;
  generation: number;
}

const EMPTY: Readonly<Slot> = { ifp: undefined, generation: 0 };

/** Where the kernel's search for a free slot ends: there is none behind 65535, and it then looks for ever (A.5, 4). */
export type Free = { readonly index: number } | 'looks for ever';

export interface IndexLimits {
  /** Highest number; 65535 on a real system. */
  readonly most: number;
  /** Whether the allocation knows that there is none left, which no FreeBSD does. */
  readonly checked: boolean;
  readonly generationBits: 16 | 32;
}

/** Searches through a table, the slots that they went through together, and those of the longest. */
export interface Scans {
  searches: number;
  slots: number;
  longest: number;
}

export class IfIndexTable extends SharedObject {
  private readonly slots: (Slot | undefined)[] = [];
  private readonly taken = new NumberSet();
  private readonly limits: IndexLimits;
  /** if_index: the highest number in use. */
  private highWater = 0;
  /** if_indexlim. */
  private size = FIRST_CAPACITY;
  /** What the kernel's own searches would have cost so far, for reports. */
  readonly scans: Scans = { searches: 0, slots: 0, longest: 0 };

  constructor(sim: Simulation, name: string, limits: IndexLimits) {
    super(sim, name);
    this.limits = limits;
    this.taken.add(0);
  }

  get capacity(): number {
    return this.size;
  }

  get highest(): number {
    this.sim.footprint?.read(this.place, HEAD);
    return this.highWater;
  }

  /** The lowest free slot from 1 on, as ifindex_alloc() looks for it; with the IFNET lock. */
  findFree(): Free | 'ENOSPC' {
    const lowest = this.taken.lowestAbsent();
    this.tellScan('allocate', Math.min(lowest, this.highWater), lowest);
    if (lowest <= this.limits.most) return { index: lowest };
    if (this.limits.checked) return 'ENOSPC';
    // The 16 bits of the search wrap: slot 0 is empty, once.
    return this.slots[0]?.ifp === undefined ? { index: 0 } : 'looks for ever';
  }

  isBeyond(index: number): boolean {
    return index >= this.size;
  }

  /** A table of twice the size is put in the place of this one; with the IFNET lock. */
  grow(): Operation<void> {
    return new Operation(this, 'grow');
  }

  /** The interface is found by its number from here on; gives the slot's generation. */
  publish(index: number, ifp: Ifnet): Operation<number> {
    return new Operation(this, 'publish', { index, ifp });
  }

  /** It is found no more, and the number can be given out again; false when the slot is another's or empty. */
  clear(index: number, ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'clear', { index, ifp });
  }

  /** What is in a slot now. */
  look(index: number): Operation<Readonly<Slot>> {
    return new Operation(this, 'look', { index });
  }

  /** What is in a slot, for whoever has the IFNET lock, and for reports. */
  at(index: number): Ifnet | undefined {
    this.sim.footprint?.read(this.place, itemPart(index));
    return this.slots[index]?.ifp;
  }

  /** sysctl_ifcount() goes through all numbers up to the highest, to find the highest of one vnet. */
  tellCount(found: number): void {
    this.sim.footprint?.read(this.place, HEAD);
    this.tellScan('ifcount', this.highWater, found);
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): number | boolean | Readonly<Slot> | undefined {
    if (kind === 'grow') {
      this.size *= 2;
      this.sim.trace.emit({ kind: 'ifindex.grow', table: this.name, capacity: this.size });
      return undefined;
    }
    const { index, ifp } = arg as { readonly index: number; readonly ifp?: Ifnet };
    if (kind === 'look') return this.slots[index] ?? EMPTY;
    if (kind === 'publish') return this.put(index, ifp as Ifnet);
    return this.drop(index, ifp as Ifnet);
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { place } = this;
    if (kind === 'grow') {
      // Readers find in the new table what was in the old one.
      footprint.write(place, HEAD);
      return;
    }
    const { index } = arg as { readonly index: number };
    if (kind === 'look') footprint.read(place, itemPart(index));
    else {
      footprint.write(place, HEAD);
      footprint.write(place, itemPart(index));
    }
  }

  peek(): string {
    return `${this.taken.size - 1} of ${this.size}, highest ${this.highWater}`;
  }

  private put(index: number, ifp: Ifnet): number {
    this.highWater = Math.max(this.highWater, index);
    this.taken.add(index);
    const slot = this.slots[index];
    if (slot !== undefined) {
      slot.ifp = ifp;
      return slot.generation;
    }
    while (this.slots.length < index) this.slots.push(undefined);
    this.slots[index] = { ifp, generation: 0 };
    return 0;
  }

  private drop(index: number, ifp: Ifnet): boolean {
    const slot = this.slots[index];
    if (slot === undefined || slot.ifp !== ifp) return false;
    slot.ifp = undefined;
    slot.generation = (slot.generation + 1) % 2 ** this.limits.generationBits;
    if (index !== 0) this.taken.delete(index);
    while (this.highWater > 0 && this.slots[this.highWater]?.ifp === undefined) this.highWater--;
    return true;
  }

  private tellScan(what: 'allocate' | 'ifcount', scanned: number, found: number): void {
    this.scans.searches++;
    this.scans.slots += scanned;
    this.scans.longest = Math.max(this.scans.longest, scanned);
    this.sim.trace.emit({ kind: 'ifindex.scan', table: this.name, what, scanned, found });
  }
}
