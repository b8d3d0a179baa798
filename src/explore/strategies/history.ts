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

/**
 * Told of each race: the step `first` and a later one, or a waiting operation, of the context `second` could change
 * places. False when the second cannot come first after all.
 */
export type OnRace = (first: number, second: number, orderedBefore: Int32Array) => boolean;

/** Who touched a place, oldest first, as `step * 4 + way`. */
type Steps = number[];

export class History {
  /** Context of each step. */
  readonly contexts: number[] = [];
  /** What each step touched. */
  private readonly touches: (readonly number[])[] = [];
  /** Steps before this one are before everything that comes: nothing could run, and a timer fired. */
  private barrier = 0;
  /** The barrier at the time of each step. */
  private readonly barriers: number[] = [];
  /** By context: its last step, or the one in which it began. */
  private readonly last = new Map<number, number>();
  /** What {@link last} was before each step; undefined when the context was new. */
  private readonly lastBefore: (number | undefined)[] = [];
  /** The contexts that began in each step. */
  private readonly children: (readonly number[])[] = [];
  private width = FIRST_WIDTH;
  /** Row by row: of each context the last step that had to come before or is the step, plus one. */
  private rows = new Int32Array(FIRST_WIDTH * 256);
  private readonly slots = new Map<number, number>();
  private readonly places = new Map<number, Steps>();
  private before = new Int32Array(FIRST_WIDTH);
  private after = new Int32Array(FIRST_WIDTH);
  private known = new Int32Array(FIRST_WIDTH);

  /** Forgets all but the first steps. */
  truncate(length: number): void {
    for (let step = this.contexts.length - 1; step >= length; step--) {
      for (const touch of this.touches[step] as readonly number[]) this.places.get(placeOf(touch))?.pop();
      for (const child of this.children[step] as readonly number[]) this.last.delete(child);
      const context = this.contexts[step] as number;
      const before = this.lastBefore[step];
      if (before === undefined) this.last.delete(context);
      else this.last.set(context, before);
    }
    for (const list of [this.contexts, this.touches, this.barriers, this.lastBefore, this.children])
      list.length = length;
    this.barrier = this.barriers[length - 1] ?? 0;
  }

  /** Everything so far came before everything that comes. */
  rest(): void {
    this.barrier = this.contexts.length;
  }

  /** Adds a step with what it touched and who began in it, and tells its races with earlier ones. */
  add(context: number, touches: readonly number[], children: readonly number[], onRace: OnRace): void {
    const slot = this.slotOf(context);
    const step = this.contexts.length;
    const before = this.positionOf(context);
    const places = this.placesOf(touches);
    const after = this.ordered(before, touches, places);
    this.findRaces(context, before, after, touches, places, onRace);
    this.contexts.push(context);
    this.touches.push(touches);
    this.barriers.push(this.barrier);
    this.lastBefore.push(this.last.get(context));
    this.children.push(children);
    this.last.set(context, step);
    for (const child of children) this.last.set(child, step);
    after[slot] = step + 1;
    this.keep(step, after);
    for (let i = 0; i < touches.length; i++) places[i]?.push(step * 4 + wayOf(touches[i] as number));
  }

  /** Tells the races of an operation that waits and may never run. */
  consider(context: number, touches: readonly number[], onRace: OnRace): void {
    this.slotOf(context);
    const before = this.positionOf(context);
    const places = this.placesOf(touches);
    this.findRaces(context, before, this.ordered(before, touches, places), touches, places, onRace);
  }

  /**
   * The contexts whose step could be the first of what does not need the step `first` and leads to the next one of
   * `second`, which `ordered` comes after. The second itself, if it is one, comes first in the list.
   */
  initials(first: number, second: number, ordered: Int32Array): readonly number[] {
    const found: number[] = [];
    const seen: number[] = [];
    const firstSteps: number[] = [];
    const { rows, width } = this;
    const isFree = (row: Int32Array, from: number): boolean => {
      for (let i = 0; i < seen.length; i++) {
        if ((row[from + (seen[i] as number)] as number) > (firstSteps[i] as number)) return false;
      }
      return true;
    };
    const slotOfFirst = this.slotOf(this.contexts[first] as number);
    let secondSeen = false;
    for (let step = first + 1; step < this.contexts.length; step++) {
      const from = step * width;
      if ((rows[from + slotOfFirst] as number) > first) continue;
      const context = this.contexts[step] as number;
      const slot = this.slotOf(context);
      if (seen.includes(slot)) continue;
      if (isFree(rows, from)) found.push(context);
      if (context === second) secondSeen = true;
      seen.push(slot);
      firstSteps.push(step);
    }
    if (!secondSeen && isFree(ordered, 0)) found.unshift(second);
    return found;
  }

