/**
 * What has happened in one run, as far as the reduction needs it: the steps, what each touched, and which had to come
 * before which (a vector clock a step). From it follows which two steps of different contexts could as well have come
 * the other way round: a race.
 * Source: Abdulla, Aronis, Jonsson, Sagonas, "Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction",
 * JACM 2017 (races, initials); that operations which cannot run are looked at too, and at once, is for cancelled ones.
 */
import { placeOf, TOUCH, wayOf } from '../../sim/footprint.ts';

/** Contexts that one history can have before its clocks are made anew, wider. */
const FIRST_WIDTH = 32;

/** A race: the step `first` and a later one of the context `second` could change places. */
export interface Race {
  /** Index of the earlier step. */
  readonly first: number;
  /** Whose step or waiting operation came later. */
  readonly second: number;
}

/** Told of each race; false when the second cannot come first after all. */
export type OnRace = (first: number, second: number, orderedBefore: Int32Array) => boolean;

export class History {
  /** Context of each step. */
  readonly contexts: number[] = [];
  private width = FIRST_WIDTH;
  /** Row by row: of each context the last step that had to come before or is the step, plus one. */
  private rows = new Int32Array(FIRST_WIDTH * 256);
  /** By context: where it stands, as a row of its own. */
  private readonly at = new Map<number, Int32Array>();
  private readonly slots = new Map<number, number>();
  /** By place: the steps that touched it, oldest first, as `step * 4 + way`. */
  private readonly places = new Map<number, number[]>();
  private scratch = new Int32Array(FIRST_WIDTH);

  clear(): void {
    this.contexts.length = 0;
    this.slots.clear();
    this.rest();
  }

  /** Everything so far came before everything that comes. */
  rest(): void {
    this.places.clear();
    this.at.clear();
  }

  /** A context begins in the last step, or at a rest when there is none since. */
  spawn(context: number, by: number | undefined): void {
    const slot = this.slotOf(context);
    const row = new Int32Array(this.width);
    const parent = by === undefined ? undefined : this.at.get(by);
    if (parent !== undefined) row.set(parent);
    row[slot] = 0;
    this.at.set(context, row);
  }

  /** Adds a step with what it touched, and tells its races with earlier ones. */
  add(context: number, touches: readonly number[], onRace: OnRace): void {
    const slot = this.slotOf(context);
    const step = this.contexts.length;
    const before = this.positionOf(context);
    const after = this.ordered(before, touches);
    this.findRaces(context, before, after, touches, onRace);
    this.contexts.push(context);
    after[slot] = step + 1;
    this.keep(step, after);
    before.set(after);
    for (const touch of touches) {
      const steps = this.places.get(placeOf(touch));
      const entry = step * 4 + wayOf(touch);
      if (steps === undefined) this.places.set(placeOf(touch), [entry]);
      else if (steps[steps.length - 1] !== entry) steps.push(entry);
    }
  }

  /** Tells the races of an operation that waits and may never run. */
  consider(context: number, touches: readonly number[], onRace: OnRace): void {
    const before = this.positionOf(context);
    this.findRaces(context, before, this.ordered(before, touches), touches, onRace);
  }

  /**
   * The contexts whose step could be the first of what does not need the step `first` and leads to the next one of
   * `second`, which `ordered` comes after. The second itself, if it is one, comes first in the list.
   */
  initials(first: number, second: number, ordered: Int32Array): readonly number[] {
    const found: number[] = [];
    const seen: number[] = [];
    const firstSteps: number[] = [];
    const isFree = (row: Int32Array): boolean => {
      for (let i = 0; i < seen.length; i++) {
        if ((row[seen[i] as number] as number) > (firstSteps[i] as number)) return false;
      }
      return true;
    };
    const slotOfFirst = this.slotOf(this.contexts[first] as number);
    let secondSeen = false;
    for (let step = first + 1; step < this.contexts.length; step++) {
      const row = this.rowOf(step);
      if ((row[slotOfFirst] as number) > first) continue;
      const context = this.contexts[step] as number;
      const slot = this.slotOf(context);
      if (seen.includes(slot)) continue;
      if (isFree(row)) found.push(context);
      if (context === second) secondSeen = true;
      seen.push(slot);
      firstSteps.push(step);
    }
    if (!secondSeen && isFree(ordered)) found.unshift(second);
    return found;
  }

  private findRaces(
    context: number,
    before: Int32Array,
    after: Int32Array,
    touches: readonly number[],
    onRace: OnRace,
  ): void {
    let known = before;
    for (const touch of touches) {
      const steps = this.places.get(placeOf(touch));
      if (steps === undefined) continue;
      const way = wayOf(touch);
      for (let i = steps.length - 1; i >= 0; i--) {
        const entry = steps[i] as number;
        const other = entry & 3;
        if (other === TOUCH.read && way === TOUCH.read) continue;
        const step = entry >> 2;
        if (this.isBefore(step, known)) {
          if (other !== TOUCH.read) break; // whatever touched it before that is before that
          continue;
        }
        if (other === TOUCH.give && way === TOUCH.need) continue;
        if (!onRace(step, context, after)) continue;
        if (known === before) known = before.slice();
        join(known, this.rowOf(step));
      }
    }
  }

  /** Where a context that has touched these would stand. */
  private ordered(before: Int32Array, touches: readonly number[]): Int32Array {
    if (this.scratch.length !== this.width) this.scratch = new Int32Array(this.width);
    const row = this.scratch;
    row.set(before);
    for (const touch of touches) {
      const steps = this.places.get(placeOf(touch));
      if (steps === undefined) continue;
      const isRead = wayOf(touch) === TOUCH.read;
      for (let i = steps.length - 1; i >= 0; i--) {
        const entry = steps[i] as number;
        const other = entry & 3;
        if (other === TOUCH.read && isRead) continue;
        join(row, this.rowOf(entry >> 2));
        if (other !== TOUCH.read) break;
      }
    }
    return row;
  }

  private isBefore(step: number, row: Int32Array): boolean {
    return (row[this.slotOf(this.contexts[step] as number)] as number) > step;
  }

  private positionOf(context: number): Int32Array {
    let row = this.at.get(context);
    if (row === undefined) {
      this.slotOf(context);
      row = new Int32Array(this.width);
      this.at.set(context, row);
    }
    return row;
  }

  private rowOf(step: number): Int32Array {
    return this.rows.subarray(step * this.width, (step + 1) * this.width);
  }

  private keep(step: number, row: Int32Array): void {
    const needed = (step + 1) * this.width;
    if (needed > this.rows.length) {
      const wider = new Int32Array(Math.max(needed, this.rows.length * 2));
      wider.set(this.rows);
      this.rows = wider;
    }
    this.rows.set(row, step * this.width);
  }

  private slotOf(context: number): number {
    let slot = this.slots.get(context);
    if (slot === undefined) {
      slot = this.slots.size;
      if (slot === this.width) this.widen();
      this.slots.set(context, slot);
    }
    return slot;
  }

  private widen(): void {
    const width = this.width * 2;
    const rows = new Int32Array((this.rows.length / this.width) * width);
    for (let step = 0; step < this.contexts.length; step++) rows.set(this.rowOf(step), step * width);
    for (const [context, row] of this.at) {
      const wide = new Int32Array(width);
      wide.set(row);
      this.at.set(context, wide);
    }
    this.rows = rows;
    this.width = width;
  }
}

function join(into: Int32Array, row: Int32Array): void {
  for (let i = 0; i < into.length; i++) {
    const other = row[i] as number;
    if (other > (into[i] as number)) into[i] = other;
  }
}
