import { Fifo } from '../base/fifo.ts';
import { type Footprint, HEAD, itemPart } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';

/** First in, first out; whoever takes from an empty one waits. */
export class Queue<T> extends SharedObject {
  private readonly items = new Fifo<T>();
  /** Items that have left it; with those that are in it, the number of the next one. */
  private taken = 0;

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
    if (this.sim.footprint !== undefined) this.touchPut(this.sim.footprint);
    this.items.push(item);
    this.changed();
  }

  /** Throws away what is in it: the owner begins anew. */
  discard(): void {
    this.sim.footprint?.write(this.place);
    this.sim.footprint?.write(this.place, HEAD);
    for (; this.items.length > 0; this.taken++) this.items.shift();
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
    if (operation.kind === 'take') {
      this.taken++;
      return this.items.shift();
    }
    this.items.push(operation.arg as T);
    return undefined;
  }

  /** Puts are in one order and takes are in one; an item's put comes before its take, and nothing else is said. */
  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'put') {
      this.touchPut(footprint);
      return;
    }
    footprint.write(this.place, HEAD);
    footprint.need(this.place, itemPart(this.taken));
  }

  peek(): number {
    return this.items.length;
  }

  private touchPut(footprint: Footprint): void {
    footprint.write(this.place);
    footprint.put(this.place, this.taken + this.items.length, this.items.length);
  }
}
