/** What a search found, each with the smallest order that shows it and the story of that order. */
import type { Exploration, Found } from '../explore/explore.ts';
import type { Minimised } from '../explore/minimise.ts';
import type { Story } from '../explore/story.ts';
import { isInEveryOrder } from '../report/exploration.ts';
import type { Crew } from './crew.ts';

export interface Retold {
  readonly found: Found;
  readonly smallest: Minimised;
  readonly story: Story;
}

/** More would scroll away the first ones. Invented. */
const MOST = 5;

/**
 * The first findings that not every order has: one that every order has needs no order to show it. `one`: if there is
 * no other, one of those nevertheless. What was stopped meanwhile is left out.
 */
export async function retell<Spec>(
  crew: Crew<Spec>,
  program: number,
  exploration: Exploration,
  { one }: { readonly one: boolean },
): Promise<readonly Retold[]> {
  const telling = exploration.found.filter((found) => !isInEveryOrder(found, exploration)).slice(0, MOST);
  const all = telling.length > 0 || !one ? telling : exploration.found.slice(0, 1);
  const told = await Promise.all(
    all.map(async (found) => {
      const { key } = found;
      const smallest = await crew.do(program, { kind: 'minimise', order: found.order, key });
      const story = smallest && (await crew.do(program, { kind: 'tell', order: smallest.order, key }));
      return smallest === undefined || story === undefined ? [] : [{ found, smallest, story }];
    }),
  );
  return told.flat();
}
