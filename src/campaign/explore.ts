/** A search of a program by a crew: the same as in one thread, and sooner. */
import { type Exploration, type ExploreOptions, type Plan, planSearch } from '../explore/explore.ts';
import { type Job, NOTHING } from '../explore/job.ts';
import type { Crew } from './crew.ts';

/** `onJobs` is told of jobs before they are done. */
export function exploreWith<Spec>(
  crew: Crew<Spec>,
  program: number,
  options: ExploreOptions,
  onJobs?: (jobs: readonly Job[]) => void,
): Promise<Exploration> {
  return followWith(crew, program, planSearch(options), onJobs);
}

/** The same for a plan that is more than one search. */
export async function followWith<Spec>(
  crew: Crew<Spec>,
  program: number,
  plan: Plan,
  onJobs: (jobs: readonly Job[]) => void = () => {},
): Promise<Exploration> {
  let next = plan.next();
  while (next.done !== true) {
    const jobs = next.value;
    onJobs(jobs);
    const results = await Promise.all(jobs.map((job) => crew.do(program, job)));
    next = plan.next(results.map((result) => result ?? NOTHING));
  }
  return next.value;
}
