import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../src/explore/explore.ts';
import { findHiddenState } from '../../../src/explore/hidden-state.ts';
import { PROFILES } from '../../../src/guest/freebsd/profile.ts';
import type { BenchOptions } from './net/ifnet-bench.ts';
import { type Build, program } from './threads.ts';

type Fixes = NonNullable<BenchOptions['fixes']>;

/** What goes wrong in some order, and whether all were tried. */
export function verdictOf(build: Build, options: BenchOptions): { wrong: string[]; verdict: Exploration['verdict'] } {
  const { found, verdict } = searchOrders(program(options, build), { ...USUAL_OPTIONS, strategy: 'reduced' });
  return { wrong: found.map(({ key }) => key).sort(), verdict };
}

/** What goes wrong without some fixes, and what in which orders with them; all else is the profile's. */
export function shown(build: Build, fixes: readonly (keyof Fixes)[], options: BenchOptions = {}) {
  const set = (on: boolean): Fixes => ({ ...options.fixes, ...Object.fromEntries(fixes.map((fix) => [fix, on])) });
  const { wrong: without } = verdictOf(build, { ...options, fixes: set(false) });
  const { wrong, verdict } = verdictOf(build, { ...options, fixes: set(true) });
  return { without, with: wrong, verdict };
}

export const gone = (without: readonly string[]) => ({ without, with: [], verdict: 'all' });

/** State that a program has beside what the search knows of, on any of the kernels. */
export function hiddenIn(build: Build): (string | undefined)[] {
  return Object.keys(PROFILES).flatMap((profile) => {
    const searched = program({ profile }, build, { searchesSetUp: true });
    return [1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text);
  });
}

export const NOTHING_HIDDEN = Object.keys(PROFILES).flatMap(() => [undefined, undefined, undefined]);
