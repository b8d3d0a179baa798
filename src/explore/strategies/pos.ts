import { Random } from '../../base/random.ts';
import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/**
 * Partial-order sampling: every waiting operation has a random priority, and after a step those that wait at the same
 * object get new ones, so that orders which differ only in independent steps are not tried again and again.
 * Source: Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018.
 */
export class Pos implements Strategy {
  /** There once a run has begun. */
  private random!: Random;
  private readonly seed: number;
  private readonly priorities = new Map<number, number>();

  constructor(seed: number) {
    this.seed = seed;
  }

  begin(): void {
    this.random = new Random(this.seed);
    this.priorities.clear();
  }

  pick(ready: readonly Context[]): number {
    let best = 0;
    let most = -1;
    for (let i = 0; i < ready.length; i++) {
      const priority = this.priorityOf((ready[i] as Context).id);
      if (priority <= most) continue;
      most = priority;
      best = i;
    }
    for (const rival of (ready[best] as Context).operation?.object.pending ?? []) this.priorities.delete(rival.id);
    return best;
  }

  value(_why: string, n: number): number {
    return this.random.below(n);
  }

  private priorityOf(id: number): number {
    let priority = this.priorities.get(id);
    if (priority === undefined) {
      priority = this.random.next();
      this.priorities.set(id, priority);
    }
    return priority;
  }
}
