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

  peek(): number {
    return this.done;
  }
}
