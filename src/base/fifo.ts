/** So many taken places are kept before it is worth cutting them off. */
const KEPT = 64;

/** First in, first out, at the same cost however long it is: an array's own `shift` moves all that is left. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** The first one, taken out; undefined when there is none. */
  shift(): T | undefined {
    const left = this.items.length - this.head;
    if (left === 0) return undefined;
    // The usual case, and cheap: to set an array's length is not.
    if (left === 1) return this.items.pop();
    const first = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head > KEPT && this.head * 2 > this.items.length) {
      // The taken half is the larger one and is cut off: each item is moved once, on average.
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return first;
  }

  /** All of them, first to come first. */
  contents(): readonly T[] {
    return this.items.slice(this.head) as T[];
  }
}
