/** Known races, each searched on a kernel without its fix and on one with it. */
import type { ExploreOptions } from '../explore/explore.ts';
import { breakOf, type RaceReport } from '../report/races.ts';
import type { Crew } from './crew.ts';
import { exploreWith } from './explore.ts';

/**
 * Orders at most of the search of all orders on a kernel without the fix, and of that by departures: there is something to
 * be found there, and not to be counted to the end.
 */
const UNFIXED_ORDERS_MAX = 300;

/** The same for a cure alone: enough for all orders of a situation in which it holds. */
const REMEDY_ORDERS_MAX = 1000;

/** Where its programs stand among those of the crew. */
export interface RacePlaces {
  readonly without: number;
  readonly fixed: number;
  readonly remedies: readonly { readonly remedy: string; readonly place: number }[];
}

export async function searchRace<Spec>(
  crew: Crew<Spec>,
  { race, name }: Pick<RaceReport, 'race' | 'name'>,
  places: RacePlaces,
  options: ExploreOptions,
): Promise<RaceReport> {
  const within = (most: number) => ({ ...options, ordersMax: Math.min(options.ordersMax, most) });
  const without = await exploreWith(crew, places.without, within(UNFIXED_ORDERS_MAX));
  const broken = breakOf(race, without);
  const smallest =
    broken && (await crew.do(places.without, { kind: 'minimise', order: broken.order, key: broken.key }));
  const fixed = await exploreWith(crew, places.fixed, options);
  const remedies: RaceReport['remedies'][number][] = [];
  for (const { remedy, place } of places.remedies) {
    remedies.push({ remedy, exploration: await exploreWith(crew, place, within(REMEDY_ORDERS_MAX)) });
  }
  const milliseconds = crew.millisecondsOf(places.without) + crew.millisecondsOf(places.fixed);
  return { race, name, without, fixed, remedies, preemptions: smallest?.preemptions, milliseconds };
}
