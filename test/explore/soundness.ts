/** Holds the reduced search against plain enumeration on one random program. */
import { enumerate } from './enumerate.ts';
import { programOf, randomPlan } from './random-program.ts';

export interface Comparison {
  readonly verdict: 'agrees' | 'too large' | 'differs';
  readonly problem: string;
  readonly naive: number;
  readonly reduced: number;
  readonly cut: number;
}

/** Programs with more orders than `runsMax` are left out: plain enumeration would take too long. */
export function compare(seed: number, runsMax: number): Comparison {
  const plan = randomPlan(seed);
  // Half of the programs leave open when a timer fires.
  const options = { anyTime: seed % 2 === 0, runsMax };
  const naive = enumerate(programOf(plan), { ...options, reduction: 'none' });
  if (!naive.whole) return { verdict: 'too large', problem: '', naive: naive.complete, reduced: 0, cut: 0 };
  const sleeping = enumerate(programOf(plan), { ...options, reduction: 'sleep-sets' });
  const reduced = enumerate(programOf(plan), { ...options, reduction: 'races' });
  const problems = [
    missing('sleep sets miss', naive.ends, sleeping.ends),
    missing('the reduced search misses', naive.ends, reduced.ends),
    missing('the reduced search invents', reduced.ends, naive.ends),
    sleeping.complete === reduced.complete
      ? ''
      : `${sleeping.complete} orders by sleep sets, ${reduced.complete} reduced`,
  ].filter((problem) => problem !== '');
  return {
    verdict: problems.length === 0 ? 'agrees' : 'differs',
    problem: problems.length === 0 ? '' : `seed ${seed}: ${problems.join('; ')}: ${JSON.stringify(plan)}`,
    naive: naive.complete,
    reduced: reduced.complete,
    cut: reduced.cut,
  };
}

function missing(what: string, all: ReadonlySet<string>, some: ReadonlySet<string>): string {
  const lost = [...all].filter((end) => !some.has(end));
  return lost.length === 0 ? '' : `${what} ${lost.length} of ${all.size} ends, such as ${lost[0]?.slice(0, 400)}`;
}
