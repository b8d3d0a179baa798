import type { Context } from '../../sim/context.ts';
import type { Strategy } from '../../sim/strategy.ts';

/** Whoever ran last goes on until it blocks, then whoever has been able to run the longest: no preemption at all. */
export class KeepRunning implements Strategy {
  begin(): void {}

  pick(ready: readonly Context[], last: Context | undefined): number {
    if (ready.length === 1) return 0;
    const at = last === undefined || !last.ready || last.side === 'clock' ? -1 : ready.indexOf(last);
    return at === -1 ? ready.findIndex(({ side }) => side !== 'clock') : at;
  }

  value(): number {
    return 0;
  }
}
