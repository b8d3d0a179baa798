import { Random } from '../../base/random.ts';
import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/** At each step any of those that can run, with equal chances. */
export class Uniform implements Strategy {
  /** The logarithm to base 10 of one divided by the chance that the run had to be drawn. */
  logChance = 0;
  private random: Random;
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  begin(): void {
    this.random = new Random(this.seed);
    this.logChance = 0;
  }

  pick(ready: readonly Context[]): number {
    return this.draw(ready.length);
  }

  value(_why: string, n: number): number {
    return this.draw(n);
  }

  private draw(n: number): number {
    this.logChance += Math.log10(n);
    return this.random.below(n);
  }
}
