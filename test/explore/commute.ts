/**
 * Looks for state that steps share without saying so: in a random order, two neighbouring steps that are said to
 * commute are exchanged, and everything behind them must be as it was.
 */
import { Random } from '../../src/base/random.ts';
import type { Outcome, Program } from '../../src/explore/program.ts';
import type { Context } from '../../src/sim/context.ts';
import { Footprint, meet } from '../../src/sim/footprint.ts';
import { CUT, type Step, type Strategy } from '../../src/sim/strategy.ts';

interface Recorded {
  readonly context: number;
  readonly name: string;
  readonly what: string;
  readonly values: string;
  readonly touches: readonly number[];
  /** Who could run before the step. */
  readonly ready: readonly number[];
}

/** Draws each decision, or follows those of another run, and keeps what every step was. */
class Recording implements Strategy {
  readonly footprint = new Footprint();
  readonly steps: Recorded[] = [];
  private ready: readonly number[] = [];
  private step: Step | undefined;
  private readonly decide: (ready: readonly Context[], at: number) => number;

  constructor(decide: (ready: readonly Context[], at: number) => number) {
    this.decide = decide;
  }

  begin(): void {}

  pick(ready: readonly Context[]): number {
    this.ready = ready.map(({ id }) => id);
    return this.decide(ready, this.steps.length);
  }

  value(): number {
    return 0;
  }

  did(step: Step): void {
    this.step = step;
  }

  touched(context: Context): void {
    const { object, kind, before, after } = this.step as Step;
    this.steps.push({
      context: context.id,
      name: context.name,
      what: `${context.name}: ${kind} ${object}`,
      values: `${before} -> ${after}`,
      touches: this.footprint.touches.slice(),
      ready: this.ready,
    });
  }
}

/** Exchanges up to `pairsMax` pairs of one random order, chosen at random; tells the first that makes a difference. */
export function findDifference(program: Program, seed: number, pairsMax: number): { pairs: number; problem?: string } {
  const random = new Random(seed);
  const original = new Recording((ready) => random.below(ready.length));
  const outcome = program(original);
  const pairs = commutingPairs(original.steps);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(pairsMax, pairs.length)) chosen.add(pairs[random.below(pairs.length)] as number);
  for (const first of chosen) {
    const problem = exchange(program, original.steps, outcome, first);
    if (problem !== undefined) return { pairs: chosen.size, problem: `seed ${seed}: ${problem}` };
  }
  return { pairs: chosen.size };
}

function commutingPairs(steps: readonly Recorded[]): readonly number[] {
  const pairs: number[] = [];
  for (let i = 0; i + 1 < steps.length; i++) {
    const [one, other] = [steps[i] as Recorded, steps[i + 1] as Recorded];
    if (one.context === other.context || !one.ready.includes(other.context)) continue;
    if (!meet(one.touches, other.touches)) pairs.push(i);
  }
  return pairs;
}

function exchange(program: Program, steps: readonly Recorded[], outcome: Outcome, first: number): string | undefined {
  const order = steps.slice();
  const [one, other] = [steps[first] as Recorded, steps[first + 1] as Recorded];
  order[first] = other;
  order[first + 1] = one;
  const again = new Recording((ready, at) => {
    const name = order[at]?.name;
    const index = ready.findIndex((context) => context.name === name);
    return index === -1 ? CUT : index;
  });
  const result = program(again);
  const pair = `"${one.what}" and "${other.what}" (steps ${first + 1} and ${first + 2}) are exchanged`;
  for (let i = first; i < order.length; i++) {
    const [was, is] = [order[i] as Recorded, again.steps[i]];
    if (is?.what !== was.what) return `${pair}: step ${i + 1} is not "${was.what}" but "${is?.what ?? 'nothing'}"`;
    const isOfPair = i <= first + 1;
    if (!isOfPair && is.values !== was.values)
      return `${pair}: step ${i + 1}, ${was.what}, is not ${was.values} but ${is.values}`;
  }
  const [was, is] = [keysOf(outcome), keysOf(result)];
  return was === is ? undefined : `${pair}: found "${is}", not "${was}"`;
}

const keysOf = ({ found }: Outcome): string => [...new Set(found.map(({ key }) => key))].sort().join(', ');
