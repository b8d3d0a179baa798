/**
 * Where an order departs from the usual one, each told by what its own contexts have done: "when the probe has done 7
 * steps, the manager goes on". A point means the same whatever becomes of the others, so that any of them can be left out.
 */
import type { Context } from '../sim/context.ts';
import type { Strategy } from '../sim/strategy.ts';
import { AS_USUAL, addStep, type Choice } from './schedule.ts';
import { KeepRunning } from './strategies/keep-running.ts';

export interface TurningPoint {
  /** Who has run last, the clock aside; empty before the first step. */
  readonly after: string;
  /** How many steps it has done. */
  readonly steps: number;
  /** Who goes on instead of whoever usually would. */
  readonly to: string;
}

/** What is usual at each step of a run, and where the run stands. */
class Course {
  private readonly base = new KeepRunning();
  private readonly done = new Map<string, number>();
  private running: Context | undefined;

  /** Called before each step: who ran last in the whole run, before this part of it too. */
  begin(last: Context | undefined): void {
    if (last?.side !== 'clock') this.running = last;
  }

  usual(ready: readonly Context[]): number {
    return this.base.pick(ready, this.running);
  }

  get place(): Omit<TurningPoint, 'to'> {
    const after = this.running?.name ?? '';
    return { after, steps: this.done.get(after) ?? 0 };
  }

  went(context: Context | undefined): void {
    if (context !== undefined) this.done.set(context.name, (this.done.get(context.name) ?? 0) + 1);
  }
}

/** Lets another strategy decide, and notes where that is not the usual. */
export class NoteTurningPoints implements Strategy {
  points: TurningPoint[] = [];
  private readonly inner: Strategy;
  private course = new Course();

  constructor(inner: Strategy) {
    this.inner = inner;
  }

  begin(): void {
    this.points = [];
    this.course = new Course();
    this.inner.begin();
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    const { course } = this;
    course.begin(last);
    const at = this.inner.pick(ready, last);
    const chosen = ready[at];
    if (chosen !== undefined && at !== course.usual(ready)) this.points.push({ ...course.place, to: chosen.name });
    course.went(chosen);
    return at;
  }

  value(why: string, n: number): number {
    return this.inner.value(why, n);
  }
}

/** The usual order, but for these points; one that is never reached, or at which nobody of that name can run, is none. */
export class FollowTurningPoints implements Strategy {
  /** The same order, to be followed leniently. */
  order: Choice[] = [];
  private readonly points: readonly TurningPoint[];
  private readonly values: Strategy;
  private course = new Course();
  /** Who goes on at a place, in their order: the clock comes between without the place becoming another one. */
  private readonly next = new Map<string, string[]>();

  /** `values` decides what is no question of who goes next. */
  constructor(points: readonly TurningPoint[], values: Strategy) {
    this.points = points;
    this.values = values;
  }

  begin(): void {
    this.order = [];
    this.course = new Course();
    this.next.clear();
    for (const point of this.points) {
      const key = keyOf(point);
      this.next.set(key, [...(this.next.get(key) ?? []), point.to]);
    }
    this.values.begin();
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    const { course } = this;
    course.begin(last);
    const to = this.next.get(keyOf(course.place))?.shift();
    const turned = ready.findIndex(({ name }) => name === to);
    const at = turned === -1 ? course.usual(ready) : turned;
    addStep(this.order, turned === -1 || to === undefined ? AS_USUAL : to);
    course.went(ready[at]);
    return at;
  }

  value(why: string, n: number): number {
    const value = this.values.value(why, n);
    this.order.push({ why, value });
    return value;
  }
}

const keyOf = ({ after, steps }: Omit<TurningPoint, 'to'>): string => `${steps} ${after}`;
