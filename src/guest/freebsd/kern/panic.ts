import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';

/** Where a context stops that has brought the kernel down, or that never comes out of a loop. */
export class Panic extends SharedObject {
  /** panic(9). */
  *because(dev: string, what: string): Task<never> {
    this.sim.trace.emit({ kind: 'panic', dev, what });
    return (yield* new Operation(this, 'stands at')) as never;
  }

  /** A loop without an end, with whatever the thread holds. */
  *spin(dev: string, what: string): Task<never> {
    this.sim.trace.emit({ kind: 'kernel.spin', dev, what });
    return (yield* new Operation(this, 'spins at')) as never;
  }

  enabled(): boolean {
    return false;
  }

  perform(): void {}

  peek(): string {
    return 'for ever';
  }
}
