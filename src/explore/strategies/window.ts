import type { Context } from '../../sim/context.ts';
import type { Footprint } from '../../sim/footprint.ts';
import { RunOn, type Step, type Strategy } from '../../sim/strategy.ts';

/**
 * Lets a strategy decide only where the scenario wants its orders searched; elsewhere the usual order is run.
 * A scenario that says nothing of it is searched from its first step on.
 */
export class Window implements Strategy {
  readonly did?: (step: Step) => void;
  readonly touched?: (context: Context) => void;
  readonly spawned?: (context: Context, by: Context | undefined) => void;
  readonly disabled?: (context: Context) => void;
  readonly cutShort?: (context: Context) => void;
  readonly ended?: (context: Context) => void;
  private readonly inner: Strategy;
  private readonly outside: Strategy;
  private readonly openAtFirst: boolean;
  private readonly timersAnyTime: boolean;
  private open: boolean;
  /** What the scenario said last; it holds from the next pick on, or for the end from the next rest on. */
  private wanted: boolean;

  /**
   * `openAtFirst`: the scenario has no line that says from where on. `anyTime`: timers may fire before what could run.
   * `outside` decides where `inner` does not: another order than the usual one is only for what follows a whole run.
   */
  constructor(inner: Strategy, openAtFirst: boolean, anyTime: boolean, outside: Strategy = new RunOn()) {
    this.inner = inner;
    this.outside = outside;
    this.openAtFirst = openAtFirst;
    this.open = openAtFirst;
    this.wanted = openAtFirst;
    this.timersAnyTime = anyTime;
    if (inner.did !== undefined) this.did = (step) => this.open && inner.did?.(step);
    if (inner.touched !== undefined) this.touched = (context) => this.open && inner.touched?.(context);
    if (inner.spawned !== undefined) this.spawned = (context, by) => this.open && inner.spawned?.(context, by);
    if (inner.disabled !== undefined) this.disabled = (context) => this.open && inner.disabled?.(context);
    if (inner.cutShort !== undefined) this.cutShort = (context) => this.open && inner.cutShort?.(context);
    if (inner.ended !== undefined) this.ended = (context) => this.open && inner.ended?.(context);
  }

  get anyTime(): boolean {
    return this.open && this.timersAnyTime;
  }

  get footprint(): Footprint | undefined {
    return this.open ? this.inner.footprint : undefined;
  }

  begin(): void {
    this.open = this.openAtFirst;
    this.wanted = this.openAtFirst;
    this.inner.begin();
    this.outside.begin();
  }

  scope(all: boolean): void {
    this.wanted = all;
  }

  /** What is under way when the scenario ends the search is still searched, until nothing can run. */
  fired(): void {
    if (!this.open) return;
    this.inner.fired?.();
    this.open = this.wanted;
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    if (this.wanted && !this.open) {
      this.inner.fired?.();
      this.open = true;
    }
    return (this.open ? this.inner : this.outside).pick(ready, last);
  }

  value(why: string, n: number): number {
    return (this.open ? this.inner : this.outside).value(why, n);
  }
}
