/** The tables of the FreeBSD guest's network stack. */
import { mac } from '../../../src/base/mac.ts';
import { err } from '../../../src/base/result.ts';
import { Cloner, type CloneType } from '../../../src/guest/freebsd/clone/cloner.ts';
import { TunDevice } from '../../../src/guest/freebsd/cloners/tun-device.ts';
import { joinGroup, leaveGroup, leaveGroups } from '../../../src/guest/freebsd/net/attach.ts';
import { BpfDevices } from '../../../src/guest/freebsd/net/bpf.ts';
import { attachTap, detachTap } from '../../../src/guest/freebsd/net/bpf-tap.ts';
import { Ifnet } from '../../../src/guest/freebsd/net/ifnet.ts';
import { linkTask } from '../../../src/guest/freebsd/net/link.ts';
import { FreebsdNet } from '../../../src/guest/freebsd/net.ts';
import { IfAddress } from '../../../src/guest/freebsd/netinet/ifaddr.ts';
import { type Prefix, parsePrefix } from '../../../src/guest/freebsd/netinet/ip-prefix.ts';
import { LlTable } from '../../../src/guest/freebsd/netinet/neighbours.ts';
import { PROFILES, type Profile } from '../../../src/guest/freebsd/profile.ts';
import { Sends } from '../../../src/guest/hv/sends.ts';
import type { PacketSocket } from '../../../src/guest/uapi/uapi.ts';
import type { Task } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { type Actor, kind, peek, type World } from './kind.ts';

const stack = (sim: Simulation): FreebsdNet => new FreebsdNet(sim, { profile: PROFILES['freebsd-14'] as Profile });

const NAMES = ['em0', 'em1'] as const;
/** The second is a part of the first. */
const NETWORKS = ['10.0.0.0/8', '10.0.0.0/24'] as const;
/** Of one chain of the hash: 512 apart. */
const ADDRESSES = ['10.0.0.1', '10.0.2.1'] as const;
const FRAME = new Uint8Array(14);

function* nothing(): Task<undefined> {
  return undefined;
}

function newIfnet(net: FreebsdNet, dev: string): Ifnet {
  const methods = { ioctl: nothing, transmit: nothing };
  const options = { dev, type: 'ether', dname: 'em', dunit: 0, methods, flags: 1 } as const;
  return new Ifnet(net.sim, net.witness, net.vnet0, options, (ifp) => linkTask(net, ifp));
}

interface OfNet {
  readonly net: FreebsdNet;
  readonly i: 0 | 1;
}

const ofNet = ({ once }: World, _: string, i: number): OfNet => ({ net: once(stack), i: i as 0 | 1 });

/** A context's own interface, which it makes as a driver would; each begins with the name em0. */
const ifnetOf = ({ net }: OfNet, actor: Actor): Ifnet =>
  actor.own(newIfnet, () => newIfnet(net, `ifp of ${actor.name}`));

const devOf = (ifp: { readonly dev: string } | undefined): string => ifp?.dev ?? 'none';

const cloneType = (name: string): CloneType => ({
  name,
  autoUnit: true,
  matches: (wanted) => wanted.startsWith(name),
  *create() {
    return err('ENXIO');
  },
});

interface OfCloner extends OfNet {
  readonly cloner: Cloner;
}

const clonerOf = (sim: Simulation, { vnet0 }: FreebsdNet): Cloner => new Cloner(sim, cloneType('tap'), vnet0);

/** Both have one name. */
function ofCloner(world: World, name: string, i: number): OfCloner {
  const of = ofNet(world, name, i);
  return { ...of, cloner: clonerOf(world.sim, of.net) };
}

/** An interface of all contexts, which is in a group. */
function grouped(sim: Simulation): { readonly net: FreebsdNet; readonly ifp: Ifnet } {
  const net = stack(sim);
  const ifp = newIfnet(net, 'nic');
  ifp.groups = ['all'];
  net.vnet0.groups.join('all', ifp);
  return { net, ifp };
}

