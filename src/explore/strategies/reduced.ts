/**
 * All orders, but of those that differ only in the order of independent steps just one: source-DPOR with sleep sets, by
 * running again and again. A run that can bring nothing new is cut.
 * Source: Abdulla et al. (see history.ts); Godefroid, "Partial-Order Methods", 1996 (sleep sets).
 */
import { assert } from '../../base/assert.ts';
import type { Context } from '../../sim/context.ts';
import { Footprint, placeOf, TOUCH, wayOf } from '../../sim/footprint.ts';
import { CUT, type Strategy } from '../../sim/strategy.ts';
import { History } from './history.ts';

/** What a context's next step touches; it sleeps until a step is run that meets it there. */
type Sleepers = Map<number, readonly number[]>;

/** A point at which somebody had to be picked. */
interface Pick {
  readonly ready: readonly number[];
  /** Whose step brings nothing new here, since all that it leads to was run elsewhere. */
  readonly asleep: Sleepers;
  /** Who is to be run from here, in this order; a set grows while it is gone through. */
  readonly wanted: Set<number>;
  /** Who was, with what the step touched. */
  readonly done: Sleepers;
  chosen: number;
  /** What the step of the chosen one touches, whatever values were chosen in it. */
  touches: readonly number[];
}

/** A point at which a value had to be chosen. */
interface Value {
  readonly why: string;
  readonly n: number;
  value: number;
}

type Point = Pick | Value;

/** `sleep-sets`: every order is wanted, and only sleepers save work; `races`: only orders that a race calls for. */
export type Reduction = 'races' | 'sleep-sets' | 'none';

export class Reduced implements Strategy {
  /** The run was cut: nothing new lay behind it. */
  cut = false;
  private readonly reduction: Reduction;
  private readonly points: Point[] = [];
  private depth = 0;
  /** Index in {@link points} of the step at hand. */
  private depthOfStep = 0;
  private readonly history = new History();
  /** Index in {@link points} of each step of the run. */
  private readonly pointOf: number[] = [];
  private asleep: Sleepers = new Map();
  private readonly spawnedNow: Context[] = [];
  private readonly endedNow: number[] = [];
  /** Who could run before the step at hand and cannot after it. */
  private readonly disabledNow: Context[] = [];
  private readonly noted = new Footprint();
  private readonly waiting = new Footprint();
  /** Steps at the beginning of the run that are those of the run before. */
  private kept = 0;
  private steps = 0;

  constructor(reduction: Reduction = 'races') {
    this.reduction = reduction;
  }

  /** What the run before has noted of the steps that both begin with need not be noted again. */
  get footprint(): Footprint | undefined {
    return this.steps <= this.kept ? undefined : this.noted;
  }

  begin(): void {
    this.depth = 0;
    this.steps = 0;
    this.cut = false;
    const last = this.points.findLastIndex((point) => !('why' in point));
    while ((this.pointOf[this.pointOf.length - 1] ?? -1) >= last && this.pointOf.length > 0) this.pointOf.pop();
    this.kept = this.pointOf.length;
    this.history.truncate(this.kept);
    this.asleep = new Map();
    this.spawnedNow.length = 0;
    this.endedNow.length = 0;
    this.disabledNow.length = 0;
  }

  /** Prepares the next run; false when there is none. */
  advance(): boolean {
    for (;;) {
      const point = this.points[this.points.length - 1];
      if (point === undefined) return false;
      if ('why' in point) {
        if (point.value + 1 < point.n) {
          point.value++;
          return true;
        }
      } else if (chooseNext(point)) return true;
      this.points.pop();
    }
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    const point = this.points[this.depth];
    if (point === undefined) return this.pickAnew(ready, last);
    assert('ready' in point, 'the run asks who goes next where it asked for a value before');
    return this.go(ready, point);
  }

  value(why: string, n: number): number {
    let point = this.points[this.depth];
    if (point === undefined) {
      point = { why, n, value: 0 };
      this.points.push(point);
    }
    assert('why' in point && point.why === why && point.n === n, `the run asks for ${why} where it did not before`);
    this.depth++;
    return point.value;
  }

  touched(context: Context): void {
    const touches = this.noted.touches.slice();
    const step = this.pointOf.length;
    this.pointOf.push(this.depthOfStep);
    const point = this.points[this.depthOfStep] as Pick;
    point.touches = union(point.touches, touches);
    const children = this.spawnedNow.map(({ id }) => id);
    this.history.add(context.id, touches, children, this.onRace);
    this.fallAsleep(point, touches);
    this.lookAtWaiting(context, step);
    this.spawnedNow.length = 0;
    this.endedNow.length = 0;
    this.disabledNow.length = 0;
  }

