/**
 * A modelled Linux guest: its kernel put together, and the interface that user mode has to it.
 * What this leaves out: everything but network devices and what brings them.
 */
import { assert } from '../../base/assert.ts';
import type { Guid } from '../../base/guid.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Latency } from '../../sim/latency.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Path } from '../../trace/event.ts';
import type { VfTraits } from '../hv/vf-traits.ts';
import { VmbusClient } from '../hv/vmbus-client.ts';
import type { Errno } from '../uapi/errno.ts';
import type { Guest } from '../uapi/guest.ts';
import type { LinuxUapi, PciLocation, SysfsAttribute, SysfsLink, SysfsNode, Uevent } from '../uapi/linux.ts';
import type { GuestCommand, LinkInfo, LinkMessage, PacketSocket } from '../uapi/uapi.ts';
import { addrconf } from './addrconf.ts';
import { changeFlags, closeDevice, openDevice, renameDevice, setMac, setMtu } from './device.ts';
import { bonding } from './drivers/bonding.ts';
import { dummy } from './drivers/dummy.ts';
import { type HvNetvsc, hvNetvsc } from './drivers/hv-netvsc/driver.ts';
import { pciHyperv } from './drivers/pci-hyperv.ts';
import { vfDrivers } from './drivers/vf-driver.ts';
import { type CallFault, CallFaults } from './faults.ts';
import { fixed, type LinuxKernel } from './kernel.ts';
import { LinkWatch } from './link-watch.ts';
import { addLink, deleteLink, setMaster, wantedFlags } from './links.ts';
import { type DriverFactory, type Module, Modules } from './modules.ts';
import type { Netdev } from './netdev.ts';
import { exitNamespace, moveToNamespace, type NetNamespace } from './netns.ts';
import { PacketSockets } from './packets.ts';
import { PciCore } from './pci-core.ts';
import type { Profile } from './profile.ts';
import { Registry } from './registry.ts';
import { linkInfo } from './rtnetlink.ts';
import { pciLocation, readAttribute, readLink } from './sysfs.ts';
import { sysfsTree } from './sysfs-tree.ts';
import { VmbusCore } from './vmbus-core.ts';

export interface LinuxGuestOptions {
  readonly profile: Profile;
  readonly latency: Latency;
  readonly vfTraits: readonly VfTraits[];
  /** Modules beside the kernel's own, or in their place: those of the same name. */
  readonly drivers: readonly DriverFactory[];
  /** The scenario's name of an offered device, for traces. */
  readonly devOf: (instance: Guid) => string;
}

export class LinuxGuest implements LinuxUapi, Guest {
  readonly kernel: LinuxKernel;
  readonly modules: Modules;
  private readonly packets: PacketSockets;
  private readonly netvsc: Module & Partial<HvNetvsc>;

  constructor(sim: Simulation, bus: Bus, options: LinuxGuestOptions) {
    const { profile, latency, vfTraits, drivers, devOf } = options;
    const { hasPreUninit, movesUnderOldName } = profile;
    const faults = new CallFaults(sim);
    const net = new Registry(sim, { hasPreUninit, movesUnderOldName, faults });
    net.chain.add(addrconf(sim, profile));
    const vmbusCore = new VmbusCore(sim);
    const vmbus = new VmbusClient(sim, bus, vmbusCore, devOf);
    vmbusCore.connectedBy(vmbus);
    const pci = new PciCore(sim);
    this.kernel = {
      sim,
      bus,
      latency,
      profile,
      faults,
      net,
      linkWatch: new LinkWatch(sim, net),
      vmbus,
      vmbusCore,
      pci,
    };
    this.packets = new PacketSockets(sim, net.init.names);
    const netvsc = hvNetvsc(this.kernel);
    const virtual = [dummy(this.kernel), bonding(this.kernel)];
    const own = [pciHyperv(this.kernel), netvsc, ...vfDrivers(this.kernel, vfTraits), ...virtual];
    const added = drivers.map((make) => make(this.kernel));
    this.netvsc = added.find(({ name }) => name === netvsc.name) ?? netvsc;
    this.modules = new Modules(sim, [...own, ...added]);
  }

