/**
 * What is done to a registered device under the RTNL: open, close, flags, name, MTU, carrier.
 * Source: net/core/dev.c (reference A.6, A.7). What this leaves out: MAC changes, resume from runtime suspend, the
 * combined RTM_NEWLINK of a flags change that also opens (here opening tells, then the change tells).
 */
import { known } from '../../base/assert.ts';
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import { IFF } from '../uapi/linux.ts';
import { NAME_ASSIGN, type Netdev } from './netdev.ts';
import type { NetNamespace } from './netns.ts';
import type { Registry } from './registry.ts';

/** Bits that a flags change takes over as they are (__dev_change_flags()); SLAVE is not among them. */
const PLAIN_FLAGS = IFF.NOARP | IFF.MULTICAST;

const FLAG_NAMES: readonly (readonly [number, string])[] = Object.entries(IFF).map(([name, bit]) => [bit, name]);

/** Changes dev->flags and tells the trace which bits came and went. */
export function* setFlags(net: Registry, dev: Netdev, flags: number): Task {
  const before = dev.flags.now;
  if (before === flags) return;
  yield* dev.flags.set(flags);
  const namesOf = (bits: number): string =>
    FLAG_NAMES.filter(([bit]) => (bits & bit) !== 0)
      .map(([, name]) => name)
      .join(',');
  const [gained, lost] = [namesOf(flags & ~before), namesOf(before & ~flags)];
  net.sim.trace.emit({ kind: 'netdev.flags', dev: dev.dev, flags, gained, lost });
}

/** dev_open(). No event when it is up already. */
export function* openDevice(net: Registry, dev: Netdev): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_open');
  if (dev.up) return undefined;
  if (dev.state !== 'registered') return 'ENODEV';
  const vetoed = yield* net.chain.call('NETDEV_PRE_UP', dev);
  if (vetoed !== undefined) return vetoed;
  yield* dev.running.set(true);
  const errno = net.faults.strike('ndo_open', dev.dev) ?? (yield* dev.ops.open());
  if (errno !== undefined) {
    yield* dev.running.set(false);
    return errno;
  }
  yield* setFlags(net, dev, dev.flags.now | IFF.UP);
  yield* net.rtnetlink.newLink(dev, 'dev_open');
  yield* net.chain.call('NETDEV_UP', dev);
  return undefined;
}

/** dev_close(). At GOING_DOWN the device still runs; at DOWN it does not. */
export function* closeDevice(net: Registry, dev: Netdev): Task {
  net.rtnl.assertHeld('dev_close');
  if (!dev.up) return;
  yield* net.chain.call('NETDEV_GOING_DOWN', dev);
  yield* dev.running.set(false);
  yield* dev.ops.stop();
  yield* setFlags(net, dev, dev.flags.now & ~IFF.UP);
  yield* net.rtnetlink.newLink(dev, 'dev_close');
  yield* net.chain.call('NETDEV_DOWN', dev);
}

/** dev_change_flags(): UP opens or closes, PROMISC and ALLMULTI count, volatile bits such as SLAVE are ignored. */
export function* changeFlags(net: Registry, dev: Netdev, wanted: number): Task<Errno | undefined> {
  const before = dev.flags.now;
  yield* setFlags(net, dev, (before & ~PLAIN_FLAGS) | (wanted & PLAIN_FLAGS));
  if (((wanted ^ before) & IFF.UP) !== 0) {
    if ((wanted & IFF.UP) === 0) yield* closeDevice(net, dev);
    else {
      const errno = yield* openDevice(net, dev);
      if (errno !== undefined) return errno;
    }
  }
  if (((wanted ^ before) & IFF.PROMISC) !== 0) yield* setPromiscuity(net, dev, (wanted & IFF.PROMISC) !== 0 ? 1 : -1);
  if (((wanted ^ before) & IFF.ALLMULTI) !== 0) yield* setAllmulti(net, dev, (wanted & IFF.ALLMULTI) !== 0 ? 1 : -1);
  if (dev.up && ((dev.flags.now ^ before) & PLAIN_FLAGS) !== 0) yield* net.chain.call('NETDEV_CHANGE', dev);
  return undefined;
}

function* setPromiscuity(net: Registry, dev: Netdev, by: 1 | -1): Task {
  dev.promiscuity = Math.max(0, dev.promiscuity + by);
  yield* setFlags(net, dev, (dev.flags.now & ~IFF.PROMISC) | (dev.promiscuity > 0 ? IFF.PROMISC : 0));
  if (dev.up && dev.ops.setRxMode !== undefined) yield* dev.ops.setRxMode();
}

