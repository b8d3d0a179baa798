/**
 * All orders, but of those that differ only in the order of independent steps just one: source-DPOR with sleep sets, by
 * running again and again. A run that can bring nothing new is cut.
 * Source: Abdulla et al. (see history.ts); Godefroid, "Partial-Order Methods", 1996 (sleep sets).
 */
import type { Context } from '../../sim/context.ts';
import { Footprint, meet } from '../../sim/footprint.ts';
import { CUT, type Strategy } from '../../sim/strategy.ts';
import { addStep, type Choice } from '../schedule.ts';
import { History } from './history.ts';
import { type Lessened, LessenedSteps } from './lessened.ts';

/** What a context's next step touches; it sleeps until a step is run that meets it there. */
type Sleepers = ReadonlyMap<number, readonly number[]>;

const NOBODY: Sleepers = new Map();

/** A point at which somebody had to be picked. */
interface Pick {
  /** Names of those in {@link ready}, for orders that are shown and kept. */
  readonly names: readonly string[];
  readonly ready: readonly number[];
  /** Whose step brings nothing new here, since all that it leads to was run elsewhere. */
  readonly asleep: Sleepers;
  /** Who is to be run from here, in this order; a set grows while it is gone through. */
  readonly wanted: Set<number>;
  /** Who was, with what the step touched. */
  done: Sleepers;
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

/** How some of all orders begin: plain data that another search can go on from. */
export type Beginning = readonly Point[];

/** What a search has still to go through: the first of its orders, and how many of the decisions are not its own. */
export interface Rest {
  readonly from: Beginning;
  readonly fixed: number;
}

export interface ReducedOptions {
  readonly reduction?: Reduction;
  /** Only orders that begin so are gone through. */
  readonly from?: Beginning;
  /** So many of its decisions are not this search's to change; all of them when it is left out. */
  readonly fixed?: number;
  /** Runs end behind so many decisions; how they began is kept in {@link Reduced.beginnings}. */
  readonly depthMax?: number;
}

/** The program did not do the same again in the same order: a search makes no sense then. */
export class Diverged extends Error {}

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
  private asleep: Sleepers = NOBODY;
  private spawnedNow: Context[] = [];
  private endedNow: number[] = [];
  /** Who could run before the step at hand and cannot after it. */
  private disabledNow: Context[] = [];
  private readonly noted = new Footprint();
  /** What the step at hand has touched, while its races are looked for. */
  private touches: readonly number[] | undefined;
  private readonly lessened = new LessenedSteps(this.history);
  private readonly waiting = new Footprint();
  /** Steps at the beginning of the run that are those of the run before. */
  private kept = 0;
  private steps = 0;

  /** How the orders begin that were not run further. */
  readonly beginnings: Beginning[] = [];
  private readonly depthMax: number;
  /** Decisions that are not this search's to change. */
  private readonly fixed: number;

  constructor(options: ReducedOptions = {}) {
    const { reduction = 'races', from = [], fixed = from.length, depthMax = Number.POSITIVE_INFINITY } = options;
    this.reduction = reduction;
    this.depthMax = depthMax;
    this.fixed = fixed;
    this.points.push(...structuredClone(from));
  }

  /** What is left, once {@link advance} has prepared the next run. */
  get rest(): Rest {
    return { from: structuredClone(this.points), fixed: this.fixed };
  }

  /** Everything that the last run decided, in the order of deciding. */
  order(): readonly Choice[] {
    const order: Choice[] = [];
    for (const point of this.points.slice(0, this.depth)) {
      if ('why' in point) order.push({ why: point.why, value: point.value });
      else addStep(order, point.names[point.ready.indexOf(point.chosen)] as string);
    }
    return order;
  }

  /** What the run before has noted of the steps that both begin with need not be noted again. */
  get footprint(): Footprint | undefined {
    return this.steps <= this.kept || this.reduction === 'none' ? undefined : this.noted;
  }

  begin(): void {
    this.depth = 0;
    this.steps = 0;
    this.cut = false;
    const last = this.points.findLastIndex((point) => !('why' in point));
    while ((this.pointOf[this.pointOf.length - 1] ?? -1) >= last && this.pointOf.length > 0) this.pointOf.pop();
    this.kept = this.pointOf.length;
    this.history.truncate(this.kept);
    this.lessened.truncate(this.kept);
    this.asleep = NOBODY;
    this.forgetStep();
  }

