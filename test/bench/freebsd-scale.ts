/** Whether many interfaces over many vnets cost more each than few, where the modelled kernel would go through all. */
import { mac } from '../../src/base/mac.ts';
import { allocateIfnet, freeIfnet } from '../../src/guest/freebsd/net/allocate.ts';
import { etherAttach } from '../../src/guest/freebsd/net/attach.ts';
import { detachIfnet } from '../../src/guest/freebsd/net/detach.ts';
import type { IfMethods, Ifnet } from '../../src/guest/freebsd/net/ifnet.ts';
import type { FreebsdNet } from '../../src/guest/freebsd/net.ts';
import { PROFILES, type Profile } from '../../src/guest/freebsd/profile.ts';
import { makeStack, type Stack } from '../../src/guest/freebsd/stack.ts';
import type { Vnet } from '../../src/guest/freebsd/vnet/vnet.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { held, type Line, processorTime } from './measure.ts';

const METHODS: IfMethods = {
  *ioctl() {
    return undefined;
  },
  *transmit() {
    return undefined;
  },
};
const MAC = mac('00:0d:3a:00:00:01');

/** Microseconds an interface. */
interface Cost {
  readonly attach: number;
  readonly detach: number;
}

function* attachOne(net: FreebsdNet, unit: number, made: Ifnet[]): Task {
  const options = { dev: `d${unit}`, type: 'ether', dname: 'em', dunit: unit, methods: METHODS, flags: 0 } as const;
  const ifp = yield* allocateIfnet(net, options);
  if (!ifp.ok) throw new Error(`no d${unit}: ${ifp.error}`);
  yield* etherAttach(net, ifp.value, MAC);
  made.push(ifp.value);
}

function* attachAll({ net, vnets }: Stack, made: Ifnet[], interfaces: number, vnetCount: number): Task {
  const all: Vnet[] = [net.vnet0];
  while (all.length < vnetCount) all.push(yield* vnets.create(`jail${all.length}`));
  for (let i = 0; i < interfaces; i++) yield* net.curvnet.within(all[i % vnetCount] as Vnet, attachOne(net, i, made));
}

function* detachAll(net: FreebsdNet, made: readonly Ifnet[]): Task {
  for (const ifp of made) {
    yield* detachIfnet(net, ifp);
    yield* freeIfnet(net, ifp);
  }
}

/** So many stacks after each other, each with so many interfaces over so many vnets. */
function cycle(profile: Profile, stacks: number, interfaces: number, vnetCount: number): Cost {
  const spent = { attach: 0, detach: 0 };
  for (let i = 0; i < stacks; i++) {
    const sim = new Simulation();
    const stack = makeStack(sim, { profile });
    const made: Ifnet[] = [];
    const run = (task: Task): number =>
      processorTime(() => {
        sim.spawn('driver', 'guest', task);
        sim.run();
      });
    spent.attach += run(attachAll(stack, made, interfaces, vnetCount));
    spent.detach += run(detachAll(stack.net, made));
  }
  const each = 1 / (stacks * interfaces);
  return { attach: spent.attach * each, detach: spent.detach * each };
}

/** The two take turns; the least of each is what it takes without what else the machine does meanwhile. */
const ROUNDS = 4;

export function freebsdScaleLines(): Line[] {
  return ['freebsd-13', 'freebsd-14'].flatMap((name) => {
    const profile = PROFILES[name] as Profile;
    cycle(profile, 50, 100, 2); // warm before it is compared
    const costs = Array.from({ length: ROUNDS }, () => [
      sum(cycle(profile, 600, 100, 2)),
      sum(cycle(profile, 1, 60_000, 1000)),
    ]);
    const [few, many] = [0, 1].map((at) => Math.min(...costs.map((each) => each[at] as number))) as [number, number];
    const { bytes } = held(() => {
      const stack = makeStack(new Simulation(), { profile });
      stack.net.sim.spawn('driver', 'guest', attachAll(stack, [], 60_000, 1000));
      stack.net.sim.run();
      return stack;
    });
    return [
      { what: `${name}: interface attached and detached, of 100`, figure: few, unit: 'us' },
      { what: `${name}: of 60,000 in 1,000 vnets`, figure: many, unit: 'us' },
      { what: '  ratio', figure: many / few, unit: 'x', target: 2 },
      { what: '  memory', figure: bytes / 2 ** 20, unit: 'MiB', target: 1024 },
    ];
  });
}

const sum = ({ attach, detach }: Cost): number => attach + detach;
