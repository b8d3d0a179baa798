import type { Nanoseconds } from '../base/time.ts';
import type { Context } from './context.ts';
import type { Footprint } from './footprint.ts';
import { type Operation, SharedObject } from './operation.ts';
import type { Simulation } from './simulation.ts';

/** One context's sleep: its timer is set when it arrives, and lets it go on. */
export class Sleep extends SharedObject {
  private over = false;
  private readonly span: Nanoseconds;
  private readonly why: string;

  constructor(sim: Simulation, span: Nanoseconds, why: string) {
    super(sim, 'sleep');
    this.span = span;
    this.why = why;
  }

  override arrive(_operation: Operation, context: Context): void {
    context.waitingFor = this.why;
    this.sim.after(this.span, () => {
      this.sim.footprint?.give(this.place);
      this.over = true;
      this.changed();
    });
  }

  enabled(): boolean {
    return this.over;
  }

  perform(_operation: Operation, context: Context): void {
    context.waitingFor = undefined;
  }

  override touch(_operation: Operation, footprint: Footprint): void {
    footprint.need(this.place);
  }

  peek(): boolean {
    return this.over;
  }
}
