/** The simulation's own objects. */
import { us } from '../../../src/base/time.ts';
import { Cell } from '../../../src/sim/cell.ts';
import { Completion } from '../../../src/sim/completion.ts';
import { Doorbell } from '../../../src/sim/doorbell.ts';
import { Mutex } from '../../../src/sim/mutex.ts';
import type { Task } from '../../../src/sim/operation.ts';
import { Place } from '../../../src/sim/place.ts';
import { Queue } from '../../../src/sim/queue.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { WaitCell } from '../../../src/sim/wait-cell.ts';
import { OrderedQueue, Work } from '../../../src/sim/work.ts';
import { type Actor, kind, peek, type World } from './kind.ts';

/** More than a footprint has parts for items, so that their numbers come round. */
const DEEP_ITEMS = 70;

function deepQueue(sim: Simulation): Queue<number> {
  const queue = new Queue<number>(sim, 'deep queue');
  for (let i = 0; i < DEEP_ITEMS; i++) queue.inject(i);
  return queue;
}

function* lock(mutex: Mutex, actor: Actor): Task {
  if (actor.has(mutex)) return;
  yield* mutex.lock();
  actor.takes(mutex, () => mutex.unlock());
}

function* tryLock(mutex: Mutex, actor: Actor): Task<boolean> {
  const got = yield* mutex.tryLock();
  if (got) actor.takes(mutex, () => mutex.unlock());
  return got;
}

/** A work item that takes a lock by trying, and begins anew when that is free. */
interface TryingWork {
  readonly work: Work;
  readonly mutex: Mutex;
}

function tryingWork(world: World, name: string): TryingWork {
  const mutex = new Mutex(world.sim, `mutex of work ${name}`);
  const work = new Work(world.sim, `work ${name}`, function* () {
    if (!(yield* mutex.tryLock())) return mutex;
    yield* world.work(`work ${name}`);
    yield* mutex.unlock();
    return undefined;
  });
  return { work, mutex };
}

const turn = (sim: Simulation): Cell<boolean> => new Cell(sim, 'turn', true);

interface Shared {
  readonly place: Place;
  value: number;
}

const shared = (sim: Simulation): readonly [Shared, Shared] => [
  { place: new Place(sim), value: 0 },
  { place: new Place(sim), value: 0 },
];

function touch(it: Shared, { mine }: Actor): void {
  it.place.write();
  it.value = it.value * 3 + mine;
}

function look({ place, value }: Shared): number {
  place.read();
  return value;
}

