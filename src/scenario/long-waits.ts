/**
 * Who has waited for very long, as the kernel's hung-task detector tells it (kernel/hung_task.c), but exact: what waits
 * is looked at whenever a wait could have become too long, between two steps, so that the run goes as it would without.
 * Told is a wait for a lock, for work, or for an answer; not a sleep, an answer that is waited for with a limit, or a
 * worker that has nothing to do.
 */
import { type Nanoseconds, seconds } from '../base/time.ts';
import type { Context } from '../sim/context.ts';
import type { Operation } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { WaitCell } from '../sim/wait-cell.ts';

/** CONFIG_DEFAULT_HUNG_TASK_TIMEOUT: hung_task_timeout_secs of kernels as distributions build them (lib/Kconfig.debug). */
export const HUNG_AFTER = seconds(120);

/** Operations at which a task sleeps until another one, or the host, lets it go on. */
const WAITS: ReadonlySet<string> = new Set(['lock', 'wait', 'drained', 'drain', 'writeWhenFree']);

export class LongWaits {
  private readonly sim: Simulation;
  private readonly told = new Set<Operation>();

  constructor(sim: Simulation) {
    this.sim = sim;
  }

  /** When to look next: no wait can become too long before. */
  get due(): Nanoseconds {
    return [...this.waiting()].reduce(
      (due, { since }) => Math.min(due, since + HUNG_AFTER),
      this.sim.clock.now + HUNG_AFTER,
    );
  }

  /** Tells of each wait that has become too long. */
  look(): void {
    for (const context of this.waiting())
      if (context.since + HUNG_AFTER <= this.sim.clock.now) this.tell(context, false);
  }

  /** To be called when nothing more can happen: whoever waits now waits for ever. */
  rest(): void {
    for (const context of this.waiting()) this.tell(context, true);
  }

  private *waiting(): Iterable<Context> {
    for (const context of this.sim.alive()) {
      const { operation, side, ready } = context;
      if (operation === undefined || ready || side === 'host' || !WAITS.has(operation.kind)) continue;
      if (operation.object instanceof WaitCell && operation.object.limited) continue;
      if (!this.told.has(operation)) yield context;
    }
  }

  private tell({ name: task, operation, since, sinceStep }: Context, forEver: boolean): void {
    if (operation === undefined) return;
    this.told.add(operation);
    const { kind, object } = operation;
    const heldBy = object.heldBy()?.name ?? '';
    this.sim.trace.emit({
      kind: 'task.hung',
      task,
      operation: kind,
      object: object.name,
      heldBy,
      forEver,
      since,
      sinceStep,
    });
  }
}