interface Listening extends OfNet {
  readonly bpf: BpfDevices;
  readonly ifp: Ifnet;
}

/** A descriptor at an interface that is there from the start. */
function listening(world: World, name: string, i: number): Listening {
  const of = ofNet(world, name, i);
  const { interfaces } = of.net.vnet0;
  const ifp = newIfnet(of.net, `nic${name}`);
  ifp.name = NAMES[of.i];
  interfaces.perform(interfaces.append(ifp));
  attachTap(ifp);
  return { ...of, bpf: new BpfDevices(world.sim, of.net), ifp };
}

export const FREEBSD_TABLE_KINDS = {
  interfaces: kind({
    make: ofNet,
    actions: {
      *append(of, actor) {
        const ifp = ifnetOf(of, actor);
        if (actor.has(ifp)) return undefined;
        const { interfaces } = of.net.vnet0;
        const listed = yield* interfaces.append(ifp, of.i === 0);
        if (listed) actor.takes(ifp, () => interfaces.remove(ifp));
        return listed;
      },
      remove: (of, actor) => actor.gives(ifnetOf(of, actor)),
      rename: (of, actor) => of.net.vnet0.interfaces.rename(ifnetOf(of, actor), NAMES[of.i], actor.mine % 2 === 0),
      *find({ net, i }) {
        return devOf(yield* net.vnet0.interfaces.find(NAMES[i]));
      },
      has: (of, actor) => of.net.vnet0.interfaces.has(ifnetOf(of, actor)),
      *all({ net }) {
        return (yield* net.vnet0.interfaces.all()).map(devOf).join(' ');
      },
      *walk({ net: { vnet0 } }) {
        const first = yield* vnet0.interfaces.after(undefined);
        return `${devOf(first)} ${devOf(yield* vnet0.interfaces.after(first))}`;
      },
      findNow: ({ net, i }, actor) => actor.within(() => devOf(net.vnet0.interfaces.findNow(NAMES[i]))),
      now: ({ net }, actor) =>
        actor.within(() => net.vnet0.interfaces.now.map(({ dev, name }) => dev + name).join(' ')),
    },
    state: ({ net }) => net.vnet0.interfaces.now.map(({ dev, name }) => [dev, name]),
  }),
  groups: kind({
    make: ({ once }, _, i) => ({ ...once(grouped), group: ['all', 'egress'][i] as string }),
    actions: {
      join: ({ net, ifp, group }) => joinGroup(net, ifp, net.vnet0, group),
      leave: ({ net, ifp, group }) => leaveGroup(net, ifp, net.vnet0, group),
      *leaveAll({ net, ifp }, actor) {
        yield* actor.within(() => undefined);
        yield* leaveGroups(net, ifp, net.vnet0);
      },
    },
    state: ({ net, ifp }) => [ifp.groups, net.vnet0.groups.names],
  }),
  numbers: kind({
    make: ofNet,
    actions: {
      publish: (of, actor) => of.net.vnet0.indices.publish(of.i + 1, ifnetOf(of, actor)),
      clear: (of, actor) => of.net.vnet0.indices.clear(of.i + 1, ifnetOf(of, actor)),
      grow: ({ net }) => net.vnet0.indices.grow(),
      *look({ net, i }) {
        const { ifp, generation } = yield* net.vnet0.indices.look(i + 1);
        return `${devOf(ifp)} ${generation}`;
      },
      at: ({ net, i }, actor) => actor.within(() => devOf(net.vnet0.indices.at(i + 1))),
      highest: ({ net }, actor) => actor.within(() => net.vnet0.indices.highest),
      count: ({ net }, actor) => actor.within(() => net.vnet0.indices.tellCount(0)),
    },
    state: ({ net }) => [1, 2].map((index) => devOf(net.vnet0.indices.at(index))),
  }),
  vnet: kind({
    make: ofNet,
    actions: {
      owns: ({ net, i }, actor) => actor.within(() => net.vnet0.owns(i + 1)),
      disowns: ({ net, i }, actor) => actor.within(() => net.vnet0.disowns(i + 1)),
      highest: ({ net }, actor) => actor.within(() => net.vnet0.highestNumber),
      list: ({ net }, { name }) => net.list(net.newVnet(name)),
      unlist: ({ net, i }) => net.unlist(net.newVnet(`c${i}`)),
      all: ({ net }, actor) => actor.within(() => net.vnets.map(({ name }) => name).join(' ')),
      die: ({ net }, actor) =>
        actor.within(() => {
          net.vnet0.state = 'destroying';
        }),
      state: ({ net }, actor) => actor.within(() => net.vnet0.state),
    },
    state: ({ net }) => net.vnets.map(({ name }) => name),
  }),
  routes: kind({
    make: ofNet,
    actions: {
      add: (of, actor) => of.net.vnet0.routes.add(NETWORKS[of.i], ifnetOf(of, actor), false),
      learn: (of, actor) => of.net.vnet0.routes.add(ADDRESSES[of.i], ifnetOf(of, actor), true),
      remove: (of, actor) => of.net.vnet0.routes.remove(NETWORKS[of.i], ifnetOf(of, actor)),
      flush: (of, actor) => of.net.vnet0.routes.flush(ifnetOf(of, actor)),
      *find({ net, i }) {
        return devOf(yield* net.vnet0.routes.find(ADDRESSES[i]));
      },
      *route({ net, i }) {
        return devOf((yield* net.vnet0.routes.route(NETWORKS[i]))?.ifp);
      },
      leadsBy: (of, actor) => actor.within(() => of.net.vnet0.routes.leadsBy(ifnetOf(of, actor))),
      now: ({ net }, actor) => actor.within(() => net.vnet0.routes.now.map(({ destination }) => destination).join(' ')),
      // With the lock of the layer below, which the lock-order checker knows.
      *inside({ net, i }) {
        yield* net.ifnetLock.lock();
        yield* net.vnet0.routes.find(ADDRESSES[i]);
        yield* net.ifnetLock.unlock();
      },
    },
    state: ({ net }) => net.vnet0.routes.now.map(({ destination, ifp }) => [destination, ifp.dev]),
  }),
  addresses: kind({
    make: ofNet,
    actions: {
      *insert(of, actor) {
        const text = `${ADDRESSES[of.i]}/24`;
        const ifa = new IfAddress(of.net.sim, ifnetOf(of, actor), text, parsePrefix(text) as Prefix);
        yield* of.net.vnet0.addresses.insert(ifa);
        actor.takes(of, () => of.net.vnet0.addresses.remove(ifa));
      },
      remove: (of, actor) => actor.gives(of),
      *lookup({ net, i }) {
        return devOf((yield* net.vnet0.addresses.lookup(ADDRESSES[i]))?.ifp);
      },
      *all({ net }) {
        return (yield* net.vnet0.addresses.all('inet')).length;
      },
    },
    state: ({ net }) => net.vnet0.addresses.differences(),
  }),
  neighbours: kind({
    make: (world, name) => new LlTable(world.sim, world.once(stack).witness, name, 'inet'),
    actions: {
      *learn(table, { mine }) {
        yield* table.lock.lock();
        table.set(ADDRESSES[mine % 2] as string, mac('00:0d:3a:00:00:01'));
        yield* table.lock.unlock();
      },
      *forget(table, { mine }) {
        yield* table.lock.lock();
        table.delete(ADDRESSES[mine % 2] as string);
        yield* table.lock.unlock();
      },
      *look(table) {
        yield* table.lock.lockShared();
        const found = table.get(ADDRESSES[0]);
        yield* table.lock.unlockShared();
        return found;
      },
      size: (table, actor) => actor.within(() => table.size),
    },
    state: (table) => table.addresses,
  }),
  units: kind({
    make: ofCloner,
    actions: {
      takeLowest: ({ cloner }) => cloner.units.takeLowest(),
      take: ({ cloner }, { mine }) => cloner.units.take(mine % 2),
      give: ({ cloner }, { mine }) => cloner.units.give(mine % 2),
      now: ({ cloner }, actor) => actor.within(() => cloner.units.now.join(' ')),
    },
    state: ({ cloner }) => cloner.units.now,
  }),
  cloners: kind({
    make: ofCloner,
    actions: {
      add: ({ net, cloner }) => net.vnet0.cloners.add(cloner),
      remove: ({ net, cloner }) => net.vnet0.cloners.remove(cloner),
      *match({ net, i }) {
        return (yield* net.vnet0.cloners.match('tap0', net.vnet0, i === 0)) === undefined;
      },
      *named({ net, i }) {
        return (yield* net.vnet0.cloners.named('tap', i === 0)) === undefined;
      },
      release: ({ cloner }) => cloner.references.release(),
      now: ({ net }, actor) => actor.within(() => net.vnet0.cloners.now.length),
    },
    state: ({ net, cloner }) => [net.vnet0.cloners.peek(), cloner.references.now],
  }),
  cloned: kind({
    make: ofCloner,
    actions: {
      insert: (of, actor) => of.cloner.interfaces.insert(ifnetOf(of, actor)),
      remove: (of, actor) => of.cloner.interfaces.remove(ifnetOf(of, actor)),
      *first({ cloner }) {
        return devOf(yield* cloner.interfaces.first());
      },
      now: ({ cloner }, actor) => actor.within(() => cloner.interfaces.now.map(devOf).join(' ')),
    },
    state: ({ cloner }) => cloner.interfaces.now.map(devOf),
  }),
  tun: kind({
    make: ({ sim }, name) => new TunDevice(sim, `/dev/tun${name}`),
    actions: {
      open: (device) => device.open(),
      dieUnlessOpen: (device) => device.dieUnlessOpen(),
      seize: (device) => device.seize(),
      die: (device) => device.die(),
      lastClose: (device) => device.lastClose(),
    },
    state: peek,
  }),
  bpf: kind({
    make: listening,
    actions: {
      *open({ bpf, i }, actor) {
        const opened = yield* bpf.open(NAMES[i], actor.name);
        if (opened.ok) actor.own<PacketSocket[]>(bpf, () => []).push(opened.value);
        return opened.ok;
      },
      *send({ bpf }, actor) {
        const sent = yield* actor.own<PacketSocket[]>(bpf, () => [])[0]?.send(FRAME) ?? nothing();
        return sent?.ok;
      },
      close: ({ bpf }, actor) =>
        actor.within(() =>
          actor
            .own<PacketSocket[]>(bpf, () => [])
            .pop()
            ?.close(),
        ),
      attach: ({ ifp }, actor) => actor.within(() => attachTap(ifp)),
      detach: ({ net, ifp }) => detachTap(net, ifp),
    },
    state: ({ ifp }) => ifp.tap?.listeners.length,
  }),
  sends: kind({
    make({ sim }, name) {
      const sends = new Sends(sim, `sends ${name}`);
      sends.perform(sends.open(2));
      return sends;
    },
    actions: {
      // Of one session after the other: nobody else begins one.
      *reopen(sends, { name }) {
        if (name !== 'c0') return;
        yield* sends.destroy();
        yield* sends.drained();
        yield* sends.open(2);
      },
      begin: (sends, { mine }) => sends.begin(BigInt(mine)),
      end: (sends, { mine }) => sends.end(BigInt(mine)),
      destroy: (sends) => sends.destroy(),
      drained: (sends) => sends.drained(),
      onTheirWay: (sends, actor) => actor.within(() => sends.onTheirWay),
    },
    state: peek,
  }),
};
