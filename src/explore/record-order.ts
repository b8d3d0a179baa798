import type { Context } from '../sim/context.ts';
import type { Step, Strategy } from '../sim/strategy.ts';
import { addStep, type Choice } from './schedule.ts';

/** Lets another strategy decide, and notes what it decided, so that the order can be written to a file. */
export class RecordOrder implements Strategy {
  /** How often there was more than one way to go on. */
  decisions = 0;
  /** In the order of deciding: the context that was picked, or the value that was chosen. */
  private noted: (string | Extract<Choice, { readonly why: string }>)[] = [];
  private readonly inner: Strategy;
  readonly did?: (step: Step) => void;

  constructor(inner: Strategy) {
    this.inner = inner;
    if (inner.did !== undefined) this.did = (step) => inner.did?.(step);
  }

  get choices(): readonly Choice[] {
    const order: Choice[] = [];
    for (const choice of this.noted) {
      if (typeof choice === 'string') addStep(order, choice);
      else order.push(choice);
    }
    return order;
  }

  get anyTime(): boolean {
    return this.inner.anyTime ?? false;
  }

  begin(): void {
    this.noted = [];
    this.decisions = 0;
    this.inner.begin();
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    const at = this.inner.pick(ready, last);
    if (ready.length > 1) this.decisions++;
    const name = ready[at]?.name;
    if (name !== undefined) this.noted.push(name);
    return at;
  }

  value(why: string, n: number): number {
    const value = this.inner.value(why, n);
    this.noted.push({ why, value });
    return value;
  }

  scope(all: boolean): void {
    this.inner.scope?.(all);
  }

  fired(): void {
    this.inner.fired?.();
  }
}