  /** Prepares the next run; false when there is none. */
  advance(): boolean {
    for (;;) {
      const point = this.points[this.points.length - 1];
      if (point === undefined || this.points.length <= this.fixed) return false;
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
    if ('why' in point) throw new Diverged(`it asks who goes next where it asked for ${point.why} before`);
    return this.go(ready, point);
  }

  value(why: string, n: number): number {
    let point = this.points[this.depth];
    if (point === undefined) {
      point = { why, n, value: 0 };
      this.points.push(point);
    }
    if (!('why' in point) || point.why !== why || point.n !== n)
      throw new Diverged(`it asks for ${why} where it did not before`);
    this.depth++;
    return point.value;
  }

  touched(context: Context): void {
    const touches = this.noted.take();
    const step = this.pointOf.length;
    this.pointOf.push(this.depthOfStep);
    const point = this.points[this.depthOfStep] as Pick;
    point.touches = union(point.touches, this.noted.known(touches));
    const children = this.spawnedNow.map(({ id }) => id);
    this.touches = touches;
    this.history.add(context.id, touches, children, this.onRace);
    this.touches = undefined;
    this.lessened.look(step, this.wantBefore);
    this.fallAsleep(point, touches);
    this.lookAtWaiting(context, step);
    this.forgetStep();
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
    this.asleep = NOBODY;
    this.forgetStep();
  }

  private forgetStep(): void {
    if (this.spawnedNow.length > 0) this.spawnedNow = [];
    if (this.endedNow.length > 0) this.endedNow = [];
    if (this.disabledNow.length > 0) this.disabledNow = [];
  }

  private pickAnew(ready: readonly Context[], last: Context | undefined): number {
    if (this.points.length >= this.depthMax) {
      this.beginnings.push(structuredClone(this.points));
      this.cut = true;
      return CUT;
    }
    const ids = ready.map(({ id }) => id);
    const awake = this.asleep.size === 0 ? ids : ids.filter((id) => !this.asleep.has(id));
    const first = last !== undefined && awake.includes(last.id) ? last.id : awake[0];
    if (first === undefined) {
      this.cut = true;
      return CUT;
    }
    const wanted = new Set([first, ...(this.reduction === 'races' ? [] : awake)]);
    const names = ready.map(({ name }) => name);
    const { asleep } = this;
    const point: Pick = { ready: ids, names, asleep, wanted, done: NOBODY, chosen: first, touches: [] };
    this.points.push(point);
    return this.go(ready, point);
  }

  private go(ready: readonly Context[], point: Pick): number {
    this.depthOfStep = this.depth++;
    this.steps++;
    let at = ready.length - 1;
    while (at >= 0 && ready[at]?.id !== point.chosen) at--;
    if (at === -1)
      throw new Diverged(`${point.names[point.ready.indexOf(point.chosen)]} cannot run where it did before`);
    return at;
  }

  /** Those who were run from here before sleep from now on, until something meets what they touch. */
  private fallAsleep(point: Pick, touches: readonly number[]): void {
    this.asleep = NOBODY;
    if (point.asleep.size === 0 && point.done.size === 0) return;
    const asleep = new Map<number, readonly number[]>();
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
    if ((this.pointOf[step] as number) < this.fixed) return;
    for (const { id, ready } of this.disabledNow) {
      if (ready || !point.ready.includes(id)) continue;
      if (!point.asleep.has(id)) point.wanted.add(id);
      // It may have gone on behind a step that wakes it; which one that is shows only when it does.
      else for (const other of point.ready) point.wanted.add(other);
    }
  }

  cutShort(context: Context): void {
    if (this.steps >= this.kept) this.considerOperation(context);
  }

  private consider(context: Context): void {
    if (!context.ready) this.considerOperation(context);
  }

  private considerOperation(context: Context): void {
    const { operation } = context;
    if (operation === undefined) return;
    this.waiting.clear();
    operation.object.touch(operation, this.waiting);
    this.history.consider(context.id, this.waiting.touches, this.onRace);
  }

  private readonly onRace = (first: number, second: number, ordered: Int32Array): boolean => {
    const at = this.pointOf[first] as number;
    // Whoever began so has seen to all that could have come instead.
    if (at < this.fixed) return true;
    const point = this.points[at] as Pick;
    const candidates = this.history.initials(first, second, ordered).filter((id) => point.ready.includes(id));
    const chosen = candidates[0];
    if (chosen === undefined) return false;
    if (!candidates.some((id) => point.wanted.has(id) || point.asleep.has(id))) point.wanted.add(chosen);
    const before = candidates.includes(second) ? point.asleep.get(second) : undefined;
    if (before !== undefined && this.touches !== undefined) {
      this.lessened.note({ step: this.pointOf.length - 1, context: second, by: first }, before, this.touches);
    }
    return true;
  };

  /** One of `leaders` is to come before the step because of which another one, of `context`, touched less. */
  private readonly wantBefore = ({ by, context }: Lessened, leaders: readonly number[]): void => {
    const point = this.points[this.pointOf[by] as number] as Pick;
    const able = leaders.filter((id) => point.ready.includes(id));
    const isSeenTo = (id: number): boolean => point.wanted.has(id) || (point.asleep.has(id) && id !== context);
    if (able[0] !== undefined && !able.some(isSeenTo)) point.wanted.add(able[0]);
  };
}

/** Goes on to the next one who is wanted at this point; false when there is none. */
function chooseNext(point: Pick): boolean {
  point.done = new Map([...point.done, [point.chosen, point.touches]]);
  for (const id of point.wanted) {
    if (point.done.has(id) || point.asleep.has(id)) continue;
    point.chosen = id;
    point.touches = [];
    return true;
  }
  return false;
}

function union(known: readonly number[], more: readonly number[]): readonly number[] {
  if (known.length === 0) return more;
  const fresh = more.filter((touch) => !known.includes(touch));
  return fresh.length === 0 ? known : [...known, ...fresh];
}
