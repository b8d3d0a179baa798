/**
 * Giant, and drivers that are not safe without it (IFF_NEEDSGIANT, until August 2009): the stack took it round each of
 * their methods, and let their start routine run in a task. Source: net/if.c (if_start_deferred()), sys/mutex.h
 * (DROP_GIANT(), PICKUP_GIANT()) of FreeBSD 7, from memory; reference F-11.
 * What this leaves out: that a detach waits for the task.
 */
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { IfMethods } from '../net/ifnet.ts';
import { Lock } from './lock.ts';
import type { Taskqueue } from './taskqueue.ts';
import type { LockClass, Witness } from './witness.ts';

const GIANT: LockClass = { name: 'Giant', kind: 'mutex', recursive: true };

export class Giant {
  private readonly lock: Lock;
  /** How often its owner has it; the owner's own. */
  private depth = 0;

  constructor(sim: Simulation, witness: Witness) {
    this.lock = new Lock(sim, witness, GIANT);
  }

  /** Runs a task with it. */
  *around<T>(task: Task<T>): Task<T> {
    yield* this.take(1);
    const result = yield* task;
    yield* this.release(1);
    return result;
  }

  /** Runs what may sleep: it is let go of meanwhile, however often its owner has it. */
  *asleep<T>(task: Task<T>): Task<T> {
    const depth = this.lock.isMine ? this.depth : 0;
    yield* this.release(depth);
    const result = yield* task;
    yield* this.take(depth);
    return result;
  }

  private *take(times: number): Task {
    for (let i = 0; i < times; i++) {
      yield* this.lock.lock();
      this.depth++;
    }
  }

  private *release(times: number): Task {
    for (let i = 0; i < times; i++) {
      this.depth--;
      yield* this.lock.unlock();
    }
  }
}

/** The methods of such a driver as the stack calls them: frames wait in the send queue until the task starts them. */
export function giantMethods(
  { sim, giant, taskqueue }: { readonly sim: Simulation; readonly giant: Giant; readonly taskqueue: Taskqueue },
  dev: string,
  methods: IfMethods,
): IfMethods {
  const sendQueue: Uint8Array[] = [];
  const queued = new Place(sim);
  const startTask = { name: `start of ${dev}`, body: () => giant.around(start()) };

  function* start(): Task {
    for (;;) {
      queued.write();
      const frame = sendQueue.shift();
      if (frame === undefined) return;
      yield* methods.transmit(frame);
    }
  }

  return {
    ...methods,
    ioctl: (request) => giant.around(methods.ioctl(request)),
    *transmit(frame) {
      queued.write();
      sendQueue.push(frame);
      yield* taskqueue.enqueue(startTask);
      return undefined;
    },
  };
}
