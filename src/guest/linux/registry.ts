/**
 * The registry of network devices: register_netdevice(), unregister_netdevice() and listeners that come and go, step
 * by step in the kernel's order, with what user mode can see after each step and the roll-back of each failure.
 * Source: net/core/dev.c, net/core/net-sysfs.c (reference A.1 to A.5).
 * What this leaves out: queues and their kobjects, features, XDP, alternative names.
 */
import { assert, known } from '../../base/assert.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';
import { closeDevices } from './device.ts';
import { CallFaults } from './faults.ts';
import { LinkKinds } from './links.ts';
import { ADDR_ASSIGN, NAME_ASSIGN, type Netdev } from './netdev.ts';
import { NetNamespace } from './netns.ts';
import { type NotifierBlock, NotifierChain } from './notifier.ts';
import { linkInfo, Rtnetlink } from './rtnetlink.ts';
import { Rtnl } from './rtnl.ts';
import { Uevents } from './uevents.ts';

export interface RegistryOptions {
  readonly hasPreUninit: boolean;
  readonly movesUnderOldName?: boolean;
  readonly faults?: CallFaults;
}

export class Registry {
  readonly sim: Simulation;
  readonly chain: NotifierChain;
  readonly rtnl: Rtnl;
  readonly uevents: Uevents;
  readonly rtnetlink: Rtnetlink;
  /** init_net: where devices are registered, and where user mode looks. */
  readonly init: NetNamespace;
  readonly faults: CallFaults;
  readonly linkKinds = new LinkKinds();
  /** All namespaces by name, init_net first. */
  readonly namespaces = new Map<string, NetNamespace>();
  /** Until 6.12 a device that moves to another namespace shows itself under its old name, and is then renamed. */
  readonly movesUnderOldName: boolean;
  /** Whether 6.12's NETDEV_PRE_UNINIT exists. */
  private readonly hasPreUninit: boolean;

  constructor(sim: Simulation, options: RegistryOptions) {
    this.sim = sim;
    this.hasPreUninit = options.hasPreUninit;
    this.faults = options.faults ?? new CallFaults(sim);
    this.movesUnderOldName = options.movesUnderOldName ?? false;
    this.chain = new NotifierChain(sim.trace);
    this.rtnl = new Rtnl(sim, this.chain);
    this.init = new NetNamespace(sim, 'init_net');
    this.namespaces.set(this.init.name, this.init);
    this.uevents = new Uevents(sim, this.init);
    this.rtnetlink = new Rtnetlink(sim, this.init);
    this.chain.add(this.rtnetlink.notifier);
  }

  /** Every registered device, namespace by namespace; RTNL. */
  *devices(): Iterable<Netdev> {
    for (const { devices } of this.namespaces.values()) yield* devices;
  }

  /** A namespace by name, made when it is asked for first. */
  namespace(name: string): NetNamespace {
    let netns = this.namespaces.get(name);
    if (netns === undefined) {
      netns = new NetNamespace(this.sim, name);
      this.namespaces.set(name, netns);
    }
    return netns;
  }

  /** register_netdev(): takes the RTNL around {@link register}. */
  *registerLocked(dev: Netdev): Task<Errno | undefined> {
    yield* this.rtnl.lock();
    const errno = yield* this.register(dev);
    yield* this.rtnl.unlock();
    return errno;
  }

  /**
   * register_netdevice(); the caller holds the RTNL. Numbers are those of reference A.1. Of the device is asked for, if it
   * has them: a namespace, a name (or else its template), an index.
   */
  *register(dev: Netdev): Task<Errno | undefined> {
    this.rtnl.assertHeld('register_netdevice');
    assert(dev.state === 'uninitialized', `${dev.dev} is registered twice`);
    const failing = this.faults.strike('register_netdevice', dev.dev);
    if (failing !== undefined) return this.refused(dev, 'register_netdevice', failing);
    const netns = dev.netns ?? this.init;
    dev.netns = netns;
    const name = netns.names.choose(dev.name === '' ? dev.template : dev.name); // 4
    if (!name.ok) return this.refused(dev, 'register_netdevice', name.error);
    dev.name = name.value;
    const preset = dev.ifindex;
    const index = preset === 0 ? netns.indices.take() : netns.indices.reserve(preset) ? preset : undefined; // 9
    if (index === undefined) {
      netns.names.release(dev.name);
      return this.refused(dev, 'register_netdevice', preset === 0 ? 'ENFILE' : 'EBUSY');
    }
    dev.ifindex = index;
    this.emitState(dev, 'post-init');
    const vetoed = yield* this.chain.call('NETDEV_POST_INIT', dev); // 11
    if (vetoed !== undefined) {
      // Nobody is told: whoever had accepted POST_INIT hears of no end.
      this.forget(dev);
      return this.refused(dev, 'NETDEV_POST_INIT', vetoed);
    }
    yield* this.expose(dev);
    const rejected = yield* this.chain.call('NETDEV_REGISTER', dev); // 17
    if (rejected !== undefined) {
      yield* this.unregister(dev);
      return this.refused(dev, 'NETDEV_REGISTER', rejected);
    }
    // 18; what user mode makes is told of by whoever makes it, when it is as user mode wants it (rtnl_configure_link())
    if (dev.kind === undefined) yield* this.rtnetlink.newLink(dev, 'register_netdevice');
    return undefined;
  }

  *unregisterLocked(dev: Netdev): Task {
    yield* this.rtnl.lock();
    yield* this.unregister(dev);
    yield* this.rtnl.unlock();
  }