function* setAllmulti(net: Registry, dev: Netdev, by: 1 | -1): Task {
  dev.allmulti = Math.max(0, dev.allmulti + by);
  yield* setFlags(net, dev, (dev.flags.now & ~IFF.ALLMULTI) | (dev.allmulti > 0 ? IFF.ALLMULTI : 0));
  if (dev.up && dev.ops.setRxMode !== undefined) yield* dev.ops.setRxMode();
}

/** dev_set_mtu(): no event when nothing changes; a veto of CHANGEMTU puts the old one back. */
export function* setMtu(net: Registry, dev: Netdev, mtu: number): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_set_mtu');
  if (mtu === dev.mtu) return undefined;
  if (mtu < dev.mtuMin || mtu > dev.mtuMax) return 'EINVAL';
  if (dev.state !== 'registered') return 'ENODEV';
  const vetoed = yield* net.chain.call('NETDEV_PRECHANGEMTU', dev);
  if (vetoed !== undefined) return vetoed;
  const before = dev.mtu;
  const errno = yield* applyMtu(net, dev, mtu);
  if (errno !== undefined) return errno;
  const rejected = yield* net.chain.call('NETDEV_CHANGEMTU', dev);
  if (rejected === undefined) return undefined;
  yield* applyMtu(net, dev, before);
  yield* net.chain.call('NETDEV_CHANGEMTU', dev);
  return rejected;
}

function* applyMtu(net: Registry, dev: Netdev, mtu: number): Task<Errno | undefined> {
  const errno = net.faults.strike('ndo_change_mtu', dev.dev) ?? (yield* dev.ops.changeMtu?.(mtu) ?? nothing());
  if (errno !== undefined) return errno;
  dev.mtu = mtu;
  net.sim.trace.emit({ kind: 'netdev.mtu', dev: dev.dev, mtu });
  return undefined;
}

function* nothing(): Task<Errno | undefined> {
  return undefined;
}

/** dev_change_name(). `liveRename`: since bd039b5ea2a9 (6.2) a device may be up meanwhile. */
export function* renameDevice(net: Registry, dev: Netdev, to: string, liveRename: boolean): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_change_name');
  if (to === dev.name) return undefined;
  const failing = net.faults.strike('dev_change_name', dev.dev);
  if (failing !== undefined) return failing;
  if (dev.up && !liveRename) return 'EBUSY';
  const { names } = namespaceOf(dev);
  const chosen = names.choose(to);
  if (!chosen.ok) return chosen.error;
  const { name: from, nameAssignType: assign } = dev;
  const errno = yield* moveName(net, dev, chosen.value, NAME_ASSIGN.renamed);
  if (errno === undefined) return undefined;
  const old = names.choose(from);
  if (old.ok) yield* moveName(net, dev, old.value, assign);
  return errno;
}

/** Puts a chosen name in the place of the present one; the errno of whoever rejected CHANGENAME. */
function* moveName(net: Registry, dev: Netdev, to: string, assign: number): Task<Errno | undefined> {
  const from = dev.name;
  const wasUp = dev.up;
  const { names, sysfs } = namespaceOf(dev);
  yield* names.remove(dev); // for a moment neither name resolves
  dev.name = to;
  dev.nameAssignType = assign;
  names.release(from);
  yield* sysfs.rename(dev, from);
  yield* net.uevents.emit('move', dev, from);
  yield* names.insert(dev);
  net.sim.trace.emit({ kind: 'netdev.renamed', dev: dev.dev, from, to });
  const text = `renamed from ${from}${wasUp ? ' (while UP)' : ''}`;
  net.sim.trace.emit({ kind: 'log', level: 'info', dev: dev.dev, text });
  return yield* net.chain.call('NETDEV_CHANGENAME', dev);
}

const namespaceOf = (dev: Netdev): NetNamespace => known(dev.netns, `the namespace of ${dev.dev}`);

/** netif_carrier_on() and off: seen at once by packet paths; link-watch tells the rest of the kernel later. */
export function* setCarrier(net: Registry, dev: Netdev, up: boolean): Task<boolean> {
  if (dev.carrier.now === up) return false;
  yield* dev.carrier.set(up);
  net.sim.trace.emit({ kind: 'netdev.carrier', dev: dev.dev, up });
  return true;
}
