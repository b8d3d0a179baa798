/** Whether many devices cost more each than few. */
import { mac } from '../../src/base/mac.ts';
import { Netdev } from '../../src/guest/linux/netdev.ts';
import { Registry } from '../../src/guest/linux/registry.ts';
import { linuxOf } from '../../src/machine/guests.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { act, bootedMachine } from './cycle.ts';
import { held, type Line, median, time } from './measure.ts';

function* nothing(): Task<undefined> {
  return undefined;
}

interface Cost {
  readonly us: number;
  readonly bytes: number;
}

/** What each of so many costs in each of so many machines: few machines of many, or many of few, for one comparison. */
function each(machines: number, count: number, build: () => { ms: number; kept: unknown }): Cost {
  let ms = 0;
  const { bytes } = held(() =>
    Array.from({ length: machines }, () => {
      const built = build();
      ms += built.ms;
      return built.kept;
    }),
  );
  return { us: (ms * 1e3) / (machines * count), bytes: bytes / (machines * count) };
}

/** NIC pairs, from the offer until the VF has joined. */
function pairs(machines: number, count: number): Cost {
  return each(machines, count, () => {
    const machine = bootedMachine(count, 'direct');
    const ms = time(() => {
      for (const { name } of machine.plan.nics) act(machine, { do: 'offer', nic: name }, { do: 'plug-vf', nic: name });
    });
    const joined = [...linuxOf(machine).kernel.net.devices()].filter((dev) => dev.master !== undefined).length;
    if (joined !== count) throw new Error(`${joined} of ${count} VFs have joined`);
    return { ms, kept: machine };
  });
}

/** The same for devices that are registered without a bus. */
function bare(machines: number, count: number): Cost {
  return each(machines, count, () => {
    const sim = new Simulation();
    const net = new Registry(sim, { hasPreUninit: true });
    const ms = time(() => {
      sim.spawn('registrar', 'guest', registerAll(sim, net, count));
      sim.run();
    });
    if ([...net.devices()].length !== count) throw new Error(`not all of ${count} devices are registered`);
    return { ms, kept: net };
  });
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
  const { bytes } = bare(1, 20_000);
  pairs(5, 100); // both warm before they are compared
  const [few, many] = [pairs(10, 100), pairs(1, 1000)];
  const fewBare = median(5, () => bare(200, 100).us);
  const manyBare = median(5, () => bare(1, 20_000).us);
  return [
    { what: 'NIC pair over the bus, of 100', figure: few.us, unit: 'us' },
    { what: 'NIC pair over the bus, of 1,000', figure: many.us, unit: 'us' },
    { what: '  ratio', figure: many.us / few.us, unit: 'x', target: 1.5 },
    { what: '  memory', figure: many.bytes, unit: 'B/pair' },
    { what: 'bare device in the registry, of 100', figure: fewBare, unit: 'us' },
    { what: 'bare device in the registry, of 20,000', figure: manyBare, unit: 'us' },
    { what: '  ratio', figure: manyBare / fewBare, unit: 'x', target: 1.5 },
    { what: '  memory', figure: bytes, unit: 'B/device' },
  ];
}
