import { Random } from '../../base/random.ts';
import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/** At each step any of those that can run, with equal chances. */
export class Uniform implements Strategy {
  private random: Random;
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  begin(): void {
    this.random = new Random(this.seed);
  }

  pick(ready: readonly Context[]): number {
    return this.random.below(ready.length);
  }

  value(_why: string, n: number): number {
    return this.random.below(n);
  }
}
