import { Random } from '../../base/random.ts';
import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/**
 * Probabilistic concurrency testing: contexts have random priorities, the first of them runs, and at `depth - 1` random
 * steps the one that runs falls behind all others. It finds a bug that needs `depth` ordered events with a chance of at
 * least 1 / (contexts * steps^(depth - 1)) a run.
 * Source: Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
 */
export class Pct implements Strategy {
  /** There once a run has begun. */
  private random!: Random;
  private readonly seed: number;
  private readonly depth: number;
  /** How many steps at which others could run too a run is expected to have. */
  private readonly length: number;
  private readonly priorities = new Map<number, number>();
  private changes: number[] = [];
  private steps = 0;

  constructor(seed: number, depth: number, length: number) {
    this.seed = seed;
    this.depth = depth;
    this.length = length;
  }

  begin(): void {
    this.random = new Random(this.seed);
    this.priorities.clear();
    this.steps = 0;
    this.changes = this.drawChanges();
  }

  pick(ready: readonly Context[]): number {
    let best = 0;
    let most = -1;
    for (let i = 0; i < ready.length; i++) {
      const priority = this.priorityOf(ready[i] as Context);
      if (priority <= most) continue;
      most = priority;
      best = i;
    }
    const change = ready.length === 1 ? -1 : this.changes.indexOf(this.steps++);
    // Below every priority that a new context can get.
    if (change !== -1) this.priorities.set((ready[best] as Context).id, change / this.depth);
    return best;
  }

  value(_why: string, n: number): number {
    return this.random.below(n);
  }

  /** Different steps, as long as there are enough: two at one step are one, and find less. */
  private drawChanges(): number[] {
    const changes = new Set<number>();
    const wanted = Math.min(this.depth - 1, this.length);
    while (changes.size < wanted) changes.add(this.random.below(this.length));
    return [...changes];
  }

  private priorityOf(context: Context): number {
    let priority = this.priorities.get(context.id);
    if (priority === undefined) {
      priority = 1 + this.random.next();
      this.priorities.set(context.id, priority);
    }
    return priority;
  }
}
