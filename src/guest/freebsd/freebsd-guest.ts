/**
 * A modelled FreeBSD guest: its kernel put together, and the interface that user mode has to it.
 * What this leaves out: everything but network interfaces and what brings them.
 */
import type { MacAddress } from '../../base/mac.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Latency } from '../../sim/latency.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Path } from '../../trace/event.ts';
import type { Errno } from '../uapi/errno.ts';
import { type DevctlNotice, type FreebsdUapi, IFF, type RoutingMessage } from '../uapi/freebsd.ts';
import type { Guest, GuestDevice } from '../uapi/guest.ts';
import type { GuestCommand, LinkInfo, LinkMessage, NewLink, PacketSocket } from '../uapi/uapi.ts';
import { createClone } from './clone/create.ts';
import { destroyClone } from './clone/destroy.ts';
import { openDevice } from './clone/open.ts';
import { builtInCloners, clonerModuleOf, clonerModules } from './cloners/modules.ts';
import { type HypervDrivers, type HypervOptions, hypervDrivers } from './drivers/hyperv.ts';
import { Modules } from './kern/modules.ts';
import type { FreebsdKernel } from './kernel.ts';
import { BpfDevices } from './net/bpf.ts';
import { type Ifnet, linkOf } from './net/ifnet.ts';
import { changeUserFlags, onInterface, setLinkAddress, setMtu } from './net/ioctl.ts';
import { byIndex } from './net/lookup.ts';
import { linkInfo } from './net/netlink.ts';
import { output } from './net/output.ts';
import { renameIfnet } from './net/rename.ts';
import { lendIfnet, reclaimIfnet } from './net/vmove.ts';
import { type FreebsdNet, refuse } from './net.ts';
import { addAddress, removeAddress } from './netinet/addresses.ts';
import { bindSocket } from './netinet/bind.ts';
import { DivertSocket } from './netinet/divert.ts';
import { closeSocket, joinGroup, openSocket } from './netinet/multicast-socket.ts';
import type { Profile } from './profile.ts';
import { makeStack } from './stack.ts';
import type { Vnet } from './vnet/vnet.ts';

export interface FreebsdGuestOptions extends HypervOptions {
  readonly profile: Profile;
  readonly latency: Latency;
}

export class FreebsdGuest implements FreebsdUapi, Guest {
  readonly kernel: FreebsdKernel;
  readonly modules: Modules;
  private readonly bpf: BpfDevices;
  private readonly hyperv: HypervDrivers;

  constructor(sim: Simulation, bus: Bus, { profile, latency, vfTraits, devOf }: FreebsdGuestOptions) {
    this.kernel = { sim, bus, latency, profile, ...makeStack(sim, { profile }) };
    this.hyperv = hypervDrivers(this.kernel, { vfTraits, devOf });
    const { net, vnets } = this.kernel;
    this.modules = new Modules(sim, [...this.hyperv.modules, ...clonerModules(net, vnets), net.ngEther.module]);
    this.bpf = new BpfDevices(sim, this.kernel.net);
  }

