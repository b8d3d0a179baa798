/**
 * Deferred work. Source: kernel/workqueue.c. Modelled: a work item is pending at most once, never runs beside itself,
 * can be delayed, cancelled, and cancelled with a wait; ordered queues run one item at a time in order.
 * What this leaves out: CPUs, limits on how many unordered items run at once, flushing of one item.
 */
import { assert } from '../base/assert.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { Timer } from './clock.ts';
import type { Context, ContextSide } from './context.ts';
import { type Footprint, HEAD, itemPart } from './footprint.ts';
import type { Mutex } from './mutex.ts';
import { Operation, SharedObject, type Task } from './operation.ts';
import type { Simulation } from './simulation.ts';

/** What a work item does. One that could not get a lock by trying gives the lock: it is queued again, as at once, but
 * begins only when the lock is free, since trying in between would come to nothing and time would stand still. */
export type WorkBody = () => Task | Task<Mutex | undefined>;

/**
 * A work item of an unordered queue (the kernel's system queue), with or without a delay.
 * It has a context of its own, so that the item is the one object that all who touch it meet at.
 */
export class Work extends SharedObject {
  /** `idle`, waiting for its timer, queued, running; a running one can be scheduled again meanwhile. */
  private waiting: Timer | 'queued' | undefined;
  private runner: Context | undefined;
  private running = false;
  /** How many wait in {@link cancelSync}; meanwhile nobody can schedule the item, not even its own body. */
  private cancelling = 0;
  private retired = false;
  private readonly body: WorkBody;

  constructor(sim: Simulation, name: string, body: WorkBody) {
    super(sim, name);
    this.body = body;
  }

  /** schedule_delayed_work(): false, and nothing changes, when it is pending already, is being cancelled or was
   * retired. */
  schedule(delay: Nanoseconds = 0): Operation<boolean> {
    return new Operation(this, 'schedule', delay);
  }

  /** Takes a pending item back; false when there was none. One that runs goes on. */
  cancel(): Operation<boolean> {
    return new Operation(this, 'cancel');
  }

  /** cancel_delayed_work_sync(): takes a pending item back and waits for one that runs, which cannot re-arm itself. */
  *cancelSync(): Task<boolean> {
    const was = yield* new Operation<boolean>(this, 'grab');
    yield* new Operation<boolean>(this, 'drained');
    return was;
  }

  /** Ends the item's context; from now on nobody can schedule it. It was cancelled, with a wait, before. */
  retire(): Operation<void> {
    return new Operation(this, 'retire');
  }

  override heldBy(): Context | undefined {
    return this.running ? this.runner : undefined;
  }

  enabled(operation: Operation, context: Context): boolean {
    switch (operation.kind) {
      case 'begin':
        return this.waiting === 'queued';
      case 'drained':
        return !this.running || context === this.runner;
      default:
        return true;
    }
  }

