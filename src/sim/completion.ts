import type { Footprint } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';

/** The kernel's completion: a count that `complete` raises and `wait` lowers (kernel/sched/completion.c). */
export class Completion extends SharedObject {
  private done = 0;

  complete(): Operation<void> {
    return new Operation(this, 'complete');
  }

  /** Lets everybody through from now on, until {@link reinit}. */
  completeAll(): Operation<void> {
    return new Operation(this, 'completeAll');
  }

  wait(): Operation<void> {
    return new Operation(this, 'wait');
  }

  reinit(): Operation<void> {
    return new Operation(this, 'reinit');
  }

  enabled(operation: Operation): boolean {
    return operation.kind !== 'wait' || this.done > 0;
  }

  perform(operation: Operation): void {
    switch (operation.kind) {
      case 'complete':
        this.done++;
        break;
      case 'completeAll':
        this.done = Number.POSITIVE_INFINITY;
        break;
      case 'reinit':
        this.done = 0;
        break;
      default:
        this.done--;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'wait') footprint.need(this.place);
    else if (operation.kind !== 'reinit' && this.done === 0) footprint.give(this.place);
    else footprint.write(this.place);
  }

  peek(): number {
    return this.done;
  }
}
