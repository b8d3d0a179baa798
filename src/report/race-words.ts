/** The two operations that raced in words, for the terminal and for a page alike. */
import type { RacingPair } from '../explore/racing-pair.ts';
import { operationOf } from './story-lanes.ts';

/** Where the two stand in a story. */
export const RACE_SIGNS = { first: '①', second: '②' } as const;
/** The finding, and the earlier of the two moments that make it. */
export const MOMENT_SIGNS = { found: '✗', since: '◇' } as const;

export const sayRace = ({ object }: RacingPair): string => `The race: both touch ${object}.`;

/** `step 603: udev-worker 3: get nic1.vf.flags (4098), without a lock` */
export function saySide(race: RacingPair, which: 'first' | 'second'): string {
  const side = race[which];
  const locks = side.holding.length === 0 ? 'without a lock' : `holding ${side.holding.join(', ')}`;
  const when = side.waits ? `behind step ${side.step}` : `step ${side.step}`;
  return `${when}: ${side.context}: ${operationOf(side)}, ${locks}`;
}

export const sayOtherWay = (key: string): string => `The other way round "${key}" is gone.`;

/** `runs`: orders that were tried. */
export function sayNoRace(runs: number): string {
  if (runs === 0) return 'It fails in every order tried: no two operations here could have come the other way round.';
  const tried = runs === 1 ? 'the one exchange' : `${runs} exchanges`;
  return `It fails in every order tried: ${tried} of two operations did not help.`;
}

export const sayMoment = (key: string): string => `the earlier of the two moments that make ${key}`;
