import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';
import { KeepRunning } from './keep-running.ts';

/** A point at which something else than usual could have been decided. */
interface Point {
  /** How many ways there were. */
  readonly n: number;
  readonly usual: number;
  /** Which of the ways is taken: 0 is the usual one, and the others follow in their order. */
  turn: number;
  /** Departures before this point. */
  readonly before: number;
}

/**
 * All orders that depart at most so many times from the one in which everybody runs on until he blocks: for what is too
 * large to be searched completely.
 * Source: Emmi, Qadeer, Rakamaric, "Delay-Bounded Scheduling", POPL 2011 (a departure here may pick anybody).
 */
export class Departing implements Strategy {
  private readonly most: number;
  private readonly keepRunning = new KeepRunning();
  private readonly points: Point[] = [];
  private depth = 0;
  private departures = 0;

  constructor(most: number) {
    this.most = most;
  }

  begin(): void {
    this.depth = 0;
    this.departures = 0;
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    return this.decide(ready.length, this.keepRunning.pick(ready, last));
  }

  value(_why: string, n: number): number {
    return this.decide(n, 0);
  }

  /** Prepares the next run; false when there is none. */
  advance(): boolean {
    for (;;) {
      const point = this.points.pop();
      if (point === undefined) return false;
      if (point.turn + 1 >= point.n || point.before >= this.most) continue;
      this.points.push({ ...point, turn: point.turn + 1 });
      return true;
    }
  }

  private decide(n: number, usual: number): number {
    if (n === 1) return usual;
    const { depth, departures: before } = this;
    const point = this.points[depth] ?? { n, usual, turn: 0, before };
    this.points[depth] = point;
    this.depth++;
    if (point.turn === 0) return usual;
    this.departures++;
    return point.turn <= usual ? point.turn - 1 : point.turn;
  }
}
