import { Fifo } from '../base/fifo.ts';
import { Operation, SharedObject } from './operation.ts';

/** First in, first out; whoever takes from an empty one waits. */
export class Queue<T> extends SharedObject {
  private readonly items = new Fifo<T>();

  get length(): number {
    return this.items.length;
  }

  put(item: T): Operation<void> {
    return new Operation(this, 'put', item);
  }

  take(): Operation<T> {
    return new Operation(this, 'take');
  }

  /** Puts an item in from outside of all contexts: a timer, or whoever drives the simulation. */
  inject(item: T): void {
    this.items.push(item);
    this.changed();
  }

  /** Throws away what is in it: the owner begins anew. */
  discard(): void {
    while (this.items.length > 0) this.items.shift();
    this.changed();
  }

  /** What is in it, first to come first; for saving. */
  contents(): readonly T[] {
    return this.items.contents();
  }

  enabled(operation: Operation): boolean {
    return operation.kind === 'put' || this.items.length > 0;
  }

  perform(operation: Operation): T | undefined {
    if (operation.kind === 'take') return this.items.shift();
    this.items.push(operation.arg as T);
    return undefined;
  }

  peek(): number {
    return this.items.length;
  }
}
