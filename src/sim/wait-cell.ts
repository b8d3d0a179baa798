import type { Nanoseconds } from '../base/time.ts';
import type { Timer } from './clock.ts';
import type { Footprint } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';
import type { Simulation } from './simulation.ts';

/**
 * An answer that somebody waits for, with or without a limit: the one who answers and the timer write the same
 * object, and whoever comes first is what the waiter gets.
 */
export class WaitCell<T> extends SharedObject {
  private state: 'open' | 'answered' | 'timed-out' = 'open';
  private answer: T | undefined;
  private timer: Timer | undefined;

  constructor(sim: Simulation, name: string, limit?: Nanoseconds) {
    super(sim, name);
    if (limit === undefined) return;
    this.timer = sim.after(limit, () => {
      if (this.state !== 'open') return;
      if (sim.footprint !== undefined) this.touchResolve(sim.footprint);
      this.state = 'timed-out';
      this.changed();
    });
  }

  /** Whether a wait here ends by itself. */
  get limited(): boolean {
    return this.timer !== undefined;
  }

  /** Gives the answer; false when it came too late or another was there first. */
  resolve(answer: T): Operation<boolean> {
    return new Operation(this, 'resolve', answer);
  }

  /** The answer, or undefined when the limit was reached before it. */
  wait(): Operation<T | undefined> {
    return new Operation(this, 'wait');
  }

  /** Gives the answer from outside of all contexts. */
  inject(answer: T): void {
    if (this.sim.footprint !== undefined) this.touchResolve(this.sim.footprint);
    this.settle(answer);
    this.changed();
  }

  enabled(operation: Operation): boolean {
    return operation.kind === 'resolve' || this.state !== 'open';
  }

  perform(operation: Operation): boolean | T | undefined {
    return operation.kind === 'resolve' ? this.settle(operation.arg as T) : this.answer;
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'wait') footprint.need(this.place);
    else this.touchResolve(footprint);
  }

  peek(): string {
    return this.state;
  }

  /** Of several answers only the first counts. */
  private touchResolve(footprint: Footprint): void {
    if (this.state === 'open') footprint.give(this.place);
    else footprint.read(this.place);
  }

  private settle(answer: T): boolean {
    if (this.state !== 'open') return false;
    this.state = 'answered';
    this.answer = answer;
    if (this.timer !== undefined) this.sim.cancel(this.timer);
    return true;
  }
}
