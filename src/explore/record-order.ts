import type { Context } from '../sim/context.ts';
import type { Step, Strategy } from '../sim/strategy.ts';
import type { Choice } from './schedule.ts';

/** Lets another strategy decide, and notes what it decided, so that the order can be written to a file. */
export class RecordOrder implements Strategy {
  private noted: Choice[] = [];
  private readonly inner: Strategy;
  readonly did?: (step: Step) => void;

  constructor(inner: Strategy) {
    this.inner = inner;
    if (inner.did !== undefined) this.did = (step) => inner.did?.(step);
  }

  get choices(): readonly Choice[] {
    return this.noted;
  }

  begin(): void {
    this.noted = [];
    this.inner.begin();
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    const at = this.inner.pick(ready, last);
    const name = ready[at]?.name;
    if (name !== undefined) this.note(name);
    return at;
  }

  value(why: string, n: number): number {
    const value = this.inner.value(why, n);
    this.noted.push({ why, value });
    return value;
  }

  private note(context: string): void {
    const before = this.noted.at(-1);
    if (before !== undefined && 'times' in before && before.context === context) {
      this.noted[this.noted.length - 1] = { context, times: before.times + 1 };
    } else {
      this.noted.push({ context, times: 1 });
    }
  }
}
