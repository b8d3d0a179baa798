import { Random } from '../../base/random.ts';
import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/** Far below what a number can hold, so that one more factor fits. */
const ODDS_MAX = 1e200;

/** At each step any of those that can run, with equal chances. */
export class Uniform implements Strategy {
  /** There once a run has begun. */
  private random!: Random;
  private readonly seed: number;
  /** One divided by the chance of what was drawn so far, or of the last part of it; {@link log} has the rest. */
  private odds = 1;
  private log = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  begin(): void {
    this.random = new Random(this.seed);
    this.odds = 1;
    this.log = 0;
  }

  /** The logarithm to base 10 of one divided by the chance that the run had to be drawn. */
  get logChance(): number {
    return this.log + Math.log10(this.odds);
  }

  pick(ready: readonly Context[]): number {
    return this.draw(ready.length);
  }

  value(_why: string, n: number): number {
    return this.draw(n);
  }

  private draw(n: number): number {
    this.odds *= n;
    if (this.odds > ODDS_MAX) {
      this.log += Math.log10(this.odds);
      this.odds = 1;
    }
    return this.random.below(n);
  }
}