  /** unregister_netdevice(); the caller holds the RTNL. What waits for references runs when he releases it. */
  *unregister(dev: Netdev): Task {
    yield* this.unregisterMany([dev]);
  }

  /** unregister_netdevice_many(): all are closed, then all are unlisted, then each ends. Numbers are those of A.5. */
  *unregisterMany(devices: readonly Netdev[]): Task {
    this.rtnl.assertHeld('unregister_netdevice');
    for (const dev of devices) {
      assert(dev.state === 'registered', `${dev.dev} is ${dev.state} and cannot be unregistered`);
    }
    yield* closeDevices(this, devices); // 2
    for (const dev of devices) {
      const netns = known(dev.netns, `the namespace of ${dev.dev}`);
      netns.devices.delete(dev); // 3
      yield* netns.names.remove(dev);
      this.emitVisible(dev, 'ioctl', false);
      dev.state = 'unregistering';
      this.emitState(dev, 'unregistering');
    }
    for (const dev of devices) yield* this.end(dev);
  }

  /** Of a device that nobody finds any more: its listeners, its messages, its directory. */
  private *end(dev: Netdev): Task {
    const netns = known(dev.netns, `the namespace of ${dev.dev}`);
    yield* this.chain.call('NETDEV_UNREGISTER', dev); // 5
    const link = linkInfo(dev);
    if (this.hasPreUninit) yield* this.chain.call('NETDEV_PRE_UNINIT', dev);
    if (dev.ops.uninit !== undefined) yield* dev.ops.uninit();
    yield* this.rtnetlink.delLink(dev, 'unregister_netdevice', { link });
    this.emitVisible(dev, 'rtnetlink', false);
    yield* netns.sysfs.remove(dev);
    this.emitVisible(dev, 'sysfs', false);
    yield* this.uevents.emit('remove', dev);
    this.emitState(dev, 'unregistered');
    this.forget(dev);
    this.rtnl.finishLater(dev);
  }

  /** register_netdevice_notifier(): the newcomer hears of every device that is there, but never of POST_INIT. */
  *addNotifier(block: NotifierBlock): Task<Errno | undefined> {
    yield* this.rtnl.lock();
    if (this.chain.has(block)) {
      yield* this.rtnl.unlock();
      return 'EEXIST';
    }
    this.chain.add(block);
    const told: Netdev[] = [];
    let errno: Errno | undefined;
    for (const dev of this.devices()) {
      const verdict = yield* this.chain.callOne(block, 'NETDEV_REGISTER', dev);
      if (verdict === 'bad' || typeof verdict === 'object') {
        errno = verdict === 'bad' ? 'EPERM' : verdict.errno;
        break;
      }
      if (dev.up) yield* this.chain.callOne(block, 'NETDEV_UP', dev);
      told.push(dev);
    }
    if (errno !== undefined) {
      yield* this.takeLeave(block, told);
      this.chain.remove(block);
    }
    yield* this.rtnl.unlock();
    return errno;
  }

  /** unregister_netdevice_notifier(): the parting one is told that every device goes, although none does. */
  *removeNotifier(block: NotifierBlock): Task {
    yield* this.rtnl.lock();
    this.chain.remove(block);
    yield* this.takeLeave(block, [...this.devices()]);
    yield* this.rtnl.unlock();
  }

  emitState(dev: Netdev, state: string): void {
    const { name: ifname, ifindex, devAddr: mac } = dev;
    this.sim.trace.emit({ kind: 'netdev.state', dev: dev.dev, state, ifname, ifindex, mac });
  }

  /** Steps 12 to 16: sysfs and its uevent first, look-ups without a lock next, REGISTER callbacks only then. */
  private *expose(dev: Netdev): Task {
    const netns = known(dev.netns, `the namespace of ${dev.dev}`);
    yield* netns.sysfs.add(dev); // 12
    this.emitVisible(dev, 'sysfs', true);
    yield* this.uevents.emit('add', dev);
    dev.state = 'registered'; // 13
    yield* netns.names.insert(dev); // 15
    netns.devices.add(dev);
    this.emitVisible(dev, 'ioctl', true);
    if (!dev.carrier.now) dev.operstate = 'down'; // linkwatch_init_dev(), 14
    if (dev.addrAssignType === ADDR_ASSIGN.permanent) dev.permAddr = dev.devAddr; // 16
    this.emitState(dev, 'registered');
  }

  private *takeLeave(block: NotifierBlock, devices: readonly Netdev[]): Task {
    for (const dev of devices) {
      if (dev.up) {
        yield* this.chain.callOne(block, 'NETDEV_GOING_DOWN', dev);
        yield* this.chain.callOne(block, 'NETDEV_DOWN', dev);
      }
      yield* this.chain.callOne(block, 'NETDEV_UNREGISTER', dev);
    }
  }

  private forget(dev: Netdev): void {
    const netns = known(dev.netns, `the namespace of ${dev.dev}`);
    netns.names.release(dev.name);
    netns.indices.free(dev.ifindex);
    if (dev.state === 'uninitialized') {
      if (dev.nameAssignType === NAME_ASSIGN.enumerated) dev.name = '';
      dev.ifindex = 0;
    }
  }

  private refused(dev: Netdev, what: string, errno: Errno): Errno {
    this.sim.trace.emit({ kind: 'netdev.error', dev: dev.dev, what, errno });
    return errno;
  }

  private emitVisible(dev: Netdev, channel: string, visible: boolean): void {
    const { name: ifname, ifindex } = dev;
    const flags = dev.flags.now;
    this.sim.trace.emit({ kind: 'netdev.visible', dev: dev.dev, channel, visible, ifname, ifindex, flags });
  }
}
