/** What every part of the modelled network stack stands on: its locks, its lists, its events. Made once a machine. */
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { Devctl } from './kern/devctl.ts';
import { Epoch } from './kern/epoch.ts';
import { EventHandlers } from './kern/eventhandler.ts';
import { Giant } from './kern/giant.ts';
import { Lock } from './kern/lock.ts';
import { Panic } from './kern/panic.ts';
import { Taskqueue } from './kern/taskqueue.ts';
import { type LockClass, Witness } from './kern/witness.ts';
import { IfGroups } from './net/groups.ts';
import { IfIndexTable, INDEX_MOST } from './net/if-index.ts';
import type { Ifnet } from './net/ifnet.ts';
import type { IfnetState } from './net/ifnet-state.ts';
import { Netlink } from './net/netlink.ts';
import { NgEther } from './net/ng-ether.ts';
import { RoutingSocket } from './net/routing-socket.ts';
import { IoctlSerialiser } from './net/serialiser.ts';
import { AddressLists } from './netinet/address-lists.ts';
import type { IfAddress } from './netinet/ifaddr.ts';
import { MulticastLayer } from './netinet/multicast-layer.ts';
import { RouteTable } from './netinet/routes.ts';
import type { Fix, Profile } from './profile.ts';
import { CurVnet } from './vnet/curvnet.ts';
import { Vnet } from './vnet/vnet.ts';

const IFNET: LockClass = { name: 'ifnet_sx', kind: 'sx', recursive: true };
const DETACH: LockClass = { name: 'ifnet_detach_sx', kind: 'sx', recursive: true };
/** Invented as a lock of its own: the proposal takes one half of the IFNET lock, which is held across no event today. */
const NAMING: LockClass = { name: 'ifnet_naming_sx', kind: 'sx', recursive: true };
const SYSINIT: LockClass = { name: 'vnet_sysinit_sxlock', kind: 'sx' };
const IN_CONTROL: LockClass = { name: 'in_control_sx', kind: 'sx' };
const VNET_LIST: LockClass = { name: 'vnet_sxlock', kind: 'sx' };

export interface FreebsdNetOptions {
  readonly profile: Profile;
  /** Highest interface number; 65535 when it is left out. */
  readonly indexMost?: number;
  /** net.fibs: forwarding tables of each vnet; 1 when it is left out, as a kernel has it by default. */
  readonly fibs?: number;
}

export class FreebsdNet {
  readonly sim: Simulation;
  readonly profile: Profile;
  readonly witness: Witness;
  /** ifnet_sxlock: index tables, lists and groups of all vnets. */
  readonly ifnetLock: Lock;
  /** ifnet_detach_sxlock: the long part of detach, moves, and the end of a vnet. */
  readonly detachLock: Lock;
  /** The first proposal of seed 002: held from the look whether a name is free until it is taken. */
  readonly namingLock: Lock;
  /** The second one. */
  readonly serialiser: IoctlSerialiser;
  /** vnet_sysinit_sxlock: shared while the constructors or destructors of a vnet run. */
  readonly sysinitLock: Lock;
  /** vnet_sxlock: the list of vnets, for who changes it. */
  private readonly vnetListLock: Lock;
  readonly giant: Giant;
  readonly epoch: Epoch;
  readonly events: EventHandlers;
  readonly curvnet: CurVnet;
  readonly routing: RoutingSocket;
  readonly netlink: Netlink;
  readonly devctl: Devctl;
  readonly panic: Panic;
  /** taskqueue_swi: link tasks among others. */
  readonly taskqueue: Taskqueue;
  /** The default vnet: the host's. Hardware is attached there. */
  readonly vnet0: Vnet;
  /** All vnets by name, the default one first. With {@link vnetList}. */
  private readonly vnetsByName = new Map<string, Vnet>();
  private readonly vnetList: Place;
  private readonly indexMost: number;
  /** rt_numfibs (net.fibs): read once, when the machine starts; every vnet has as many (F-13). */
  readonly fibCount: number;
  /** in_control_sx: changes of addresses, one at a time. */
  readonly controlLock: Lock;
  readonly multicast: MulticastLayer;
  readonly ngEther: NgEther;
  /** Addresses that somebody has still: for reports of those that nobody ever gives back. */
  readonly addressCensus = new Set<IfAddress>();
  /** Attached interfaces by the scenario's name: for reports. */
  readonly attached = new Map<string, Ifnet>();

