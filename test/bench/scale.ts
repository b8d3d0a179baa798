/** Whether many devices cost more each than few. */
import { mac } from '../../src/base/mac.ts';
import { Netdev } from '../../src/guest/linux/netdev.ts';
import { Registry } from '../../src/guest/linux/registry.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { act, bootedMachine } from './cycle.ts';
import { held, type Line, median, time } from './measure.ts';

function* nothing(): Task<undefined> {
  return undefined;
}

/** Microseconds and bytes for each of so many NIC pairs, from the offer until the VF has joined. */
function pairs(count: number): { us: number; bytes: number } {
  let ms = 0;
  const { bytes, result } = held(() => {
    const machine = bootedMachine(count, 'direct');
    ms = time(() => {
      for (const { name } of machine.plan.nics) act(machine, { do: 'offer', nic: name }, { do: 'plug-vf', nic: name });
    });
    return machine;
  });
  const joined = [...result.guest.kernel.net.devices()].filter((dev) => dev.master !== undefined).length;
  if (joined !== count) throw new Error(`${joined} of ${count} VFs have joined`);
  return { us: (ms * 1e3) / count, bytes: bytes / count };
}

/** The same for devices that are registered without a bus. */
function bare(count: number): { us: number; bytes: number } {
  let ms = 0;
  const { bytes } = held(() => {
    const sim = new Simulation();
    const net = new Registry(sim, { hasPreUninit: true });
    ms = time(() => {
      sim.spawn('registrar', 'guest', registerAll(sim, net, count));
      sim.run();
    });
    if ([...net.devices()].length !== count)
      throw new Error(`${[...net.devices()].length} of ${count} devices are registered`);
    return net;
  });
  return { us: (ms * 1e3) / count, bytes: bytes / count };
}

function* registerAll(sim: Simulation, net: Registry, count: number): Task {
  const address = mac('00:0d:3a:00:00:01');
  const ops = { open: nothing, stop: nothing, startXmit: nothing };
  for (let i = 0; i < count; i++) {
    const parent = { bus: 'pci', path: `VMBUS:00/bare/${i}`, driver: 'bare' } as const;
    yield* net.registerLocked(new Netdev(sim, { dev: `d${i}`, parent, ops, mac: address, mtuMin: 68, mtuMax: 1500 }));
  }
}

export function scaleLines(): Line[] {
  pairs(100);
  bare(2000); // both warm before they are compared
  const [few, many] = [median(5, () => pairs(100).us), pairs(1000)];
  const [fewBare, manyBare] = [median(9, () => bare(100).us), bare(20_000)];
  return [
    { what: 'NIC pair over the bus, of 100', figure: few, unit: 'us' },
    { what: 'NIC pair over the bus, of 1,000', figure: many.us, unit: 'us' },
    { what: '  ratio', figure: many.us / few, unit: 'x', target: 1.5 },
    { what: '  memory', figure: many.bytes, unit: 'B/pair' },
    { what: 'bare device in the registry, of 100', figure: fewBare, unit: 'us' },
    { what: 'bare device in the registry, of 20,000', figure: manyBare.us, unit: 'us' },
    { what: '  ratio', figure: manyBare.us / fewBare, unit: 'x', target: 1.5 },
    { what: '  memory', figure: manyBare.bytes, unit: 'B/device' },
  ];
}
