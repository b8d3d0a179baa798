/** Known races, each searched on a kernel without its fix and on one with it. */
import type { ExploreOptions } from '../explore/explore.ts';
import { breakOf, type RaceReport } from '../report/races.ts';
import type { Crew } from './crew.ts';
import { exploreWith } from './explore.ts';

/** `places`: of the two programs. */
export async function searchRace<Spec>(
  crew: Crew<Spec>,
  { race, name }: Pick<RaceReport, 'race' | 'name'>,
  places: { readonly without: number; readonly fixed: number },
  options: ExploreOptions,
): Promise<RaceReport> {
  const without = await exploreWith(crew, places.without, options);
  const broken = breakOf(race, without);
  const smallest =
    broken && (await crew.do(places.without, { kind: 'minimise', order: broken.order, key: broken.key }));
  const fixed = await exploreWith(crew, places.fixed, options);
  const milliseconds = crew.millisecondsOf(places.without) + crew.millisecondsOf(places.fixed);
  return { race, name, without, fixed, preemptions: smallest?.preemptions, milliseconds };
}

/** Does something with each, with so many at a time; results stand in the order of the things. */
export async function each<T, R>(things: readonly T[], atOnce: number, work: (thing: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = things.entries();
  const go = async (): Promise<void> => {
    for (const [at, thing] of left) results[at] = await work(thing);
  };
  await Promise.all(Array.from({ length: atOnce }, go));
  return results;
}