  constructor(sim: Simulation, { profile, indexMost = INDEX_MOST, fibs = 1 }: FreebsdNetOptions) {
    this.sim = sim;
    this.profile = profile;
    this.indexMost = indexMost;
    this.fibCount = fibs;
    this.witness = new Witness(sim);
    this.ifnetLock = new Lock(sim, this.witness, IFNET);
    this.detachLock = new Lock(sim, this.witness, DETACH);
    this.namingLock = new Lock(sim, this.witness, NAMING);
    this.serialiser = new IoctlSerialiser(sim, { looksAgain: profile.fixes.has('serialiser-looks-again') });
    this.sysinitLock = new Lock(sim, this.witness, SYSINIT);
    this.vnetListLock = new Lock(sim, this.witness, VNET_LIST);
    this.controlLock = new Lock(sim, this.witness, IN_CONTROL);
    this.giant = new Giant(sim, this.witness);
    this.multicast = new MulticastLayer(sim, this.witness);
    this.epoch = new Epoch(sim, this.witness);
    this.events = new EventHandlers(sim, this.witness);
    this.curvnet = fixed(this, 'vimage') ? new CurVnet(sim) : new CurVnet(sim, () => this.vnet0);
    this.routing = new RoutingSocket(sim);
    this.netlink = new Netlink(sim);
    this.devctl = new Devctl(sim);
    this.panic = new Panic(sim, 'the end');
    this.taskqueue = new Taskqueue(sim, 'taskqueue swi');
    this.vnetList = new Place(sim);
    const all = () => this.vnets.flatMap(({ interfaces }) => interfaces.now);
    const { witness, events } = this;
    this.ngEther = new NgEther({ sim, witness, events, all, looksFirst: fixed(this, 'ng-node-named-once') });
    this.vnet0 = this.newVnet('vnet0');
    this.vnet0.state = 'live';
    this.vnetsByName.set(this.vnet0.name, this.vnet0);
  }

  /** A vnet of this design of indices; on no list. */
  newVnet(name: string): Vnet {
    const { sim, witness } = this;
    const tableName = (fib: number): string => (fib === 0 ? name : `${name} fib ${fib}`);
    return new Vnet(sim, name, {
      indices: this.tableFor(name),
      groups: new IfGroups(),
      fibs: Array.from({ length: this.fibCount }, (_, fib) => new RouteTable(sim, witness, tableName(fib))),
      addresses: new AddressLists(sim, witness, name, fixed(this, 'address-lists-locked')),
    });
  }

  /** LIST_INSERT_HEAD(&vnet_head): it is found from here on. */
  *list(vnet: Vnet): Task {
    yield* this.vnetListLock.lock();
    this.vnetList.write();
    this.vnetsByName.set(vnet.name, vnet);
    yield* this.vnetListLock.unlock();
  }

  *unlist(vnet: Vnet): Task {
    yield* this.vnetListLock.lock();
    this.vnetList.write();
    this.vnetsByName.delete(vnet.name);
    yield* this.vnetListLock.unlock();
  }

  vnetOf(name: string): Vnet | undefined {
    this.vnetList.read();
    return this.vnetsByName.get(name);
  }

  /** All vnets on the list, the default one first. */
  get vnets(): readonly Vnet[] {
    this.vnetList.read();
    return [...this.vnetsByName.values()];
  }

  private tableFor(vnet: string): IfIndexTable {
    const { index, fixes } = this.profile;
    if (index === 'global' && this.vnet0 !== undefined) return this.vnet0.indices;
    return new IfIndexTable(this.sim, index === 'global' ? 'if_index' : `if_index of ${vnet}`, {
      most: this.indexMost,
      checked: fixes.has('index-limit'),
      generationBits: fixes.has('wide-generation') ? 32 : 16,
    });
  }
}

export const fixed = (net: FreebsdNet, fix: Fix): boolean => net.profile.fixes.has(fix);

/** The interface goes on to another part of its life, and the trace says so. */
export function enterState(net: FreebsdNet, ifp: Ifnet, state: IfnetState): void {
  ifp.state = state;
  if (state === 'attached') net.attached.set(ifp.dev, ifp);
  else if (state !== 'renaming' && net.attached.get(ifp.dev) === ifp) net.attached.delete(ifp.dev);
  const { dev, name: ifname, index: ifindex, generation } = ifp;
  net.sim.trace.emit({ kind: 'ifnet.state', dev, state, ifname, ifindex, generation, vnet: ifp.vnet.now.name });
}

/** A claim of the kernel's own (KASSERT, MPASS) that does not hold: with INVARIANTS it would stop here. */
export function kernelAssert(net: FreebsdNet, holds: boolean, dev: string, what: string): void {
  if (!holds) net.sim.trace.emit({ kind: 'kernel.assert', dev, what });
}

/** A request is refused: the errno, as a value and in the trace. */
export function refuse<E extends string>(net: FreebsdNet, dev: string, what: string, errno: E): E {
  net.sim.trace.emit({ kind: 'netdev.error', dev, what, errno });
  return errno;
}
