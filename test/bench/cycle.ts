/** What a step costs, and a whole plug, join, revoke and return. */
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { mac } from '../../src/base/mac.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { NicPlan, Plan } from '../../src/machine/plan.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { Event, EventBody } from '../../src/trace/event.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { type Line, median, time } from './measure.ts';

const catalogue = { vfs: vfModels, synthetics: syntheticModels };

export function nicPlans(count: number): NicPlan[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `nic${i + 1}`,
    mac: mac(`00:0d:3a:${[i >> 16, i >> 8, i].map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':')}`),
    vf: 'mlx5',
    synthetic: 'ws2022',
    serial: i + 1,
    pciSerial: i + 1,
  }));
}

export function plan(nics: number, transport: Plan['transport']): Plan {
  const modules = ['pci-hyperv', 'hv_netvsc', 'mlx5_core'];
  return { guest: 'linux-6.12', fixes: {}, nics: nicPlans(nics), user: [], modules, latency: {}, transport };
}

/** A booted machine; the work runs as its scenario. */
export function bootedMachine(nics: number, transport: Plan['transport'], trace?: Recorder): Machine {
  const machine = new Machine(plan(nics, transport), catalogue, { trace });
  machine.sim.spawn('boot', 'guest', machine.boot());
  machine.sim.run();
  return machine;
}

export function act(machine: Machine, ...actions: Parameters<Machine['host']['act']>[0][]): void {
  for (const action of actions) {
    machine.sim.spawn('bench', 'scenario', machine.host.act(action));
    machine.sim.run();
  }
}

/** The NIC offered, opened, and its VF joined and carrying. */
export function carrying(transport: Plan['transport'], trace?: Recorder): Machine {
  const machine = bootedMachine(1, transport, trace);
  act(machine, { do: 'offer', nic: 'nic1' });
  machine.sim.spawn('up', 'user', machine.guest.execute({ do: 'up', ifname: 'eth0' }));
  machine.sim.run();
  act(machine, { do: 'plug-vf', nic: 'nic1' });
  if (machine.host.pathOf('nic1') !== 'vf') throw new Error('the VF does not carry');
  return machine;
}

/** Cycles until everything that runs once in each has been compiled. */
const WARM_UP = 1500;

function cycles(transport: Plan['transport'], count: number, traced: boolean): { us: number; nsPerStep: number } {
  const trace = new Recorder();
  const events: Event[] = [];
  if (traced) trace.listen((event: Event & EventBody) => events.push(event));
  const machine = carrying(transport, trace);
  const once = (): void =>
    act(machine, { do: 'revoke-vf', nic: 'nic1', order: 'eject-first' }, { do: 'plug-vf', nic: 'nic1' });
  for (let i = 0; i < WARM_UP; i++) once();
  const before = machine.sim.steps;
  const ms = time(() => {
    for (let i = 0; i < count; i++) once();
  });
  return { us: (ms * 1e3) / count, nsPerStep: (ms * 1e6) / (machine.sim.steps - before) };
}

/** Two contexts at one lock and one cell, and nothing else: what the scheduler itself takes. */
function bareStep(): number {
  const sim = new Simulation();
  const [lock, cell] = [new Mutex(sim, 'lock'), new Cell(sim, 'cell', 0)];
  function* count(): Task {
    for (let i = 0; i < 100_000; i++) {
      yield* lock.lock();
      yield* cell.set((yield* cell.get()) + 1);
      yield* lock.unlock();
    }
  }
  for (const name of ['a', 'b']) sim.spawn(name, 'guest', count());
  const ms = time(() => sim.run());
  return (ms * 1e6) / sim.steps;
}

export function cycleLines(): Line[] {
  const run = (transport: Plan['transport'], traced: boolean, count: number) => {
    const steps: number[] = [];
    const us = median(3, () => {
      const figures = cycles(transport, count, traced);
      steps.push(figures.nsPerStep);
      return figures.us;
    });
    return { us, nsPerStep: steps.sort((a, b) => a - b)[1] as number };
  };
  const direct = run('direct', false, 2000);
  const bytes = run('bytes', true, 500);
  return [
    { what: 'a bare step: a lock, a cell, no drivers', figure: median(5, bareStep), unit: 'ns' },
    { what: 'a step, direct, no trace', figure: direct.nsPerStep, unit: 'ns', target: 500 },
    { what: 'plug-join-revoke-return, direct, no trace', figure: direct.us, unit: 'us', target: 300 },
    { what: 'a step, bytes and trace', figure: bytes.nsPerStep, unit: 'ns' },
    { what: 'plug-join-revoke-return, bytes and trace', figure: bytes.us, unit: 'us', target: 3000 },
  ];
}
