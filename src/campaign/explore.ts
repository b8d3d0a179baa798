/** A search whose jobs a crew does: the same result as in one thread, and sooner. */
import { type Exploration, type ExploreOptions, planSearch } from '../explore/explore.ts';
import { type Job, NOTHING } from '../explore/job.ts';
import type { Crew } from './crew.ts';

/** `onJobs` is told of jobs before they are done. */
export async function exploreWith<Spec>(
  crew: Crew<Spec>,
  program: number,
  options: ExploreOptions,
  onJobs: (jobs: readonly Job[]) => void = () => {},
): Promise<Exploration> {
  const search = planSearch(options);
  let next = search.next();
  while (next.done !== true) {
    const jobs = next.value;
    onJobs(jobs);
    const results = await Promise.all(jobs.map((job) => crew.do(program, job)));
    next = search.next(results.map((result) => result ?? NOTHING));
  }
  return next.value;
}
