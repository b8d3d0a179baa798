/**
 * The unit numbers that a cloner gives out. Source: kern/subr_unit.c (alloc_unr(), alloc_unr_specific(), free_unr()), each
 * of them one step under the allocator's mutex; reference C.2.
 * What this leaves out: the bitmap that it was before 2011. What it did differently is what its callers did (seed 002).
 */
import { NumberSet } from '../../../base/number-set.ts';
import { type Footprint, HEAD, itemPart } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';

export class UnitAllocator extends SharedObject {
  /** The highest unit. */
  readonly most: number;
  private readonly taken = new NumberSet();

  constructor(sim: Simulation, name: string, most: number) {
    super(sim, name);
    this.most = most;
  }

  /** alloc_unr(): takes the lowest free unit; undefined when there is none. */
  takeLowest(): Operation<number | undefined> {
    return new Operation(this, 'takeLowest');
  }

  /** alloc_unr_specific(): false both when the unit is taken and when there is no such unit (G-19). */
  take(unit: number): Operation<boolean> {
    return new Operation(this, 'take', unit);
  }

  /** free_unr(). */
  give(unit: number): Operation<void> {
    return new Operation(this, 'give', unit);
  }

  /** All that are taken, in order: for reports, and for what is checked when all is quiet. */
  get now(): readonly number[] {
    this.sim.footprint?.write(this.place, HEAD);
    const units: number[] = [];
    for (let unit = 0; unit <= (this.taken.highest() ?? -1); unit++) if (this.taken.has(unit)) units.push(unit);
    return units;
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): number | boolean | undefined {
    if (kind === 'takeLowest') {
      const lowest = this.taken.lowestAbsent();
      if (lowest > this.most) return undefined;
      this.taken.add(lowest);
      return lowest;
    }
    const unit = arg as number;
    if (kind === 'give') {
      this.taken.delete(unit);
      return undefined;
    }
    return unit <= this.most && this.taken.add(unit);
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { place } = this;
    if (kind === 'takeLowest') {
      footprint.write(place, HEAD);
      return;
    }
    footprint.read(place, HEAD);
    footprint.write(place, itemPart(arg as number));
  }

  peek(): number {
    return this.taken.size;
  }
}