  spawned(context: Context, by: Context | undefined): void {
    if (by !== undefined && this.footprint !== undefined) this.spawnedNow.push(context);
  }

  disabled(context: Context): void {
    if (this.footprint !== undefined) this.disabledNow.push(context);
  }

  ended(context: Context): void {
    if (this.footprint === undefined) return;
    this.endedNow.push(context.id);
    if (context.ready) this.disabledNow.push(context);
  }

  fired(): void {
    if (this.steps < this.kept) return;
    this.history.rest();
    this.asleep = new Map();
    this.endedNow.length = 0;
    this.spawnedNow.length = 0;
    this.disabledNow.length = 0;
  }

  private pickAnew(ready: readonly Context[], last: Context | undefined): number {
    const ids = ready.map(({ id }) => id);
    const awake = this.reduction === 'none' ? ids : ids.filter((id) => !this.asleep.has(id));
    const first = last !== undefined && awake.includes(last.id) ? last.id : awake[0];
    if (first === undefined) {
      this.cut = true;
      return CUT;
    }
    const wanted = new Set([first, ...(this.reduction === 'races' ? [] : awake)]);
    const point: Pick = { ready: ids, asleep: this.asleep, wanted, done: new Map(), chosen: first, touches: [] };
    this.points.push(point);
    return this.go(ready, point);
  }

  private go(ready: readonly Context[], point: Pick): number {
    this.depthOfStep = this.depth++;
    this.steps++;
    const at = ready.findIndex(({ id }) => id === point.chosen);
    assert(at !== -1, `the run is not the same again: context ${point.chosen} cannot run now`);
    return at;
  }

  /** Those who were run from here before sleep from now on, until something meets what they touch. */
  private fallAsleep(point: Pick, touches: readonly number[]): void {
    const asleep: Sleepers = new Map();
    if (this.reduction === 'none') return;
    for (const sleepers of [point.asleep, point.done]) {
      for (const [id, theirs] of sleepers) {
        if (id !== point.chosen && !meet(theirs, touches)) asleep.set(id, theirs);
      }
    }
    for (const id of this.endedNow) asleep.delete(id);
    this.asleep = asleep;
  }

  /** Operations that cannot run may never do so: what they race with is looked for at once. */
  private lookAtWaiting(context: Context, step: number): void {
    this.consider(context);
    for (const child of this.spawnedNow) this.consider(child);
    const point = this.points[this.pointOf[step] as number] as Pick;
    for (const { id, ready } of this.disabledNow) {
      if (!ready && point.ready.includes(id) && !point.asleep.has(id)) point.wanted.add(id);
    }
  }

  private consider(context: Context): void {
    const { operation } = context;
    if (operation === undefined || context.ready) return;
    this.waiting.clear();
    operation.object.touch(operation, this.waiting);
    this.history.consider(context.id, this.waiting.touches, this.onRace);
  }

  private readonly onRace = (first: number, second: number, ordered: Int32Array): boolean => {
    const point = this.points[this.pointOf[first] as number] as Pick;
    const candidates = this.history.initials(first, second, ordered).filter((id) => point.ready.includes(id));
    const chosen = candidates[0];
    if (chosen === undefined) return false;
    if (!candidates.some((id) => point.wanted.has(id) || point.asleep.has(id))) point.wanted.add(chosen);
    return true;
  };
}

/** Goes on to the next one who is wanted at this point; false when there is none. */
function chooseNext(point: Pick): boolean {
  point.done.set(point.chosen, point.touches);
  for (const id of point.wanted) {
    if (point.done.has(id) || point.asleep.has(id)) continue;
    point.chosen = id;
    point.touches = [];
    return true;
  }
  return false;
}

function union(known: readonly number[], more: readonly number[]): readonly number[] {
  if (known.length === 0) return more.slice();
  const fresh = more.filter((touch) => !known.includes(touch));
  return fresh.length === 0 ? known : [...known, ...fresh];
}

/** Whether two steps touch one place, and not both by reading it. */
function meet(ours: readonly number[], theirs: readonly number[]): boolean {
  for (const one of ours) {
    const place = placeOf(one);
    for (const other of theirs) {
      if (placeOf(other) === place && (wayOf(one) !== TOUCH.read || wayOf(other) !== TOUCH.read)) return true;
    }
  }
  return false;
}
