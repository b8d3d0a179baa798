/** What is searched: something that can be run again and again, each time in the order that a strategy decides. */
import type { Stop } from '../sim/simulation.ts';
import type { Strategy } from '../sim/strategy.ts';
import type { Listener } from '../trace/recorder.ts';

/** One thing that was found wrong in a run. Two runs have found the same when the keys are equal. */
export interface Found {
  /** `one-lease-per-mac`, `deadlock`, `line 12: expect ...`. */
  readonly key: string;
  /** What was found, in a sentence. */
  readonly text: string;
}

export interface Outcome {
  readonly found: readonly Found[];
  readonly stop: Stop;
  readonly steps: number;
  /** Why there is no verdict: a limit of the single run. */
  readonly limit?: string | undefined;
}

/**
 * Runs once. Two runs with strategies that decide alike must be the same, step by step. `listener` sees every event of
 * the run.
 */
export type Program = (strategy: Strategy, listener?: Listener) => Outcome;
