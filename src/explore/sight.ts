/** One run of an order, looked at closely: every step with what it touched, who waits in the end, and what was told. */
import type { Nanoseconds } from '../base/time.ts';
import type { Context } from '../sim/context.ts';
import { Footprint } from '../sim/footprint.ts';
import { Mutex } from '../sim/mutex.ts';
import type { Operation, Peek, SharedObject } from '../sim/operation.ts';
import type { Step, Strategy } from '../sim/strategy.ts';
import { isStuck } from '../sim/stuck.ts';
import type { Event } from '../trace/event.ts';
import { FollowLeniently } from './follow-leniently.ts';
import type { Outcome, Program } from './program.ts';
import type { Choice } from './schedule.ts';

export interface SeenStep {
  readonly number: number;
  readonly time: Nanoseconds;
  readonly context: Context;
  readonly object: SharedObject;
  readonly kind: string;
  readonly before: Peek;
  readonly after: Peek;
  /** Who could have gone on when this step was picked instead. */
  readonly preempted: Context | undefined;
  /** Ids of those who could run. */
  readonly ready: readonly number[];
  readonly touches: readonly number[];
  /** Who began in it. */
  readonly children: readonly Context[];
  /** Who held the lock before it, where its object is one. */
  readonly owner: Context | undefined;
}

/** Somebody who waits when nothing can run, and not because there is nothing to do. */
export interface SeenWait {
  /** Index of the first step that came after it had begun to wait and nothing could run. */
  readonly at: number;
  readonly context: Context;
  readonly object: SharedObject;
  readonly kind: string;
  readonly touches: readonly number[];
}

export interface Sight {
  /** Those of the searched window. */
  readonly steps: readonly SeenStep[];
  /** Indices of the steps before which nothing could run until time went on. */
  readonly rests: ReadonlySet<number>;
  readonly waits: readonly SeenWait[];
  readonly events: readonly Event[];
  readonly preemptions: number;
  readonly outcome: Outcome;
}

/** Runs the program in this order, followed leniently. */
export function lookAt(program: Program, order: readonly Choice[]): Sight {
  const witness = new Witness(order);
  const events: Event[] = [];
  const outcome = program(witness, (event) => events.push(event));
  witness.fired();
  const { steps, rests, waits, preemptions } = witness;
  return { steps, rests, waits, events, preemptions, outcome };
}

class Witness extends FollowLeniently implements Strategy {
  readonly steps: SeenStep[] = [];
  readonly rests = new Set<number>();
  readonly waits: SeenWait[] = [];
  readonly footprint = new Footprint();
  private readonly waiting = new Set<Operation>();
  /** All who did a step, or waited where one was done. */
  private readonly seen = new Set<Context>();
  private children: Context[] = [];
  private picked: Pick<SeenStep, 'object' | 'preempted' | 'ready' | 'owner'> | undefined;
  private step: Step | undefined;

  override pick(ready: readonly Context[], last: Context | undefined): number {
    const at = super.pick(ready, last);
    const { object } = (ready[at] as Context).operation as Operation;
    const owner = object instanceof Mutex ? object.heldBy() : undefined;
    this.picked = { object, preempted: this.preempted, ready: ready.map(({ id }) => id), owner };
    this.children = [];
    return at;
  }

  spawned(context: Context): void {
    this.children.push(context);
  }

  fired(): void {
    this.rests.add(this.steps.length);
    for (const context of this.seen) {
      const { operation, ready } = context;
      if (operation !== undefined && !ready && isStuck(context)) this.noteWait(operation, context);
    }
  }

  did(step: Step): void {
    this.step = step;
  }

  touched(): void {
    const { step, picked, children } = this;
    if (step === undefined || picked === undefined) return;
    const { number, time, context, kind, before, after } = step;
    for (const each of [context, ...picked.object.pending]) this.seen.add(each);
    const touches = this.footprint.touches.slice();
    this.steps.push({ number, time, context, kind, before, after, ...picked, touches, children });
  }

  private noteWait(operation: Operation, context: Context): void {
    if (this.waiting.has(operation)) return;
    this.waiting.add(operation);
    const { object, kind } = operation;
    const footprint = new Footprint();
    object.touch(operation, footprint);
    this.waits.push({ at: this.steps.length, context, object, kind, touches: footprint.touches });
  }
}
