/** The Linux guest's registry of network devices, its lock and its tables. */
import { mac } from '../../../src/base/mac.ts';
import { setCarrier } from '../../../src/guest/linux/device.ts';
import { LinkWatch } from '../../../src/guest/linux/link-watch.ts';
import { Netdev } from '../../../src/guest/linux/netdev.ts';
import { NetNamespace } from '../../../src/guest/linux/netns.ts';
import type { NotifierBlock } from '../../../src/guest/linux/notifier.ts';
import { PacketSockets } from '../../../src/guest/linux/packets.ts';
import { Registry } from '../../../src/guest/linux/registry.ts';
import type { PacketSocket } from '../../../src/guest/uapi/uapi.ts';
import type { Task } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { type Actor, kind, type World } from './kind.ts';

const registry = (sim: Simulation): Registry => new Registry(sim, { hasPreUninit: true });

interface Linked {
  readonly net: Registry;
  readonly watch: LinkWatch;
}

/** Made as one: the link watch has a work item of its own. */
function linked(sim: Simulation): Linked {
  const net = registry(sim);
  return { net, watch: new LinkWatch(sim, net) };
}

const NAMES = ['eth0', 'eth1'] as const;
const FRAME = new Uint8Array(14);

function* nothing(): Task<undefined> {
  return undefined;
}

interface OfNet extends Linked {
  readonly i: 0 | 1;
  readonly packets: PacketSockets;
}

const sockets = (sim: Simulation, net: Registry): PacketSockets => new PacketSockets(sim, net.init.names);

function ofNet({ sim, once }: World, _: string, i: number): OfNet {
  const both = once(linked);
  return { ...both, i: i as 0 | 1, packets: sockets(sim, both.net) };
}

function newNetdev(sim: Simulation, dev: string): Netdev {
  const ops = { open: nothing, stop: nothing, startXmit: nothing };
  return new Netdev(sim, { dev, ops, mac: mac('00:0d:3a:00:00:01'), mtuMin: 68 });
}

/** A context's own device. */
const netdevOf = ({ net }: OfNet, actor: Actor): Netdev =>
  actor.own(newNetdev, () => newNetdev(net.sim, `device of ${actor.name}`));

/** The names of a namespace alone, which nothing is registered in; and a context's own device there. */
const namespace = (sim: Simulation): NetNamespace => new NetNamespace(sim, 'names alone');

const namedOf = ({ sim, net }: { readonly sim: Simulation; readonly net: NetNamespace }, actor: Actor): Netdev =>
  actor.own(net, () => newNetdev(sim, `named device of ${actor.name}`));

const devOf = (netdev: { readonly dev: string } | undefined): string => netdev?.dev ?? 'none';

const blockOf = (actor: Actor): NotifierBlock =>
  actor.own('block', () => ({ name: `block of ${actor.name}`, priority: actor.mine % 2, notify: () => heard() }));

function* heard(): Task<'ok'> {
  return 'ok';
}

function* register(of: OfNet, actor: Actor): Task<unknown> {
  const dev = netdevOf(of, actor);
  if (dev.state !== 'uninitialized') return undefined;
  const errno = yield* of.net.registerLocked(dev);
  actor.takes(dev, () => of.net.unregisterLocked(dev));
  return errno ?? dev.name;
}

/** Within the RTNL, if it is free: `task` is what is done with it. */
function* tryingRtnl<T>({ net }: OfNet, task: () => Task<T>): Task<T | 'busy'> {
  if (!(yield* net.rtnl.tryLock())) return 'busy';
  const result = yield* task();
  yield* net.rtnl.unlock();
  return result;
}

