/**
 * A toy of the VF race, small enough for every engine: three actors of 4, 5 and 4 steps that are never held up, so that
 * there are 13! / (4! 5! 4!) = 90,090 orders. Once in the simulation's own objects, once as promises for fast-check's
 * scheduler; its Promela twin for SPIN is toy.pml.
 */
import fc from 'fast-check';
import type { Program } from '../../src/explore/program.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { Recorder } from '../../src/trace/recorder.ts';

export const TOY_ORDERS = 90_090;
export const TOY_STEPS = 13;

/** What a run finds when user mode has seen the VF before anybody has marked it. */
const UNMARKED = { key: 'unmarked', text: 'user mode leases an address on a VF that is not marked' };

interface Nic {
  readonly registered: Cell<boolean>;
  /** On netvsc's list, by which a VF is matched. */
  readonly listed: Cell<boolean>;
  readonly visible: Cell<boolean>;
  readonly slave: Cell<boolean>;
  readonly leased: Cell<boolean>;
}

function* netvscProbe({ registered, listed, visible, slave }: Nic): Task {
  yield* registered.set(true);
  yield* listed.set(true);
  const wasThere = yield* visible.get();
  yield* slave.update((marked) => marked || wasThere);
}

function* vfProbe({ listed, visible, slave }: Nic): Task {
  const early = yield* listed.get();
  yield* slave.update((marked) => marked || early);
  yield* visible.set(true);
  const late = yield* listed.get();
  yield* slave.update((marked) => marked || late);
}

function* userScan({ registered, visible, slave, leased }: Nic): Task {
  const seen = yield* visible.get();
  const marked = yield* slave.get();
  const ready = yield* registered.get();
  yield* leased.set(seen && ready && !marked);
}

export const toy: Program = (strategy) => {
  const sim = new Simulation(new Recorder(), strategy);
  const nic: Nic = {
    registered: new Cell(sim, 'registered', false),
    listed: new Cell(sim, 'listed', false),
    visible: new Cell(sim, 'visible', false),
    slave: new Cell(sim, 'slave', false),
    leased: new Cell(sim, 'leased', false),
  };
  sim.spawn('netvsc', 'guest', netvscProbe(nic));
  sim.spawn('vf', 'guest', vfProbe(nic));
  sim.spawn('user', 'user', userScan(nic));
  const stop = sim.run();
  return { found: nic.leased.now ? [UNMARKED] : [], stop, steps: sim.steps };
};

/** One run of the same under a scheduler of promises; whether it found the lease. */
async function toyOfPromises(scheduler: fc.Scheduler): Promise<boolean> {
  const nic = { registered: false, listed: false, visible: false, slave: false, leased: false };
  const step = (name: string): Promise<void> => scheduler.schedule(Promise.resolve(), name);
  const netvsc = async (): Promise<void> => {
    await step('netvsc registers');
    nic.registered = true;
    await step('netvsc lists');
    nic.listed = true;
    await step('netvsc looks');
    const wasThere = nic.visible;
    await step('netvsc marks');
    nic.slave ||= wasThere;
  };
  const vf = async (): Promise<void> => {
    await step('vf looks');
    const early = nic.listed;
    await step('vf marks');
    nic.slave ||= early;
    await step('vf appears');
    nic.visible = true;
    await step('vf looks again');
    const late = nic.listed;
    await step('vf marks again');
    nic.slave ||= late;
  };
  const user = async (): Promise<void> => {
    await step('user sees');
    const seen = nic.visible;
    await step('user reads');
    const marked = nic.slave;
    await step('user asks');
    const ready = nic.registered;
    await step('user leases');
    nic.leased = seen && ready && !marked;
  };
  const all = [netvsc(), vf(), user()];
  await scheduler.waitNext(TOY_STEPS);
  await Promise.all(all);
  return nic.leased;
}

/** So many orders that fast-check draws; how many of them found the lease. */
export async function drawnByFastCheck(orders: number): Promise<number> {
  let found = 0;
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    if (await toyOfPromises(scheduler)) found++;
  });
  await fc.assert(property, { numRuns: orders, seed: 1 });
  return found;
}
