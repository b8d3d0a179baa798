/**
 * The VF map: interface number → hn, one for the whole machine. Source: if_hn.c (hn_vfmap, hn_vfmap_size); reference E.1,
 * E.7.
 */

import { Lock } from '../../kern/lock.ts';
import type { LockClass } from '../../kern/witness.ts';
import type { FreebsdKernel } from '../../kernel.ts';
import type { Hn } from './softc.ts';

const MAP_LOCK: LockClass = { name: 'hn vfmap', kind: 'rm' };
const FIRST_SIZE = 8;
const GROWS_BY = 8;

export class VfMap {
  readonly lock: Lock;
  /** With the lock. */
  private readonly slots: (Hn | undefined)[] = new Array<Hn | undefined>(FIRST_SIZE).fill(undefined);

  constructor({ sim, net }: FreebsdKernel) {
    this.lock = new Lock(sim, net.witness, MAP_LOCK);
  }

  at(index: number): Hn | undefined {
    return this.slots[index];
  }

  /** Whoever was there before, who ought to be nobody. */
  put(index: number, hn: Hn): Hn | undefined {
    while (this.slots.length <= index) this.slots.push(...new Array<Hn | undefined>(GROWS_BY).fill(undefined));
    const before = this.slots[index];
    this.slots[index] = hn;
    return before;
  }

  clear(index: number): Hn | undefined {
    const before = this.slots[index];
    if (index < this.slots.length) this.slots[index] = undefined;
    return before;
  }

  /** Number and hn of each slot that is taken. */
  entries(): readonly (readonly [number, Hn])[] {
    return this.slots.flatMap((hn, index) => (hn === undefined ? [] : [[index, hn] as const]));
  }
}
