/** What all threads of a campaign see at once: how many orders were tried, and whether to stop. */
import type { Pause } from '../explore/job.ts';

const STOP = 0;
const ORDERS = 1;
const FAILING = 2;
const FIELDS = 3;

export class Board {
  /** For another thread to make its own board from. */
  readonly buffer: SharedArrayBuffer;
  private readonly fields: Int32Array;

  constructor(buffer = new SharedArrayBuffer(FIELDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.fields = new Int32Array(buffer);
  }

  stop(): void {
    Atomics.store(this.fields, STOP, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.fields, STOP) === 1;
  }

  /** Orders that were run to their end, those of jobs that were begun again counted twice. */
  get orders(): number {
    return Atomics.load(this.fields, ORDERS);
  }

  /** Of them those in which something was found. */
  get failing(): number {
    return Atomics.load(this.fields, FAILING);
  }

  /** For one job: counts what it does, and ends it when all is to stop. */
  pause(): Pause {
    let [before, failingBefore] = [0, 0];
    return (orders, failing) => {
      Atomics.add(this.fields, ORDERS, orders - before);
      Atomics.add(this.fields, FAILING, failing - failingBefore);
      [before, failingBefore] = [orders, failing];
      return this.isStopped;
    };
  }
}
