/**
 * A queue of deferred tasks and the thread that runs them, one at a time. Source: kern/subr_taskqueue.c: a task is in the
 * queue at most once, and counts how often it was asked for meanwhile; draining lets it run and waits for its end.
 * What this leaves out: queues of several threads, priorities.
 */
import type { Context } from '../../../sim/context.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';

/** struct task. */
export interface DeferredTask {
  readonly name: string;
  /** `pending`: how often it was queued since it ran last. */
  readonly body: (pending: number) => Task;
}

interface Taken {
  readonly task: DeferredTask;
  readonly pending: number;
}

export class Taskqueue extends SharedObject {
  /** What waits, with how often it was asked for. */
  private readonly waiting = new Map<DeferredTask, number>();
  private running: DeferredTask | undefined;
  private readonly thread: Context;

  constructor(sim: Simulation, name: string) {
    super(sim, name);
    this.thread = sim.spawn(name, 'guest', this.loop(), { daemon: true });
  }

  /** taskqueue_enqueue(). */
  enqueue(task: DeferredTask): Operation<void> {
    return new Operation(this, 'enqueue', task);
  }

  /** For reports. */
  isQueued(task: DeferredTask): boolean {
    this.sim.footprint?.read(this.place);
    return this.waiting.has(task);
  }

  /** taskqueue_drain(): until the task neither waits nor runs. */
  drain(task: DeferredTask): Operation<void> {
    return new Operation(this, 'drain', task);
  }

  /** taskqueue_free(): what is queued runs still, and then its thread ends. */
  free(): Operation<void> {
    return new Operation(this, 'free');
  }

  /** taskqueue_cancel(): takes it out of the queue; false when it runs now. */
  cancel(task: DeferredTask): Operation<boolean> {
    return new Operation(this, 'cancel', task);
  }

  enabled({ kind, arg }: Operation): boolean {
    if (kind === 'take') return this.waiting.size > 0;
    if (kind === 'free') return this.waiting.size === 0 && this.running === undefined;
    return kind !== 'drain' || (!this.waiting.has(arg as DeferredTask) && this.running !== arg);
  }

  perform({ kind, arg }: Operation): Taken | boolean | undefined {
    const task = arg as DeferredTask;
    switch (kind) {
      case 'enqueue':
        this.waiting.set(task, (this.waiting.get(task) ?? 0) + 1);
        return undefined;
      case 'cancel':
        this.waiting.delete(task);
        return this.running !== task;
      case 'free':
        this.sim.end(this.thread);
        return undefined;
      case 'take':
        return this.take();
      case 'finish':
        this.running = undefined;
        return undefined;
      default:
        return undefined;
    }
  }

  peek(): string {
    return `${this.running?.name ?? 'idle'}+${this.waiting.size}`;
  }

  private take(): Taken {
    const [task, pending] = this.waiting.entries().next().value as [DeferredTask, number];
    this.waiting.delete(task);
    this.running = task;
    return { task, pending };
  }

  private *loop(): Task {
    for (;;) {
      const { task, pending } = yield* new Operation<Taken>(this, 'take');
      yield* task.body(pending);
      yield* new Operation<void>(this, 'finish');
    }
  }
}
