import type { Nanoseconds } from '../base/time.ts';
import type { Operation } from './operation.ts';

/** Which side a context belongs to; the default order lets user mode react at once, and never picks the clock. */
export type ContextSide = 'guest' | 'user' | 'host' | 'scenario' | 'clock';

/** What a context runs: a generator, or a record-driven worker that acts like one. */
export interface Runner {
  next(result: unknown): IteratorResult<Operation, unknown>;
}

/**
 * A thread of execution of the modelled machine. Between two operations nothing else runs, so what a context does
 * there is its own.
 */
export class Context {
  readonly id: number;
  readonly name: string;
  readonly side: ContextSide;
  /** A daemon may wait for ever (a worker with nothing to do); for others that is a finding. */
  readonly daemon: boolean;
  readonly runner: Runner;
  /** The next operation; undefined once the context has ended. */
  operation: Operation | undefined;
  /** Whether {@link operation} can run now. Kept by the simulation. */
  ready = false;
  /** Since when it waits, if it does: the moment, and the step. Kept by the simulation. */
  since: Nanoseconds = 0;
  sinceStep = 0;
  /** What a long wait is for, in words, when the operation's object does not say enough. */
  waitingFor: string | undefined;

  constructor(id: number, name: string, side: ContextSide, daemon: boolean, runner: Runner) {
    this.id = id;
    this.name = name;
    this.side = side;
    this.daemon = daemon;
    this.runner = runner;
  }

  get ended(): boolean {
    return this.operation === undefined;
  }
}
