/** What a campaign's threads do for it: a piece of a search, or the smallest order that shows what was found. */
import { type Job, type JobResult, type Pause, runJob } from '../explore/job.ts';
import { type Minimised, minimise } from '../explore/minimise.ts';
import type { Program } from '../explore/program.ts';
import type { Choice } from '../explore/schedule.ts';

export type Errand = Job | Retell;

/** Make this order, which leads to a finding, one that can be told. */
export interface Retell {
  readonly kind: 'retell';
  readonly order: readonly Choice[];
  readonly key: string;
}

/** What comes of an errand. */
export type ResultOf<E extends Errand> = E extends Job ? JobResult : Minimised;
export type Result = ResultOf<Errand>;

/** Only jobs can be paused; the rest is short. */
export function carryOut(program: Program, errand: Errand, pause: Pause): Result {
  return errand.kind === 'retell' ? minimise(program, errand.order, errand.key) : runJob(program, errand, pause);
}
