import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/** Whoever ran last goes on until it blocks, then whoever has been able to run the longest: no preemption at all. */
export class KeepRunning implements Strategy {
  begin(): void {}

  pick(ready: readonly Context[], last: Context | undefined): number {
    const at = last === undefined || !last.ready ? -1 : ready.indexOf(last);
    return at === -1 ? 0 : at;
  }

  value(): number {
    return 0;
  }
}