  /** Connects to the VMBus and loads modules in this order, as an initramfs does. */
  *boot(modules: readonly string[]): Task<Errno | undefined> {
    const errno = yield* this.kernel.vmbus.connect();
    if (errno !== undefined) return errno;
    for (const module of modules) {
      const failed = yield* this.modules.load(module);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /** The registered device of a scenario's name, if there is one: for reports. */
  netdevOf(dev: string): Netdev | undefined {
    for (const netdev of this.kernel.net.devices()) if (netdev.dev === dev) return netdev;
    return undefined;
  }

  /** The path that a frame sent on this NIC takes now: for reports. */
  pathOf(nic: string): Path {
    const { netvsc } = this;
    assert(netvsc.pathOf !== undefined, `the module in the place of ${netvsc.name} has no pathOf(nic)`);
    return netvsc.pathOf(nic);
  }

  failCall(fault: CallFault): void {
    this.kernel.faults.arm(fault);
  }

  // -- the generic core --

  subscribeLinks(name: string): Queue<LinkMessage> {
    return this.kernel.net.rtnetlink.subscribe(name);
  }

  *dumpLinks(): Task<readonly LinkInfo[]> {
    const { net } = this.kernel;
    yield* net.rtnl.lock();
    const links = [...net.init.devices].map(linkInfo).sort((a, b) => a.ifindex - b.ifindex);
    yield* net.rtnl.unlock();
    return links;
  }

  *execute(command: GuestCommand): Task<Result<void, Errno>> {
    const errno = yield* this.run(command);
    return errno === undefined ? ok(undefined) : err(errno);
  }

  openPacket(ifname: string, name: string): Operation<Result<PacketSocket, Errno>> {
    return this.packets.open(ifname, name);
  }

  // -- Linux's own --

  subscribeUevents(name: string): Queue<Uevent> {
    return this.kernel.net.uevents.subscribe(name);
  }

  listNet(): Operation<readonly string[]> {
    return this.kernel.net.init.sysfs.list();
  }

  readAttribute(path: string, attribute: SysfsAttribute): Task<Result<string, Errno>> {
    return readAttribute(this.kernel.net.init.sysfs, path, attribute);
  }

  readLink(path: string, link: SysfsLink): Task<Result<string, Errno>> {
    return readLink(this.kernel.net.init.sysfs, path, link);
  }

  pciLocation(path: string): Task<Result<PciLocation | undefined, Errno>> {
    return pciLocation(this.kernel.net.init.sysfs, path);
  }

  sysfsTree(): readonly SysfsNode[] {
    return sysfsTree(this.kernel.net.init.sysfs);
  }

  private *run(command: GuestCommand): Task<Errno | undefined> {
    if (command.do === 'load') return yield* this.modules.load(command.module);
    if (command.do === 'unload') return yield* this.modules.unload(command.module);
    if (isForeign(command)) return 'EOPNOTSUPP';
    const { net } = this.kernel;
    if (command.do === 'add-netns') return this.addNamespace(command.name);
    if (command.do === 'delete-netns') return yield* this.deleteNamespace(command.name);
    yield* net.rtnl.lock();
    const netns = net.namespaces.get(command.netns ?? net.init.name);
    let errno: Errno | undefined;
    if (netns === undefined) errno = 'ENODEV';
    else if (command.do === 'add-link') errno = yield* addLink(net, netns, command);
    else {
      const { ifindex, ifname } = command;
      const dev = ifindex === undefined ? netns.names.find(ifname) : byIndex(net.init, ifindex);
      errno = dev === undefined ? 'ENODEV' : yield* this.runOn(dev, command);
    }
    yield* net.rtnl.unlock();
    return errno;
  }

  private addNamespace(name: string): Errno | undefined {
    const { net } = this.kernel;
    if (net.namespaces.has(name)) return 'EEXIST';
    net.namespace(name);
    return undefined;
  }

  private *deleteNamespace(name: string): Task<Errno | undefined> {
    const { net } = this.kernel;
    const netns = net.namespaces.get(name);
    if (netns === undefined || netns === net.init) return 'ENOENT';
    yield* exitNamespace(net, netns);
    return undefined;
  }

  private *runOn(dev: Netdev, command: LinkCommand): Task<Errno | undefined> {
    const { net } = this.kernel;
    switch (command.do) {
      case 'up':
        return yield* openDevice(net, dev);
      case 'down':
        yield* closeDevice(net, dev);
        return undefined;
      case 'mtu':
        return yield* setMtu(net, dev, command.mtu);
      case 'address':
        return yield* setMac(net, dev, command.mac);
      case 'flags':
        return yield* changeFlags(net, dev, wantedFlags(dev, command.flags));
      case 'master':
        return yield* setMaster(net, dev, command.master);
      case 'delete-link':
        return yield* deleteLink(net, dev);
      case 'move-netns':
        return yield* this.move(dev, net.namespace(command.to), command.as);
      case 'rename':
        return yield* renameDevice(net, dev, command.to, fixed(this.kernel, 'live-rename'));
    }
  }

  /** do_setlink(): the new name is for a device whose own is in use there; any other is moved first, and renamed there. */
  private *move(dev: Netdev, to: NetNamespace, as: string | undefined): Task<Errno | undefined> {
    const { net } = this.kernel;
    const errno = yield* moveToNamespace(net, dev, to, as);
    if (errno !== undefined || as === undefined) return errno;
    return yield* renameDevice(net, dev, as, fixed(this.kernel, 'live-rename'));
  }
}

function byIndex(netns: NetNamespace, ifindex: number): Netdev | undefined {
  for (const dev of netns.devices) if (dev.ifindex === ifindex) return dev;
  return undefined;
}

const FOREIGN = [
  'reclaim-netns',
  'add-address',
  'remove-address',
  'send',
  'join',
  'leave',
  'bind',
  'open',
  'divert',
  'dispatch',
] as const;
type ForeignCommand = Extract<GuestCommand, { readonly do: (typeof FOREIGN)[number] }>;

/** A request that Linux does not have, or not in this model. */
const isForeign = (command: GuestCommand): command is ForeignCommand =>
  FOREIGN.some((foreign) => foreign === command.do);

type LinkCommand = Extract<GuestCommand, { readonly ifname: string; readonly ifindex?: number }> & {
  readonly do: Exclude<GuestCommand['do'], 'add-link' | ForeignCommand['do']>;
};
