/**
 * What is done to a registered device under the RTNL: open, close, flags, name, MTU, address, carrier.
 * Source: net/core/dev.c (reference A.6, A.7). What this leaves out: resume from runtime suspend, counts that overflow.
 */
import { known } from '../../base/assert.ts';
import type { MacAddress } from '../../base/mac.ts';
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import { flagNames, IFF } from '../uapi/linux.ts';
import { ADDR_ASSIGN, NAME_ASSIGN, type Netdev } from './netdev.ts';
import type { NetNamespace } from './netns.ts';
import type { Registry } from './registry.ts';

/** Bits that a flags change takes over as they are (__dev_change_flags()); SLAVE is not among them. */
const PLAIN_FLAGS = IFF.NOARP | IFF.MULTICAST;

/** Changes dev->flags and tells the trace which bits came and went. */
export function* setFlags(net: Registry, dev: Netdev, flags: number): Task {
  const before = dev.flags.now;
  if (before === flags) return;
  yield* dev.flags.set(flags);
  const [gained, lost] = [flagNames(flags & ~before), flagNames(before & ~flags)];
  net.sim.trace.emit({ kind: 'netdev.flags', dev: dev.dev, flags, gained, lost });
}

/** dev_open(). No event when it is up already. */
export function* openDevice(net: Registry, dev: Netdev): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_open');
  if (dev.up) return undefined;
  const errno = yield* startDevice(net, dev);
  if (errno !== undefined) return errno;
  yield* net.rtnetlink.newLink(dev, 'dev_open');
  yield* net.chain.call('NETDEV_UP', dev);
  return undefined;
}

/** dev_close(). At GOING_DOWN the device still runs; at DOWN it does not. */
export function* closeDevice(net: Registry, dev: Netdev): Task {
  yield* closeDevices(net, [dev]);
}

/** dev_close_many(): all have stopped before the first is told of. */
export function* closeDevices(net: Registry, devices: readonly Netdev[]): Task {
  net.rtnl.assertHeld('dev_close');
  const closing = devices.filter((dev) => dev.up);
  yield* stopDevices(net, closing);
  for (const dev of closing) {
    yield* net.rtnetlink.newLink(dev, 'dev_close');
    yield* net.chain.call('NETDEV_DOWN', dev);
  }
}

/** __dev_open(): nobody is told yet that it is up. */
function* startDevice(net: Registry, dev: Netdev): Task<Errno | undefined> {
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
  return undefined;
}

/** __dev_close_many(): nobody is told yet that they are down. */
function* stopDevices(net: Registry, devices: readonly Netdev[]): Task {
  for (const dev of devices) {
    yield* net.chain.call('NETDEV_GOING_DOWN', dev);
    yield* dev.running.set(false);
  }
  for (const dev of devices) {
    yield* dev.ops.stop();
    yield* setFlags(net, dev, dev.flags.now & ~IFF.UP);
  }
}

/**
 * dev_change_flags(): UP opens or closes, PROMISC and ALLMULTI count, volatile bits such as SLAVE are ignored. All of it
 * is told in one RTM_NEWLINK; nothing is when nothing has changed.
 */
export function* changeFlags(net: Registry, dev: Netdev, wanted: number): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_change_flags');
  const [before, askedBefore] = [dev.flags.now, dev.gflags];
  let errno: Errno | undefined;
  yield* setFlags(net, dev, (before & ~PLAIN_FLAGS) | (wanted & PLAIN_FLAGS));
  if (((wanted ^ before) & IFF.UP) !== 0) {
    if ((wanted & IFF.UP) === 0) yield* stopDevices(net, [dev]);
    else errno = yield* startDevice(net, dev);
  }
  yield* ask(net, dev, wanted, IFF.PROMISC, countPromiscuity);
  yield* ask(net, dev, wanted, IFF.ALLMULTI, setAllmulti);
  if (errno !== undefined) return errno;
  const changed = dev.flags.now ^ before;
  if ((changed | (dev.gflags ^ askedBefore)) !== 0) yield* net.rtnetlink.newLink(dev, 'dev_change_flags');
  if ((changed & IFF.UP) !== 0) yield* net.chain.call(dev.up ? 'NETDEV_UP' : 'NETDEV_DOWN', dev);
  if (dev.up && (changed & PLAIN_FLAGS) !== 0) yield* net.chain.call('NETDEV_CHANGE', dev);
  return undefined;
}

/** What user mode asks for counts once, however often it asks (dev->gflags). */
function* ask(net: Registry, dev: Netdev, wanted: number, flag: number, count: typeof setAllmulti): Task {
  if (((wanted ^ dev.gflags) & flag) === 0) return;
  dev.gflags ^= flag;
  yield* count(net, dev, (wanted & flag) !== 0 ? 1 : -1);
}

/** dev_set_promiscuity(): for whoever needs it of a device, without its user's asking; always told. */
export function* setPromiscuity(net: Registry, dev: Netdev, by: 1 | -1): Task {
  net.rtnl.assertHeld('dev_set_promiscuity');
  yield* countPromiscuity(net, dev, by);
  yield* net.rtnetlink.newLink(dev, 'dev_set_promiscuity');
}

function* countPromiscuity(net: Registry, dev: Netdev, by: 1 | -1): Task {
  dev.promiscuity = Math.max(0, dev.promiscuity + by);
  yield* changeRxFlags(net, dev, (dev.flags.now & ~IFF.PROMISC) | (dev.promiscuity > 0 ? IFF.PROMISC : 0));
  if (dev.up && dev.ops.setRxMode !== undefined) yield* dev.ops.setRxMode();
}

/** dev_set_allmulti(): told by whoever asks for it, if at all. */
export function* setAllmulti(net: Registry, dev: Netdev, by: 1 | -1): Task {
  dev.allmulti = Math.max(0, dev.allmulti + by);
  yield* changeRxFlags(net, dev, (dev.flags.now & ~IFF.ALLMULTI) | (dev.allmulti > 0 ? IFF.ALLMULTI : 0));
  if (dev.up && dev.ops.setRxMode !== undefined) yield* dev.ops.setRxMode();
}

function* changeRxFlags(net: Registry, dev: Netdev, flags: number): Task {
  const changed = dev.flags.now ^ flags;
  yield* setFlags(net, dev, flags);
  if (changed !== 0 && dev.ops.changeRxFlags !== undefined) yield* dev.ops.changeRxFlags(changed);
}

/** dev_set_mac_address(). Told even when it is the address that the device has. */
export function* setMac(net: Registry, dev: Netdev, mac: MacAddress): Task<Errno | undefined> {
  net.rtnl.assertHeld('dev_set_mac_address');
  if (dev.ops.setMac === undefined) return 'EOPNOTSUPP';
  if (dev.state === 'unregistered') return 'ENODEV';
  const vetoed = yield* net.chain.call('NETDEV_PRE_CHANGEADDR', dev);
  if (vetoed !== undefined) return vetoed;
  const errno = yield* dev.ops.setMac(mac);
  if (errno !== undefined) return errno;
  dev.addrAssignType = ADDR_ASSIGN.set;
  yield* net.chain.call('NETDEV_CHANGEADDR', dev);
  return undefined;
}

/** dev_addr_set(). */
export function writeMac(net: Registry, dev: Netdev, mac: MacAddress): void {
  if (dev.devAddr === mac) return;
  dev.devAddr = mac;
  net.sim.trace.emit({ kind: 'netdev.mac', dev: dev.dev, mac });
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