  perform(operation: Operation): boolean {
    switch (operation.kind) {
      case 'schedule':
        return this.start(operation.arg as Nanoseconds);
      case 'cancel':
        return this.takeBack();
      case 'grab':
        this.cancelling++;
        return this.takeBack();
      case 'drained':
        this.cancelling--;
        return true;
      case 'retire':
        assert(!this.running && this.waiting === undefined, `${this.name} is retired while it is ${this.peek()}`);
        this.retired = true;
        if (this.runner !== undefined) this.sim.end(this.runner);
        return true;
      case 'begin':
        this.waiting = undefined;
        this.running = true;
        return true;
      case 'finish':
        this.running = false;
        if (operation.arg === true && this.cancelling === 0) this.waiting ??= 'queued';
        return true;
      default:
        return true;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    switch (operation.kind) {
      case 'begin':
      case 'drained':
        footprint.need(this.place);
        break;
      case 'finish':
        footprint.give(this.place);
        break;
      case 'schedule':
        if (this.accepts && operation.arg === 0) footprint.give(this.place);
        else footprint.write(this.place);
        if (operation.arg !== 0) this.sim.touchTimer(operation.arg as Nanoseconds, footprint);
        break;
      default:
        footprint.write(this.place);
    }
  }

  peek(): string {
    const waiting = this.waiting === undefined ? '' : this.waiting === 'queued' ? 'queued' : 'delayed';
    const state = this.retired ? 'retired' : this.running ? 'running' : 'idle';
    return `${state}${waiting === '' ? '' : `+${waiting}`}${this.cancelling > 0 ? '-cancelling' : ''}`;
  }

  /** Whether it waits for its timer, or is queued: for reports. */
  get isPending(): boolean {
    this.sim.footprint?.read(this.place);
    return this.waiting !== undefined;
  }

  private get accepts(): boolean {
    return this.waiting === undefined && this.cancelling === 0 && !this.retired;
  }

  private start(delay: Nanoseconds): boolean {
    if (!this.accepts) return false;
    this.runner ??= this.sim.spawn(this.name, 'guest', this.loop(), { daemon: true });
    if (delay === 0) {
      this.waiting = 'queued';
    } else {
      this.waiting = this.sim.after(delay, () => {
        this.sim.footprint?.give(this.place);
        this.waiting = 'queued';
        this.changed();
      });
    }
    return true;
  }

  private takeBack(): boolean {
    const was = this.waiting !== undefined;
    if (typeof this.waiting === 'object') this.sim.cancel(this.waiting);
    this.waiting = undefined;
    return was;
  }

  private *loop(): Task {
    for (;;) {
      yield* new Operation<boolean>(this, 'begin');
      const busy = yield* this.body() as Task<Mutex | undefined>;
      yield* new Operation<boolean>(this, 'finish', busy !== undefined);
      if (busy !== undefined) yield* busy.whenFree();
    }
  }
}

/** One piece for an {@link OrderedQueue}. */
export interface WorkItem {
  readonly name: string;
  readonly body: () => Task;
}

/** A queue that runs its items one at a time, in the order in which they came, in a context of its own. */
export class OrderedQueue extends SharedObject {
  private readonly items: WorkItem[] = [];
  /** Items that were taken; with those that are in it, the number of the next one. */
  private taken = 0;
  private busy = false;
  /** Takes nothing more: whoever destroys it has begun to. */
  private closed = false;
  private readonly worker: Context;

  constructor(sim: Simulation, name: string, side: ContextSide = 'guest') {
    super(sim, name);
    this.worker = sim.spawn(name, side, this.loop(), { daemon: true });
  }

  queue(item: WorkItem): Operation<void> {
    return new Operation(this, 'queue', item);
  }

  /** The same where the end of the queue can come before: false, and nothing is queued, once {@link destroy} began. */
  queueOrRefuse(item: WorkItem): Operation<boolean> {
    return new Operation(this, 'queueOrRefuse', item);
  }

  /** Takes nothing more, waits until all that was queued has run, and ends the worker (destroy_workqueue()). */
  *destroy(): Task {
    yield* new Operation<void>(this, 'close');
    yield* new Operation<void>(this, 'drain');
  }

  override heldBy(): Context | undefined {
    return this.busy ? this.worker : undefined;
  }

  enabled(operation: Operation): boolean {
    switch (operation.kind) {
      case 'take':
        return this.items.length > 0;
      case 'drain':
        return this.items.length === 0 && !this.busy;
      default:
        return true;
    }
  }

  perform(operation: Operation): WorkItem | boolean | undefined {
    switch (operation.kind) {
      case 'queue':
        assert(!this.closed, `${this.name} is destroyed and takes no work`);
        this.items.push(operation.arg as WorkItem);
        return undefined;
      case 'queueOrRefuse':
        if (!this.closed) this.items.push(operation.arg as WorkItem);
        return !this.closed;
      case 'close':
        this.closed = true;
        return undefined;
      case 'drain':
        this.sim.end(this.worker);
        return undefined;
      case 'take':
        this.busy = true;
        this.taken++;
        return this.items.shift();
      case 'finish':
        this.busy = false;
        return undefined;
      default:
        return undefined;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    const { place } = this;
    switch (operation.kind) {
      case 'queue':
      case 'queueOrRefuse':
        if (this.closed) {
          footprint.read(place);
          break;
        }
        footprint.write(place);
        footprint.put(place, this.taken + this.items.length, this.items.length);
        break;
      case 'take':
        footprint.write(place, HEAD);
        footprint.need(place, itemPart(this.taken));
        break;
      case 'finish':
        footprint.give(place, HEAD);
        break;
      case 'drain':
        footprint.write(place);
        footprint.need(place, HEAD);
        break;
      default:
        footprint.write(place);
    }
  }

  peek(): string {
    return `${this.busy ? 'busy' : 'idle'}+${this.items.length}${this.closed ? ' closed' : ''}`;
  }

  private *loop(): Task {
    for (;;) {
      const item = (yield* new Operation<WorkItem>(this, 'take')) as WorkItem;
      yield* item.body();
      yield* new Operation<void>(this, 'finish');
    }
  }
}
