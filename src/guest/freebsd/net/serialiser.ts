/**
 * The second proposal of seed 002: one flag for all requests that configure interfaces, and a wait for it. Nobody ever
 * merged it. As it is written there, whoever was woken does not look at the flag again; whether he does is a switch.
 */
import type { Context } from '../../../sim/context.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';

export class IoctlSerialiser extends SharedObject {
  private readonly looksAgain: boolean;
  private busy = false;
  private readonly inside: Context[] = [];
  /** Who sleeps at the flag, and whether he was woken. */
  private readonly sleepers = new Map<Context, 'asleep' | 'woken'>();

  constructor(sim: Simulation, { looksAgain }: { readonly looksAgain: boolean }) {
    super(sim, 'ioctl serialiser');
    this.looksAgain = looksAgain;
  }

  *within<T>(task: Task<T>): Task<T> {
    let entered = yield* new Operation<boolean>(this, 'enter');
    while (!entered) entered = yield* new Operation<boolean>(this, 'wake up');
    const result = yield* task;
    yield* new Operation<void>(this, 'leave');
    return result;
  }

  override heldBy(): Context | undefined {
    return this.inside[0];
  }

  enabled({ kind }: Operation, context: Context): boolean {
    return kind !== 'wake up' || this.sleepers.get(context) === 'woken';
  }

  perform({ kind }: Operation, context: Context): boolean {
    if (kind === 'leave') {
      this.leave(context);
      return true;
    }
    if (this.busy && (kind === 'enter' || this.looksAgain)) {
      this.sleepers.set(context, 'asleep');
      return false;
    }
    this.sleepers.delete(context);
    this.busy = true;
    this.inside.push(context);
    if (this.inside.length > 1) {
      const what = `ioctl serialiser: ${this.inside.length} are within at once`;
      this.sim.trace.emit({ kind: 'kernel.assert', dev: '', what });
    }
    return true;
  }

  peek(): string {
    return `${this.inside.length} within, ${this.sleepers.size} wait`;
  }

  /** wakeup(): all who sleep, whoever comes first. */
  private leave(context: Context): void {
    this.inside.splice(this.inside.indexOf(context), 1);
    this.busy = false;
    for (const sleeper of this.sleepers.keys()) this.sleepers.set(sleeper, 'woken');
  }
}