export const LINUX_KINDS = {
  registry: kind({
    make: ofNet,
    actions: {
      register,
      unregister: (of, actor) => actor.gives(netdevOf(of, actor)),
      *addNotifier({ net }, actor) {
        const block = blockOf(actor);
        if (actor.has(block)) return;
        yield* net.addNotifier(block);
        actor.takes(block, () => net.removeNotifier(block));
      },
      removeNotifier: (_, actor) => actor.gives(blockOf(actor)),
      *lookup({ net, i }) {
        return devOf(yield* net.init.names.lookup(NAMES[i]));
      },
      find: ({ net, i }, actor) => actor.within(() => devOf(net.init.names.find(NAMES[i]))),
      *readSysfs({ net, i }) {
        return devOf(yield* net.init.sysfs.find(`/class/net/${NAMES[i]}`));
      },
      *listSysfs({ net }) {
        return (yield* net.init.sysfs.list()).join(' ');
      },
      *hold({ net, i }, actor) {
        const found = yield* net.init.names.lookup(NAMES[i]);
        if (found === undefined) return;
        yield* found.references.update((n) => n + 1);
        actor.takes(found.references, () => found.references.update((n) => n - 1));
      },
    },
    state: ({ net }) => net.init.sysfs.devices().map(([name, { dev }]) => [name, dev]),
    starting: ['register'], // what is left over when work ends would be registered for ever
  }),
  rtnl: kind({
    make: ofNet,
    actions: {
      *lock({ net }, actor) {
        if (actor.has(net)) return;
        yield* net.rtnl.lock();
        actor.takes(net, () => net.rtnl.unlock());
      },
      *tryLock({ net }, actor) {
        const got = yield* net.rtnl.tryLock();
        if (got) actor.takes(net, () => net.rtnl.unlock());
        return got;
      },
      unlock: ({ net }, actor) => actor.gives(net),
      carrier: (of, actor) => tryingRtnl(of, () => setCarrier(of.net, netdevOf(of, actor), of.i === 0)),
    },
    state: () => undefined,
  }),
  sysfs: kind({
    make: (world, _, i) => ({ sim: world.sim, net: world.once(namespace), name: NAMES[i] as string }),
    actions: {
      *add(of, actor) {
        const dev = namedOf(of, actor);
        dev.name = of.name;
        yield* of.net.sysfs.add(dev);
        yield* of.net.names.insert(dev);
      },
      *remove(of, actor) {
        const dev = namedOf(of, actor);
        yield* of.net.sysfs.remove(dev);
        yield* of.net.names.remove(dev);
      },
      *rename(of, actor) {
        const dev = namedOf(of, actor);
        const from = dev.name;
        dev.name = of.name;
        yield* of.net.sysfs.rename(dev, from);
      },
      *find({ net, name }) {
        return devOf(yield* net.sysfs.find(`/class/net/${name}`));
      },
      *lookup({ net, name }) {
        return devOf(yield* net.names.lookup(name));
      },
      *list({ net }) {
        return (yield* net.sysfs.list()).join(' ');
      },
    },
    state: ({ net }) => net.sysfs.devices().map(([name, { dev }]) => [name, dev]),
  }),
  linkWatch: kind({
    make: ofNet,
    actions: {
      register,
      *carrier(of, actor) {
        yield* of.watch.carrier(netdevOf(of, actor), of.i === 0);
      },
    },
    state: () => undefined,
    starting: ['register'],
  }),
  packets: kind({
    make: ofNet,
    actions: {
      register,
      *open({ packets, i }, actor) {
        const opened = yield* packets.open(NAMES[i], actor.name);
        if (opened.ok) actor.own<PacketSocket[]>(packets, () => []).push(opened.value);
        return opened.ok;
      },
      *send({ packets }, actor) {
        const sent = yield* actor.own<PacketSocket[]>(packets, () => [])[0]?.send(FRAME) ?? nothing();
        return sent?.ok;
      },
      close: ({ packets }, actor) =>
        actor.within(() =>
          actor
            .own<PacketSocket[]>(packets, () => [])
            .pop()
            ?.close(),
        ),
    },
    state: () => undefined,
    starting: ['register'],
  }),
};
