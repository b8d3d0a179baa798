/** What a campaign's threads do for it: a piece of a search, and what makes of its findings something to read. */
import { type Job, type JobResult, type Pause, runJob } from '../explore/job.ts';
import { type Minimised, minimise } from '../explore/minimise.ts';
import type { Program } from '../explore/program.ts';
import type { Choice } from '../explore/schedule.ts';
import { type Story, tellStory } from '../explore/story.ts';

/** To be done with an order that leads to a finding. */
interface OfFinding<Kind extends string> {
  readonly kind: Kind;
  readonly order: readonly Choice[];
  readonly key: string;
}

export type Errand = Job | OfFinding<'minimise'> | OfFinding<'tell'>;

/** What comes of an errand. */
export type ResultOf<E extends Errand> = E extends Job
  ? JobResult
  : E extends OfFinding<'minimise'>
    ? Minimised
    : Story;
export type Result = ResultOf<Errand>;

/** Only jobs can be paused; the rest is short. */
export function carryOut(program: Program, errand: Errand, pause: Pause): Result {
  if (errand.kind === 'minimise') return minimise(program, errand.order, errand.key);
  if (errand.kind === 'tell') return tellStory(program, errand.order, errand.key);
  return runJob(program, errand, pause);
}
