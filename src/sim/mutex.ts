import { InvariantError } from '../base/assert.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { Context } from './context.ts';
import type { Footprint } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';

/**
 * A sleeping lock with an owner, such as the RTNL. Whoever takes it twice waits for himself, as in the kernel, and
 * the report of the stuck run says so.
 */
export class Mutex extends SharedObject {
  private owner: Context | undefined;
  /** When it was taken last: the moment, and the step. */
  since: Nanoseconds = 0;
  sinceStep = 0;

  lock(): Operation<void> {
    return new Operation(this, 'lock');
  }

  /** False at once when somebody holds it. */
  tryLock(): Operation<boolean> {
    return new Operation(this, 'tryLock');
  }

  /** Waits until nobody holds it, and does not take it: where the kernel would try again and again. */
  whenFree(): Operation<void> {
    return new Operation(this, 'whenFree');
  }

  /** Releasing is an operation too: others may run here. */
  unlock(): Operation<void> {
    return new Operation(this, 'unlock');
  }

  override heldBy(): Context | undefined {
    return this.owner;
  }

  enabled(operation: Operation): boolean {
    const waits = operation.kind === 'lock' || operation.kind === 'whenFree';
    return !waits || this.owner === undefined;
  }

  perform(operation: Operation, context: Context): boolean | undefined {
    if (operation.kind === 'unlock') {
      if (this.owner !== context)
        throw new InvariantError(`${context.name} releases ${this.name}, which ${this.owner?.name ?? 'nobody'} holds`);
      this.owner = undefined;
      return undefined;
    }
    if (operation.kind === 'whenFree') return undefined;
    if (this.owner !== undefined) return false;
    this.owner = context;
    this.since = this.sim.clock.now; // for reports: it decides nothing
    this.sinceStep = this.sim.steps;
    return true;
  }

  override touch(operation: Operation, footprint: Footprint): void {
    switch (operation.kind) {
      case 'unlock':
        footprint.give(this.place);
        break;
      case 'tryLock':
        if (this.owner === undefined) footprint.write(this.place);
        else footprint.read(this.place);
        break;
      default:
        footprint.need(this.place);
    }
  }

  peek(): string {
    return this.owner?.name ?? 'free';
  }
}
