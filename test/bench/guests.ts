/** What a step of the one guest costs beside a step of the other, in the same cycle: the VF revoked, and back again. */
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { Machine } from '../../src/machine/machine.ts';
import { act, nicPlans } from './cycle.ts';
import { type Line, processorTime } from './measure.ts';

interface Bench {
  readonly guest: string;
  /** Bus, synthetic NIC and VF: the modules that a scenario would load. */
  readonly modules: readonly string[];
  readonly synthetic: string;
}

const LINUX: Bench = { guest: 'linux-6.12', modules: ['pci-hyperv', 'hv_netvsc', 'mlx5_core'], synthetic: 'eth0' };
const FREEBSD: Bench = { guest: 'freebsd-14', modules: ['vmbus_pcib', 'hn', 'mlx5en'], synthetic: 'hn0' };

/** The NIC up, and its VF carrying. */
function carrying({ guest, modules, synthetic }: Bench): Machine {
  const catalogue = { vfs: vfModels, synthetics: syntheticModels };
  const plan = { guest, fixes: {}, nics: nicPlans(1), user: [], modules, latency: {}, transport: 'direct' } as const;
  const machine = new Machine(plan, catalogue);
  machine.sim.spawn('boot', 'guest', machine.boot());
  machine.sim.run();
  act(machine, { do: 'offer', nic: 'nic1' });
  machine.sim.spawn('up', 'user', machine.guest.execute({ do: 'up', ifname: synthetic }));
  machine.sim.run();
  act(machine, { do: 'plug-vf', nic: 'nic1' });
  if (machine.host.pathOf('nic1') !== 'vf') throw new Error(`the VF of ${guest} does not carry`);
  return machine;
}

/** Nanoseconds of the processor a step. */
function stepOf(machine: Machine, cycles: number): number {
  const before = machine.sim.steps;
  const us = processorTime(() => {
    for (let i = 0; i < cycles; i++) {
      act(machine, { do: 'revoke-vf', nic: 'nic1', order: 'eject-first' }, { do: 'plug-vf', nic: 'nic1' });
    }
  });
  return (us * 1e3) / (machine.sim.steps - before);
}

/** Cycles until everything that runs once in each has been compiled. */
const WARM_UP = 1500;
const CYCLES = 500;
const ROUNDS = 7;

/** The two take turns, so that what else the machine does meanwhile falls on both; the least of each is its own. */
export function guestLines(): Line[] {
  const machines = [LINUX, FREEBSD].map(carrying) as [Machine, Machine];
  for (const machine of machines) stepOf(machine, WARM_UP);
  const costs: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of [0, 1] as const) costs[at].push(stepOf(machines[at], CYCLES));
  }
  const [linux, freebsd] = costs.map((each) => Math.min(...each)) as [number, number];
  return [
    { what: `${LINUX.guest}: a step, direct, no trace`, figure: linux, unit: 'ns' },
    { what: `${FREEBSD.guest}: a step, direct, no trace`, figure: freebsd, unit: 'ns' },
    { what: '  ratio', figure: freebsd / linux, unit: 'x', target: 1.5 },
  ];
}
