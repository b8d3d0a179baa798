/**
 * Network namespaces: each has its names, its ifindexes, its part of sysfs and its devices; and devices that move.
 * Source: net/core/dev.c (dev_change_net_namespace(), default_device_exit_net()); reference A.9.
 * What this leaves out: programs inside of a namespace (observers live in init_net and hear only of its devices),
 * notifiers of one namespace, alternative names.
 */
import { CyclicIndex } from '../../base/index-table.ts';
import { Operation, SharedObject, type Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { type Errno, inLog } from '../uapi/errno.ts';
import { closeDevice } from './device.ts';
import { NetNames } from './names.ts';
import type { Netdev } from './netdev.ts';
import type { Registry } from './registry.ts';
import { SysfsNet } from './sysfs.ts';

/** struct net. */
export class NetNamespace {
  readonly name: string;
  readonly names: NetNames;
  readonly sysfs: SysfsNet;
  /** From 2 on: the loopback device has 1. */
  readonly indices = new CyclicIndex(2, 0x7fffffff);
  /** dev_base_head: registered devices in the order of registration; RTNL. */
  readonly devices = new Set<Netdev>();

  constructor(sim: Simulation, name: string) {
    this.name = name;
    this.names = new NetNames(sim, `names of ${name}`);
    this.sysfs = new SysfsNet(sim, `/sys/class/net of ${name}`);
  }
}

/**
 * Moves a device; it is down afterwards. Its listeners hear UNREGISTER and REGISTER, but never POST_INIT. `pattern` is
 * the name that it takes when its own is in use there.
 */
export function* moveToNamespace(
  net: Registry,
  dev: Netdev,
  to: NetNamespace,
  pattern?: string,
): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_change_net_namespace');
  const failing = net.faults.strike('dev_change_net_namespace', dev.dev);
  if (failing !== undefined) return failing;
  const from = dev.netns;
  if (from === undefined || dev.isLocal || dev.state !== 'registered') return 'EINVAL';
  if (from === to) return undefined;
  const own = to.names.choose(dev.name);
  const name = !own.ok && pattern !== undefined ? to.names.choose(pattern) : own;
  if (!name.ok) return name.error;
  yield* closeDevice(net, dev);
  from.devices.delete(dev);
  yield* from.names.remove(dev);
  yield* net.chain.call('NETDEV_UNREGISTER', dev);
  const there = to.indices.reserve(dev.ifindex) ? dev.ifindex : (to.indices.take() ?? 0);
  yield* net.rtnetlink.delLink(dev, 'dev_change_net_namespace', { movedTo: { netns: to.name, ifindex: there } });
  yield* from.sysfs.remove(dev);
  yield* net.uevents.emit('remove', dev);
  from.names.release(dev.name);
  from.indices.free(dev.ifindex);
  dev.netns = to;
  dev.ifindex = there;
  const before = dev.name;
  dev.name = name.value;
  const { name: ifname, ifindex } = dev;
  net.sim.trace.emit({ kind: 'netdev.netns', dev: dev.dev, from: from.name, to: to.name, ifname, ifindex });
  yield* to.sysfs.add(dev);
  if (net.movesUnderOldName) {
    yield* net.uevents.emit('add', dev, before);
    yield* net.uevents.emit('move', dev, before); // device_rename(), also to the name that it has
  } else {
    yield* net.uevents.emit('add', dev);
  }
  yield* to.names.insert(dev);
  to.devices.add(dev);
  yield* net.chain.call('NETDEV_REGISTER', dev);
  yield* net.rtnetlink.newLink(dev, 'dev_change_net_namespace');
  return undefined;
}

/**
 * default_device_exit_net() and the batch behind it: what has hardware goes back to init_net, what user mode has made ends.
 * The walk keeps the next device; when moving this one made somebody move that one too, the walk goes on in another list
 * and ends in a panic.
 */
export function* exitNamespace(net: Registry, ns: NetNamespace): Task {
  yield* net.rtnl.lock();
  const devices = [...ns.devices].filter(({ kind }) => kind === undefined);
  for (const [at, dev] of devices.entries()) {
    if (dev.netns !== ns) {
      const text = 'BUG: kernel NULL pointer dereference in default_device_exit_net';
      yield* panic(net, devices[at - 1] ?? dev, text);
    }
    const errno = yield* moveToNamespace(net, dev, net.init, `dev${dev.ifindex}`);
    if (errno !== undefined) {
      const text = `default_device_exit_net: failed to move ${dev.name} to init_net: ${inLog(errno)}`;
      yield* panic(net, dev, text);
    }
  }
  yield* net.unregisterMany([...ns.devices].reverse());
  net.namespaces.delete(ns.name);
  yield* net.rtnl.unlock();
}

function* panic(net: Registry, { dev }: Netdev, text: string): Task {
  net.sim.trace.emit({ kind: 'log', level: 'err', dev, text });
  net.sim.trace.emit({ kind: 'panic', dev, what: text });
  yield* new Panic(net.sim, 'kernel panic').forever();
}

/** Where a context stops that the kernel has killed. */
class Panic extends SharedObject {
  forever(): Operation<void> {
    return new Operation(this, 'stands at');
  }

  enabled(): boolean {
    return false;
  }

  perform(): void {}

  peek(): string {
    return 'dead';
  }
}
