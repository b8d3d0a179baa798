/** What keeps threads of the FreeBSD guest apart, and what runs their work later. */
import { Epoch } from '../../../src/guest/freebsd/kern/epoch.ts';
import { type EventHandler, EventHandlers } from '../../../src/guest/freebsd/kern/eventhandler.ts';
import { Giant } from '../../../src/guest/freebsd/kern/giant.ts';
import { Lock } from '../../../src/guest/freebsd/kern/lock.ts';
import { KernelMemory } from '../../../src/guest/freebsd/kern/memory.ts';
import { Taskqueue } from '../../../src/guest/freebsd/kern/taskqueue.ts';
import { type LockClass, Witness } from '../../../src/guest/freebsd/kern/witness.ts';
import { References } from '../../../src/guest/freebsd/net/references.ts';
import { IoctlSerialiser } from '../../../src/guest/freebsd/net/serialiser.ts';
import type { Task } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { type Actor, kind, peek, type World } from './kind.ts';

export const witness = (sim: Simulation): Witness => new Witness(sim);

const LOCKS: readonly LockClass[] = [
  { name: 'one sx', kind: 'sx', recursive: true },
  { name: 'other mutex', kind: 'mutex' },
];

const giant = (sim: Simulation): Giant => new Giant(sim, new Witness(sim));
const epoch = (sim: Simulation): Epoch => new Epoch(sim, new Witness(sim));
const events = (sim: Simulation): EventHandlers => new EventHandlers(sim, new Witness(sim));
const taskqueue = (sim: Simulation): Taskqueue => new Taskqueue(sim, 'taskqueue');

const EVENTS = ['if_clone_event', 'group_attach_event'] as const;
type Handler = EventHandler<(typeof EVENTS)[number]>;

interface Listening {
  readonly events: EventHandlers;
  readonly event: (typeof EVENTS)[number];
  readonly world: World;
}

/** A context's own handler of an event. Those of one priority are called in the order of their coming. */
const handlerOf = ({ event, world }: Listening, actor: Actor): Handler =>
  actor.own(event, () => {
    const name = `handler of ${actor.name}`;
    return { name, priority: actor.mine % 2, handle: () => world.work(name) };
  });

function* deregister(of: Listening, actor: Actor, waits: boolean): Task {
  const handler = handlerOf(of, actor);
  if (!actor.has(handler)) return;
  if (waits) yield* of.events.deregister(of.event, handler);
  yield* actor.gives(handler);
}

export const FREEBSD_KINDS = {
  lock: kind({
    make: ({ sim, once }, _, i) => new Lock(sim, once(witness), LOCKS[i] as LockClass),
    actions: {
      *lock(lock, actor) {
        if (actor.has(lock) && !lock.isMine) return; // who shares it would wait for himself
        if (lock.isMine && lock.name !== LOCKS[0]?.name) return;
        yield* lock.lock();
        actor.takes(lock, () => lock.unlock());
      },
      *lockShared(lock, actor) {
        if (lock.isMine) return;
        yield* lock.lockShared();
        actor.takes(lock, () => lock.unlockShared());
      },
      unlock: (lock, actor) => actor.gives(lock),
    },
    state: peek,
  }),
  giant: kind({
    make: ({ once }) => once(giant),
    actions: {
      around: (it, actor) => it.around(actor.within(() => undefined)),
      asleep: (it, actor) => it.around(it.asleep(actor.within(() => undefined))),
    },
    state: () => undefined,
  }),
  epoch: kind({
    make: (world) => ({ epoch: world.once(epoch), world }),
    actions: {
      *enter({ epoch: it }, actor) {
        yield* it.enter();
        actor.takes(it, () => it.exit());
      },
      exit: ({ epoch: it }, actor) => actor.gives(it),
      *wait({ epoch: it }, actor) {
        if (!actor.has(it)) yield* it.wait();
      },
      call: ({ epoch: it, world }, { name }) => it.call(`callback of ${name}`, () => world.work(`callback of ${name}`)),
      *drain({ epoch: it }, actor) {
        if (!actor.has(it)) yield* it.drain();
      },
    },
    state: ({ epoch: it }) => it.peek(),
    starting: ['call', 'drain'],
  }),
  references: kind({
    make: ({ sim }, name) => new References(sim, name),
    actions: {
      acquire: (references) => references.acquire(),
      tryAcquire: (references) => references.tryAcquire(),
      release: (references) => references.release(),
      acquireNow: (references, actor) => actor.within(() => references.acquireNow()),
      now: (references, actor) => actor.within(() => references.now),
    },
    state: peek,
  }),
  memory: kind({
    make: ({ sim }, name) => new KernelMemory(sim, name, 'memory'),
    actions: {
      use: (memory, { name }) => memory.use(name),
      free: (memory, { name }) => memory.free(name),
      isFreed: (memory, actor) => actor.within(() => memory.isFreed),
    },
    state: peek,
  }),
  taskqueue: kind({
    make: (world, name) => ({
      queue: world.once(taskqueue),
      task: { name, body: () => world.work(`task ${name}`) },
    }),
    actions: {
      enqueue: ({ queue, task }) => queue.enqueue(task),
      drain: ({ queue, task }) => queue.drain(task),
      cancel: ({ queue, task }) => queue.cancel(task),
      isQueued: ({ queue, task }, actor) => actor.within(() => queue.isQueued(task)),
      *free({ queue }, actor) {
        if (actor.name === 'c0' && actor.own('frees', () => [0]).pop() === 0) yield* queue.free();
      },
    },
    state: ({ queue }) => queue.peek(),
    starting: ['enqueue', 'drain', 'free'],
  }),
  handlers: kind({
    make: (world, _, i): Listening => ({ events: world.once(events), event: EVENTS[i] as Listening['event'], world }),
    actions: {
      *register(of, actor) {
        const handler = handlerOf(of, actor);
        if (actor.has(handler)) return;
        actor.takes(handler, () => of.events.deregisterNoWait(of.event, handler));
        yield* of.events.register(of.event, handler);
      },
      deregister: (of, actor) => deregister(of, actor, true),
      deregisterNoWait: (of, actor) => deregister(of, actor, false),
      *raise({ events: all, event }, actor) {
        yield* actor.within(() => undefined);
        yield* all.raise(event, actor.name);
      },
    },
    state: () => undefined,
    starting: ['raise', 'deregister'],
  }),
  serialiser: kind({
    make: ({ sim }, _, i) => new IoctlSerialiser(sim, { looksAgain: i === 0 }),
    actions: {
      within: (serialiser, actor) => serialiser.within(actor.within(() => undefined)),
    },
    state: peek,
  }),
};