export const SIM_KINDS = {
  mutex: kind({
    make: ({ sim }, name) => new Mutex(sim, `mutex ${name}`),
    actions: {
      lock,
      tryLock,
      unlock: (mutex, actor) => actor.gives(mutex),
      *whenFree(mutex, actor) {
        if (!actor.has(mutex)) yield* mutex.whenFree();
      },
    },
    state: peek,
  }),
  cell: kind({
    make: ({ sim }, name) => new Cell<number>(sim, `cell ${name}`, 0),
    actions: {
      get: (cell) => cell.get(),
      set: (cell, { mine }) => cell.set(mine),
      update: (cell) => cell.update((value) => value + 1),
      exchange: (cell, { mine }) => cell.exchange(mine),
      awaitOther: (cell) => cell.whileIs(0),
      heed: (cell, { mine }) => cell.heed(mine),
      now: (cell, actor) => actor.within(() => cell.now),
    },
    state: peek,
  }),
  queue: kind({
    make: ({ sim }, name) => new Queue<number>(sim, `queue ${name}`),
    actions: {
      put: (queue, { mine }) => queue.put(mine),
      take: (queue) => queue.take(),
      inject: (queue, actor) => actor.within(() => queue.inject(actor.mine)),
      discard: (queue, actor) => actor.within(() => queue.discard()),
    },
    state: (queue) => queue.contents(),
  }),
  deepQueue: kind({
    make: ({ once }) => once(deepQueue),
    actions: {
      put: (queue, { mine }) => queue.put(mine),
      take: (queue) => queue.take(),
    },
    state: peek,
  }),
  completion: kind({
    make: ({ sim }, name) => new Completion(sim, `completion ${name}`),
    actions: {
      complete: (completion) => completion.complete(),
      completeAll: (completion) => completion.completeAll(),
      wait: (completion) => completion.wait(),
      reinit: (completion) => completion.reinit(),
    },
    state: (completion) => String(completion.peek()),
  }),
  doorbell: kind({
    make: ({ sim }, name) => new Doorbell(sim, `bell ${name}`),
    actions: {
      ring: (bell) => bell.ring(),
      heed: (bell) => bell.wait(),
      silence: (bell) => bell.silence(),
      inject: (bell, actor) => actor.within(() => bell.inject()),
    },
    state: peek,
  }),
  waitCell: kind({
    make: ({ sim }, name, i) => new WaitCell<number>(sim, `answer ${name}`, i === 0 ? undefined : us(20)),
    actions: {
      resolve: (answer, { mine }) => answer.resolve(mine),
      *wait(answer) {
        return (yield* answer.wait()) ?? 'none';
      },
      inject: (answer, actor) => actor.within(() => answer.inject(actor.mine)),
    },
    state: peek,
  }),
  work: kind({
    make: (world, name) => new Work(world.sim, `work ${name}`, () => world.work(`work ${name}`)),
    actions: {
      schedule: (work) => work.schedule(),
      scheduleLater: (work) => work.schedule(us(10)),
      cancel: (work) => work.cancel(),
      cancelSync: (work) => work.cancelSync(),
      isPending: (work, actor) => actor.within(() => work.isPending),
    },
    state: peek,
    starting: ['schedule', 'scheduleLater'],
  }),
  tryingWork: kind({
    make: tryingWork,
    actions: {
      schedule: ({ work }) => work.schedule(),
      cancel: ({ work }) => work.cancel(),
      cancelSync: ({ work }) => work.cancelSync(),
      lock: ({ mutex }, actor) => lock(mutex, actor),
      tryLock: ({ mutex }, actor) => tryLock(mutex, actor),
      unlock: ({ mutex }, actor) => actor.gives(mutex),
    },
    state: ({ work, mutex }) => [work.peek(), mutex.peek()],
    // What runs with its lock would wait for itself.
    starting: ['schedule', 'cancelSync', 'lock', 'tryLock'],
  }),
  orderedQueue: kind({
    make: (world, name) => ({ world, queue: new OrderedQueue(world.sim, `ordered ${name}`) }),
    actions: {
      queue: ({ queue, world }, { name }) =>
        queue.queueOrRefuse({ name: 'item', body: () => world.work(`item of ${name}`) }),
      destroy: ({ queue }) => queue.destroy(),
    },
    state: ({ queue }) => queue.peek(),
    starting: ['queue', 'destroy'],
  }),
  place: kind({
    make({ once }, _, i) {
      const both = once(shared);
      return { own: both[i] as Shared, other: both[1 - i] as Shared };
    },
    actions: {
      touch: ({ own }, actor) => actor.within(() => touch(own, actor)),
      look: ({ own }, actor) => actor.within(() => look(own)),
      // What a step touches depends on what it finds.
      touchOtherIfUntouched: ({ own, other }, actor) =>
        actor.within(() => {
          if (look(own) === 0) touch(other, actor);
        }),
      touchOtherIfTouched: ({ own, other }, actor) =>
        actor.within(() => {
          if (look(own) !== 0) touch(other, actor);
        }),
    },
    state: ({ own }) => own.value,
  }),
  context: kind({
    make: (world, name, i) => ({ world, name, i, turn: world.once(turn) }),
    actions: {
      sleep: ({ world, i }) => world.sim.sleep(us(10 * (i + 1)), 'a nap'),
      spawn: ({ world, name }, actor) =>
        actor.within(() => {
          world.sim.spawn(`child ${name}`, 'guest', world.work(`child ${name}`));
        }),
      *end({ world, i, turn: own }) {
        yield* own.get(); // nobody ends whose step it is in
        const other = world.contexts[i];
        if (other !== undefined && other !== world.sim.current) world.sim.end(other);
      },
      // Of each context its own: orders are compared choice by choice of one name.
      choose: ({ world }, actor) => actor.within(() => world.sim.strategy.value(`choice of ${actor.name}`, 2)),
    },
    state: () => undefined,
    starting: ['spawn'],
  }),
};