  /** Makes what each vnet has from the start, connects to the VMBus and loads modules in this order. */
  *boot(modules: readonly string[]): Task<Errno | undefined> {
    for (const part of builtInCloners(this.kernel.net)) yield* this.kernel.vnets.register(part);
    const errno = yield* this.hyperv.vmbus.client.connect();
    if (errno !== undefined) return errno;
    for (const module of modules) {
      const failed = yield* this.modules.load(module);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  netdevOf(dev: string): GuestDevice | undefined {
    const ifp = this.kernel.net.attached.get(dev);
    if (ifp === undefined) return undefined;
    const owner = this.hyperv.hn.ownerOf(dev);
    return deviceOf(ifp, owner === undefined ? undefined : { dev: owner });
  }

  /** The path that a frame sent on this NIC takes now: for reports. */
  pathOf(nic: string): Path {
    return this.hyperv.hn.pathOf(nic);
  }

  // -- the generic core --

  subscribeLinks(name: string): Queue<LinkMessage> {
    return this.kernel.net.netlink.subscribe(name, this.kernel.net.vnet0.name);
  }

  *dumpLinks(): Task<readonly LinkInfo[]> {
    const { net } = this.kernel;
    yield* net.epoch.enter();
    const all = yield* net.vnet0.interfaces.all();
    const links = all.map((ifp) => linkInfo(linkOf(ifp)));
    yield* net.epoch.exit();
    return links;
  }

  *execute(command: GuestCommand): Task<Result<void, Errno>> {
    const errno = yield* this.run(command);
    return errno === undefined ? ok(undefined) : err(errno);
  }

  openPacket(ifname: string, name: string): Operation<Result<PacketSocket, Errno>> {
    return this.bpf.open(ifname, name);
  }

  // -- FreeBSD's own --

  subscribeRouting(name: string, vnet = this.kernel.net.vnet0.name): Queue<RoutingMessage> {
    return this.kernel.net.routing.subscribe(name, vnet);
  }

  subscribeDevctl(name: string): Queue<DevctlNotice> {
    return this.kernel.net.devctl.subscribe(name);
  }

  *listInterfaces(vnet?: string): Task<readonly string[]> {
    const { net } = this.kernel;
    yield* net.epoch.enter();
    const all = yield* this.vnet(vnet).interfaces.all();
    const names = all.map(({ name }) => name);
    yield* net.epoch.exit();
    return names;
  }

  *nameToIndex(ifname: string, vnet?: string): Task<Result<number, Errno>> {
    const { net } = this.kernel;
    yield* net.epoch.enter();
    const ifp = yield* this.vnet(vnet).interfaces.find(ifname);
    yield* net.epoch.exit();
    return ifp === undefined ? err('ENXIO') : ok(ifp.index);
  }

  *indexToName(ifindex: number, vnet?: string): Task<Result<string, Errno>> {
    const { net } = this.kernel;
    yield* net.epoch.enter();
    const ifp = yield* byIndex(net, this.vnet(vnet), ifindex);
    const name = ifp?.name;
    yield* net.epoch.exit();
    return name === undefined ? err('ENXIO') : ok(name);
  }

  get vfTransparent(): boolean {
    return this.kernel.profile.fixes.has('vf-transparent');
  }

  *interfaceCount(name?: string): Task<number> {
    const { net } = this.kernel;
    const vnet = this.vnet(name);
    yield* net.ifnetLock.lockShared();
    const count = vnet.highestNumber;
    if (net.profile.index === 'global') vnet.indices.tellCount(count);
    yield* net.ifnetLock.unlockShared();
    return count;
  }

  *createInterface(ifname: string, vnet?: string): Task<Result<string, Errno>> {
    return yield* this.create(this.vnet(vnet), ifname);
  }

  private *addLink(vnet: Vnet, { kind, ifname = kind, mac }: NewLink): Task<Errno | undefined> {
    const made = yield* this.create(vnet, ifname, mac);
    return made.ok ? undefined : made.error;
  }

  /** As ifconfig(8) does it: it loads the module of the kind first (ifmaybeload()), which nobody in a jail may. */
  private *create(vnet: Vnet, ifname: string, mac?: MacAddress): Task<Result<string, Errno>> {
    const { net } = this.kernel;
    const module = clonerModuleOf(ifname.replace(/\d.*$/, ''));
    if (vnet === net.vnet0 && !this.modules.isLoaded(module)) yield* this.modules.load(module);
    const attributes = mac === undefined ? undefined : (ifp: Ifnet) => setLinkAddress(net, ifp, mac);
    return yield* createClone(net, vnet, ifname, attributes);
  }

  /** A program runs in a vnet that there is: the default one, or a jail's. */
  private vnet(name: string | undefined): Vnet {
    const { net } = this.kernel;
    return (name === undefined ? undefined : net.vnetOf(name)) ?? net.vnet0;
  }

  private *run(command: GuestCommand): Task<Errno | undefined> {
    switch (command.do) {
      case 'load':
        return yield* this.modules.load(command.module);
      case 'unload':
        return yield* this.modules.unload(command.module);
      case 'add-netns':
        return yield* this.addVnet(command.name);
      case 'delete-netns':
        return yield* this.deleteVnet(command.name);
      default: {
        const { net } = this.kernel;
        const vnet = command.netns === undefined ? net.vnet0 : net.vnetOf(command.netns);
        return vnet === undefined ? refuse(net, '', command.do, 'ENXIO') : yield* this.runIn(vnet, command);
      }
    }
  }

  private *runIn(vnet: Vnet, command: CommandInVnet): Task<Errno | undefined> {
    const { net, netisr } = this.kernel;
    switch (command.do) {
      case 'add-link':
        return yield* this.addLink(vnet, command);
      case 'open':
        return yield* openDevice(net, vnet, command.ifname);
      case 'delete-link':
        return yield* destroyClone(net, vnet, command.ifname);
      case 'move-netns':
        return yield* lendIfnet(net, vnet, command.ifname, command.to);
      case 'reclaim-netns':
        return yield* reclaimIfnet(net, vnet, command.ifname, command.from);
      case 'send':
        return yield* net.curvnet.within(vnet, output(net, command.way, NO_PAYLOAD));
      case 'join':
        return yield* net.curvnet.within(vnet, this.join(vnet, command.group, command.ifindex));
      case 'leave':
        return yield* net.curvnet.within(vnet, this.leave(vnet, command.group));
      case 'bind':
        return yield* bindSocket(net, vnet, command.address);
      case 'divert':
        return this.divert(command.way);
      case 'dispatch':
        netisr.setDispatch(command.policy);
        return undefined;
      default:
        return yield* onInterface(net, vnet, command.ifname, command.do, (ifp) => runOn(net, ifp, command));
    }
  }

  /** Programs end, and with them their sockets. EADDRNOTAVAIL when none is in the group. */
  private *leave(vnet: Vnet, group: string): Task<Errno | undefined> {
    const { net } = this.kernel;
    const members = net.multicast
      .socketsOf(vnet)
      .filter(({ memberships }) => memberships.some(({ inm }) => inm.group === group));
    for (const socket of members) yield* closeSocket(net, socket);
    return members.length === 0 ? refuse(net, '', 'IP_DROP_MEMBERSHIP', 'EADDRNOTAVAIL') : undefined;
  }

  /** A program opens a socket, which joins; when it may not, the program ends. */
  private *join(vnet: Vnet, group: string, index: number): Task<Errno | undefined> {
    const { net } = this.kernel;
    const socket = openSocket(net, vnet);
    const errno = yield* joinGroup(net, socket, { group, index });
    if (errno !== undefined) yield* closeSocket(net, socket);
    return errno;
  }

  /** natd(8), which goes on for good. EADDRINUSE: there is one already. */
  private divert(way: 'out' | 'in'): Errno | undefined {
    const { sim, net, netisr, ip } = this.kernel;
    if (ip.isFiltered) return refuse(net, '', 'bind', 'EADDRINUSE');
    sim.spawn('natd', 'user', writeBack(new DivertSocket(net, netisr, ip), way), { daemon: true });
    return undefined;
  }

  private *addVnet(name: string): Task<Errno | undefined> {
    const { net } = this.kernel;
    // kern_jail.c: a kernel without VIMAGE knows no parameter `vnet`.
    if (!net.profile.fixes.has('vimage')) return refuse(net, '', 'jail_set', 'EINVAL');
    if (net.vnetOf(name) !== undefined) return refuse(net, '', 'jail_set', 'EEXIST');
    yield* this.kernel.vnets.create(name);
    return undefined;
  }

  private *deleteVnet(name: string): Task<Errno | undefined> {
    const { net, vnets } = this.kernel;
    const vnet = net.vnetOf(name);
    if (vnet === undefined || vnet === net.vnet0) return refuse(net, '', 'jail_remove', 'EINVAL');
    yield* vnets.destroy(vnet);
    return undefined;
  }
}

function* writeBack(socket: DivertSocket, way: 'out' | 'in'): Task {
  for (;;) yield* socket.send(yield* socket.received.take(), way);
}

type CommandInVnet = Exclude<GuestCommand, { readonly do: 'load' | 'unload' | 'add-netns' | 'delete-netns' }>;

type InterfaceCommand = Extract<GuestCommand, { readonly ifname: string; readonly ifindex?: number }> & {
  readonly do: 'up' | 'down' | 'mtu' | 'rename' | 'address' | 'flags' | 'master' | 'add-address' | 'remove-address';
};

/** A datagram without data. */
const NO_PAYLOAD = new Uint8Array(64);

function* runOn(net: FreebsdNet, ifp: Ifnet, command: InterfaceCommand): Task<Errno | undefined> {
  switch (command.do) {
    case 'up':
      return yield* changeUserFlags(net, ifp, { up: true });
    case 'down':
      return yield* changeUserFlags(net, ifp, { up: false });
    case 'mtu':
      return yield* setMtu(net, ifp, command.mtu);
    case 'rename':
      return yield* renameIfnet(net, ifp, command.to);
    case 'address':
      return yield* setLinkAddress(net, ifp, command.mac);
    case 'add-address':
      return yield* addAddress(net, ifp, command.address);
    case 'remove-address':
      return yield* removeAddress(net, ifp, command.address);
    case 'flags':
      return yield* changeUserFlags(net, ifp, command.flags);
    case 'master':
      return refuse(net, ifp.dev, 'SIOCSIFMASTER', 'EOPNOTSUPP'); // there is no such request
  }
}

/** There is no relation of a VF to its NIC but in the NIC's driver. */
const deviceOf = (ifp: Ifnet, master: GuestDevice['master']): GuestDevice => ({
  name: ifp.name,
  up: (ifp.flags.now & IFF.UP) !== 0,
  mtu: ifp.mtu,
  flags: { now: ifp.flags.now | ifp.drvFlags.now },
  master,
  netns: { name: ifp.vnet.now.name },
});
