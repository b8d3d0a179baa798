import { assert } from '../base/assert.ts';
import type { Path } from './event.ts';

/** Seen from the guest. */
export type Direction = 'tx' | 'rx';

/** What became of the frames of one flow in one direction within a span of time (by when they were sent). */
export interface FrameCounts {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Received after one that was sent later. */
  readonly outOfOrder: number;
}

/** One flow in one direction: a line a frame, in the order in which they were sent; ids count from zero. */
export class FrameLedger {
  private readonly sentAt: number[] = [];
  private readonly copies: number[] = [];
  private readonly late: boolean[] = [];
  private readonly paths: Path[] = [];
  private highest = -1;

  /** Frames that were sent so far. */
  get length(): number {
    return this.sentAt.length;
  }

  /** Notes that the next frame goes out; gives its id. */
  sent(at: number, path: Path): number {
    assert(at >= (this.sentAt.at(-1) ?? 0), `a frame of ${at} ns behind one of ${this.sentAt.at(-1)} ns`);
    this.sentAt.push(at);
    this.copies.push(0);
    this.late.push(false);
    this.paths.push(path);
    return this.sentAt.length - 1;
  }

  /** Notes that frame `id` came in; false when no such frame was sent (a made-up id). */
  received(id: number): boolean {
    const copies = this.copies[id];
    if (copies === undefined) return false;
    this.copies[id] = copies + 1;
    if (id < this.highest && copies === 0) this.late[id] = true;
    this.highest = Math.max(this.highest, id);
    return true;
  }

  /** Frames that were sent in `[from, to)` nanoseconds. */
  counts(from: number, to: number): FrameCounts {
    let sent = 0;
    let received = 0;
    let duplicated = 0;
    let outOfOrder = 0;
    for (let id = this.firstAt(from); id < this.sentAt.length && (this.sentAt[id] as number) < to; id++) {
      const copies = this.copies[id] as number;
      sent++;
      if (copies > 0) received++;
      if (copies > 1) duplicated += copies - 1;
      if (this.late[id] === true) outOfOrder++;
    }
    return { sent, received, lost: sent - received, duplicated, outOfOrder };
  }

  /** The first frame that was sent at a moment or later; they stand in order. */
  private firstAt(moment: number): number {
    let low = 0;
    let high = this.sentAt.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sentAt[middle] as number) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The frames that never arrived: when they were sent, and by which path. */
  lost(): readonly { readonly id: number; readonly at: number; readonly path: Path }[] {
    const all = this.sentAt.map((at, id) => ({ id, at, path: this.paths[id] as Path }));
    return all.filter(({ id }) => this.copies[id] === 0);
  }
}

/** All flows of a run, by name. Guest and host stations both write here; like the trace it is output, not state. */
export class Frames {
  private readonly flows = new Map<string, { readonly tx: FrameLedger; readonly rx: FrameLedger }>();

  flow(name: string): { readonly tx: FrameLedger; readonly rx: FrameLedger } {
    let flow = this.flows.get(name);
    if (flow === undefined) {
      flow = { tx: new FrameLedger(), rx: new FrameLedger() };
      this.flows.set(name, flow);
    }
    return flow;
  }

  names(): readonly string[] {
    return [...this.flows.keys()];
  }
}
