/** How a run ended. */
import type { Nanoseconds } from '../base/time.ts';
import type { Stop } from '../sim/simulation.ts';

/** One thing that was not as it had to be. */
export interface Failure {
  readonly kind: 'step' | 'expectation' | 'invariant' | 'stuck';
  /** Of the scenario file; undefined where no line is to blame. */
  readonly line: number | undefined;
  /** The step's text, the invariant's name, or what is stuck. */
  readonly what: string;
  /** What was found instead. */
  readonly found: string;
  readonly at: Nanoseconds;
  readonly step: number;
}

export interface Verdict {
  /** 0: held; 1: a failure; 3: a limit was reached before the verdict. */
  readonly exit: 0 | 1 | 3;
  readonly failures: readonly Failure[];
  /** Where an invariant would be broken but for a reason that its source names, in words. */
  readonly exemptions: readonly string[];
  /** With exit 3: which limit, and who was still running. */
  readonly limit: string | undefined;
  readonly stop: Stop;
  readonly counts: { readonly steps: number; readonly events: number; readonly expectations: number };
  readonly endTime: Nanoseconds;
}

/** The verdict in a word or two, by its exit code. */
export const VERDICT_WORDS = { 0: 'held', 1: 'FAILED', 3: 'NO VERDICT' } as const;

/** `line 12: expect datapath of nic1 is vf: synthetic`, for people and for JUnit. */
export function formatFailure(failure: Failure): string {
  const line = failure.line === undefined ? '' : `line ${failure.line}: `;
  return `${line}${failure.what}: ${failure.found}`;
}
