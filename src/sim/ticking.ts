import type { Clock } from './clock.ts';
import type { Footprint } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';
import type { Simulation } from './simulation.ts';

/**
 * The passing of time as something that can be picked like a context's step, where a timer may fire before what could
 * run: a delay is a bet that the other side is faster, and here it can be lost. Timers fire in their order all the
 * same, and none overtakes one that waits until nothing can run.
 */
export class Ticking extends SharedObject {
  private readonly clock: Clock;

  constructor(sim: Simulation, clock: Clock) {
    super(sim, 'clock');
    this.clock = clock;
  }

  /** What the clock's context does for ever. */
  next(): IteratorResult<Operation, unknown> {
    return { done: false, value: new Operation(this, 'tick') };
  }

  /** To be called when a timer was set. */
  look(): void {
    this.changed();
  }

  enabled(): boolean {
    return this.clock.isImpatientNext();
  }

  perform(): void {
    this.clock.fireNext();
  }

  override touch(_operation: Operation, footprint: Footprint): void {
    footprint.write(this.place);
  }

  peek(): number {
    return this.clock.now;
  }
}
