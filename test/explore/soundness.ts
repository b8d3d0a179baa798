/** Holds the reduced search against plain enumeration on one random program. */
import { enumerate } from './enumerate.ts';
import { type ProgramPlan, programOf, randomPlan } from './random-program.ts';

export interface Comparison {
  readonly verdict: 'agrees' | 'too large' | 'differs';
  readonly problem: string;
  readonly naive: number;
  readonly reduced: number;
  readonly cut: number;
}

/** Programs with more orders than `runsMax` are left out: plain enumeration would take too long. `kinds`: of these alone. */
export function compare(seed: number, runsMax: number, kinds?: readonly string[]): Comparison {
  const plan = randomPlan(seed, kinds);
  // Half of the programs leave open when a timer fires.
  const compared = comparePlan(plan, { anyTime: seed % 2 === 0, runsMax });
  const { problem } = compared;
  return problem === '' ? compared : { ...compared, problem: `seed ${seed}: ${problem}: ${JSON.stringify(plan)}` };
}

export function comparePlan(
  plan: ProgramPlan,
  options: { readonly anyTime: boolean; readonly runsMax: number },
): Comparison {
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
  const verdict = problems.length === 0 ? 'agrees' : 'differs';
  return { verdict, problem: problems.join('; '), naive: naive.complete, reduced: reduced.complete, cut: reduced.cut };
}

function missing(what: string, all: ReadonlySet<string>, some: ReadonlySet<string>): string {
  const lost = [...all].filter((end) => !some.has(end));
  return lost.length === 0 ? '' : `${what} ${lost.length} of ${all.size} ends, such as ${lost[0]?.slice(0, 400)}`;
}
