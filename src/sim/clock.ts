import { assert, InvariantError } from '../base/assert.ts';
import type { Nanoseconds } from '../base/time.ts';

/** Something that will happen at a moment, unless it is cancelled before. */
export interface Timer {
  readonly at: Nanoseconds;
  /** Breaks ties: timers of one moment fire in the order in which they were set. */
  readonly sequence: number;
  readonly fire: () => void;
  /** Fires only when nothing else can happen, even where other timers may come before what could run. */
  readonly patient: boolean;
  cancelled: boolean;
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

/** Virtual time and the timers that wait in it, ordered by (moment, sequence). A binary heap. */
export class Clock {
  now: Nanoseconds = 0;
  private nextSequence = 0;
  private readonly heap: Timer[] = [];

  set(at: Nanoseconds, fire: () => void, patient = false): Timer {
    return this.restore(at, this.nextSequence, fire, patient);
  }

  /** Sets a timer of a saved state again: it keeps its place among those of its moment. */
  restore(at: Nanoseconds, sequence: number, fire: () => void, patient = false): Timer {
    if (!Number.isSafeInteger(at) || at < this.now)
      throw new InvariantError(`a timer at ${at} ns, which is before now (${this.now} ns)`);
    this.nextSequence = Math.max(this.nextSequence, sequence + 1);
    const timer: Timer = { at, sequence, fire, patient, cancelled: false };
    this.heap.push(timer);
    this.rise(this.heap.length - 1);
    return timer;
  }

  /** The moment of the first timer that is still on. */
  nextDeadline(): Nanoseconds | undefined {
    while (this.heap[0]?.cancelled === true) this.pop();
    return this.heap[0]?.at;
  }

  /** Moves time to the first timer and fires it. */
  fireNext(): void {
    const deadline = this.nextDeadline();
    const timer = deadline === undefined ? undefined : this.pop();
    assert(timer !== undefined, 'no timer is set');
    this.now = timer.at;
    timer.fire();
  }

  /** Whether the first timer that is still on may fire before what could run; false when there is none. */
  isImpatientNext(): boolean {
    return this.nextDeadline() !== undefined && this.heap[0]?.patient === false;
  }

  private pop(): Timer | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (this.heap.length > 0 && last !== undefined) {
      this.heap[0] = last;
      this.sink();
    }
    return first;
  }

  private rise(from: number): void {
    const heap = this.heap;
    const timer = heap[from] as Timer;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Timer;
      if (!before(timer, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = timer;
  }

  private sink(): void {
    const heap = this.heap;
    const timer = heap[0] as Timer;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= heap.length) break;
      if (childAt + 1 < heap.length && before(heap[childAt + 1] as Timer, heap[childAt] as Timer)) childAt++;
      const child = heap[childAt] as Timer;
      if (!before(child, timer)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = timer;
  }
}