  /** What a step touched. */
  touchesOf(step: number): readonly number[] {
    return this.touches[step] as readonly number[];
  }

  /**
   * The contexts with whose steps behind `first` what leads to `step` can begin, without `first`; none when that is not
   * possible.
   */
  leaders(first: number, step: number): readonly number[] {
    const { rows, width, contexts } = this;
    const comesBefore = (one: number, other: number): boolean =>
      (rows[other * width + this.slotOf(contexts[one] as number)] as number) > one;
    if (first < this.barrier || comesBefore(first, step)) return [];
    const leading: number[] = [];
    for (let at = first + 1; at <= step; at++) if (at === step || comesBefore(at, step)) leading.push(at);
    const isFirst = (at: number): boolean => !leading.some((other) => other < at && comesBefore(other, at));
    return leading.filter(isFirst).map((at) => contexts[at] as number);
  }

  private findRaces(
    context: number,
    before: Int32Array,
    after: Int32Array,
    touches: readonly number[],
    places: readonly Steps[],
    onRace: OnRace,
  ): void {
    const known = this.known;
    known.set(before);
    const isRace = (step: number): boolean => onRace(step, context, after);
    for (let i = 0; i < touches.length; i++) {
      this.findRacesAt(places[i] as Steps, wayOf(touches[i] as number), known, isRace);
    }
  }

  /** Races of one touch with those before it; `known` is what comes before it in any case, and grows by what is found. */
  private findRacesAt(steps: Steps, way: number, known: Int32Array, isRace: (step: number) => boolean): void {
    for (let i = steps.length - 1; i >= 0; i--) {
      const entry = steps[i] as number;
      const other = entry & 3;
      const step = entry >> 2;
      if (step < this.barrier) return;
      if (other === TOUCH.read && way === TOUCH.read) continue;
      if (this.isBefore(step, known)) {
        if (other !== TOUCH.read) return; // whatever touched it before that is before that
      } else if ((other !== TOUCH.give || way !== TOUCH.need) && isRace(step)) {
        this.join(known, step);
      }
    }
  }

  /** The steps that touched each of these places before. */
  private placesOf(touches: readonly number[]): Steps[] {
    return touches.map((touch) => {
      let steps = this.places.get(placeOf(touch));
      if (steps === undefined) {
        steps = [];
        this.places.set(placeOf(touch), steps);
      }
      return steps;
    });
  }

  /** Where a context that has touched these would stand. */
  private ordered(before: Int32Array, touches: readonly number[], places: readonly Steps[]): Int32Array {
    const row = this.after;
    row.set(before);
    for (let at = 0; at < touches.length; at++) {
      const steps = places[at] as Steps;
      const isRead = wayOf(touches[at] as number) === TOUCH.read;
      for (let i = steps.length - 1; i >= 0; i--) {
        const entry = steps[i] as number;
        const other = entry & 3;
        if (entry >> 2 < this.barrier) break;
        if (other === TOUCH.read && isRead) continue;
        this.join(row, entry >> 2);
        if (other !== TOUCH.read) break;
      }
    }
    return row;
  }

  private isBefore(step: number, row: Int32Array): boolean {
    return (row[this.slotOf(this.contexts[step] as number)] as number) > step;
  }

  /** Where a context stands before its next step; good until the next call. */
  private positionOf(context: number): Int32Array {
    const row = this.before;
    row.fill(0);
    const last = this.last.get(context);
    if (last !== undefined && last >= this.barrier) this.join(row, last);
    return row;
  }

  private join(into: Int32Array, step: number): void {
    const { rows, width } = this;
    const from = step * width;
    for (let i = 0; i < width; i++) {
      const other = rows[from + i] as number;
      if (other > (into[i] as number)) into[i] = other;
    }
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
    const { width, rows } = this;
    const wide = new Int32Array((rows.length / width) * width * 2);
    for (let step = 0; step < this.contexts.length; step++) {
      wide.set(rows.subarray(step * width, (step + 1) * width), step * width * 2);
    }
    this.rows = wide;
    this.width = width * 2;
    this.before = new Int32Array(this.width);
    this.after = new Int32Array(this.width);
    this.known = new Int32Array(this.width);
  }
}
