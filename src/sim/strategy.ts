/** The one interface that decides what is left open, and the order in which `run` decides it. */
import type { Nanoseconds } from '../base/time.ts';
import type { Context } from './context.ts';
import type { Footprint } from './footprint.ts';
import type { Peek } from './operation.ts';

/** Ends the run at this point: the strategy knows that nothing new lies behind it. */
export const CUT = -1;

/** What a step was, for replay checks and for reports. */
export interface Step {
  /** Its number, counted from 1, and the moment. */
  readonly number: number;
  readonly time: Nanoseconds;
  readonly context: Context;
  readonly object: string;
  readonly kind: string;
  readonly before: Peek;
  readonly after: Peek;
}

export interface Strategy {
  /** Called before the first step of each run. */
  begin(): void;
  /** Which of the contexts that can run is next: an index into `ready`, or {@link CUT}. `last` ran the step before. */
  pick(ready: readonly Context[], last: Context | undefined): number;
  /** A number below `n`, where the model leaves a value open. */
  value(why: string, n: number): number;
  /** Whether a timer may fire before what could run: then the clock is one of those that are to be picked. */
  readonly anyTime?: boolean;
  /** Told where a scenario begins and ends what is to be searched: outside of it the usual order is asked for. */
  scope?(all: boolean): void;
  /** Told what each step did; a strategy without it spares the run the making of the record. */
  did?(step: Step): void;
  /** Where the next step is to note what it touches, if it is; asked for before each step. */
  readonly footprint?: Footprint | undefined;
  /** Told, with a {@link footprint}, that a context has done a step: the footprint holds what it touched. */
  touched?(context: Context): void;
  /** A context begins, in a step of `by` or before the first step. */
  spawned?(context: Context, by: Context | undefined): void;
  /** A context that could run cannot any more, by the step at hand. */
  disabled?(context: Context): void;
  /** A context is ended by another one, where it stands. */
  ended?(context: Context): void;
  /** The run ends before the context did what it could have done: its time is over. */
  cutShort?(context: Context): void;
  /** Nothing could run, and a timer has fired. */
  fired?(): void;
}

/**
 * The default order: user mode reacts at once, else the running context goes on until it blocks, else whoever has
 * been able to run the longest.
 */
export class RunOn implements Strategy {
  begin(): void {}

  pick(ready: readonly Context[], last: Context | undefined): number {
    if (ready.length === 1) return 0;
    let lastAt = -1;
    let userAt = -1;
    for (let i = 0; i < ready.length; i++) {
      const context = ready[i] as Context;
      if (context === last) {
        if (context.side === 'user') return i;
        lastAt = i;
      }
      if (userAt === -1 && context.side === 'user') userAt = i;
    }
    if (userAt !== -1) return userAt;
    return lastAt !== -1 && last?.side !== 'clock' ? lastAt : ready.findIndex(({ side }) => side !== 'clock');
  }

  value(): number {
    return 0;
  }
}
