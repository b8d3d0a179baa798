/**
 * struct ifnet: one network interface. What one lock guards is plain; what is read without a lock is a cell, so that each
 * such read is a step of its own. Source: net/if_private.h, if_var.h; reference A.1.
 * What this leaves out: queues and counters; bpf and CARP.
 */
import type { MacAddress } from '../../../base/mac.ts';
import { ZERO_MAC } from '../../../base/mac.ts';
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { IfLink } from '../../uapi/freebsd.ts';
import { Lock } from '../kern/lock.ts';
import { KernelMemory } from '../kern/memory.ts';
import type { DeferredTask } from '../kern/taskqueue.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import { type AfData, FAMILIES, type Family } from '../netinet/af-data.ts';
import type { IfAddress } from '../netinet/ifaddr.ts';
import type { IfMultiaddr } from '../netinet/multicast.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { DEAD_TAP, type Tap } from './bpf-tap.ts';
import type { IfnetState, LinkState } from './ifnet-state.ts';
import { References } from './references.ts';

/** IFT_* (net/if_types.h), as far as anybody asks. */
export type IfType = 'ether' | 'loop' | 'other';

/** What the stack asks of a driver. */
export type DriverRequest =
  | { readonly request: 'SIOCSIFFLAGS' }
  | { readonly request: 'SIOCADDMULTI' | 'SIOCDELMULTI' }
  | { readonly request: 'SIOCSIFMTU'; readonly mtu: number };

/** The driver's methods (if_init() and its kin), as far as the registry and the packet path call them. */
export interface IfMethods {
  readonly ioctl: (request: DriverRequest) => Task<Errno | undefined>;
  readonly transmit: (frame: Uint8Array) => Task<Errno | undefined>;
  /** if_reassign: between two vnets, when it is nowhere on a list. Absent: nothing to do. */
  readonly reassign?: (to: Vnet) => Task;
}

/** if_input: what becomes of a frame that came in. Others may put theirs in its place. */
export type InputMethod = (ifp: Ifnet, frame: Uint8Array) => Task;

export interface IfnetOptions {
  /** The scenario's name. */
  readonly dev: string;
  readonly type: IfType;
  /** Driver and unit: what the name is made of, and what a rename does not change. */
  readonly dname: string;
  readonly dunit?: number;
  /** if_xname, where it is not driver and unit: `epair0a`, `em0.5`. */
  readonly name?: string;
  readonly methods: IfMethods;
  readonly input?: InputMethod;
  /** The stack's flags before it is up. */
  readonly flags: number;
  /** 1500 when it is left out. */
  readonly mtu?: number;
  /** IFCAP_*, all of them enabled; none when it is left out. */
  readonly capabilities?: number;
  /** IFF_NEEDSGIANT: the driver is not safe on several processors. */
  readonly needsGiant?: true;
}

const IF_ADDR: LockClass = { name: 'if_addr_lock', kind: 'mutex' };
/** ETHERMTU (net/ethernet.h). */
const ETHERMTU = 1500;

export class Ifnet {
  /** The scenario's name: `nic1`, `nic1.vf`. The guest does not know it. */
  readonly dev: string;
  readonly type: IfType;
  readonly dname: string;
  readonly dunit: number | undefined;
  /** The stack's flags; DYING and RENAMING are among them. */
  readonly flags: Cell<number>;
  /** The driver's: RUNNING and OACTIVE. */
  readonly drvFlags: Cell<number>;
  readonly vnet: Cell<Vnet>;
  /** Where it was attached first. */
  homeVnet: Vnet | undefined;
  readonly references: References;
  readonly memory: KernelMemory;
  /** The stubs of if_dead once it is gone for the stack. */
  readonly methods: Cell<IfMethods>;
  readonly input: Cell<InputMethod>;
  readonly link: Cell<LinkState>;
  /** if_linktask. */
  readonly linkTask: DeferredTask;
  readonly afdata: Readonly<Record<Family, Cell<AfData | undefined>>>;
  readonly addressLock: Lock;
  /** if_addrhead behind the link address; with the address lock. */
  readonly addresses: IfAddress[] = [];
  /** if_multiaddrs; with the address lock. */
  readonly multicast: IfMultiaddr[] = [];
  permanentMac: MacAddress = ZERO_MAC;
  private ownName: string;
  private ownIndex = 0;
  private ownGeneration = 0;
  private ownState: IfnetState = 'allocated';
  private ownMac: MacAddress = ZERO_MAC;
  private ownMtu: number;
  private ownFib = 0;
  private ownCapabilities: number;
  private ownEnabled: number;
  private ownTap: Tap | undefined = DEAD_TAP;
  private ownGroups: readonly string[] = [];
  /** For the fields above but the state: each is written under some lock, and read without it. */
  private readonly unlocked: Place;
  private readonly life: Place;
  /** For {@link groups}. */
  private readonly membership: Place;

  constructor(
    sim: Simulation,
    witness: Witness,
    vnet: Vnet,
    options: IfnetOptions,
    linkTask: (ifp: Ifnet) => DeferredTask,
  ) {
    const { dev, type, dname, dunit, name, methods, input, flags, mtu = ETHERMTU, capabilities = 0 } = options;
    this.dev = dev;
    this.type = type;
    this.dname = dname;
    this.dunit = dunit;
    this.ownName = name ?? `${dname}${dunit ?? ''}`;
    this.ownMtu = mtu;
    this.ownCapabilities = capabilities;
    this.ownEnabled = capabilities;
    this.unlocked = new Place(sim);
    this.life = new Place(sim);
    this.membership = new Place(sim);
    this.flags = new Cell<number>(sim, `${dev}.flags`, flags);
    this.drvFlags = new Cell<number>(sim, `${dev}.drv_flags`, 0);
    this.vnet = new Cell<Vnet>(sim, `${dev}.vnet`, vnet, nameOf);
    this.references = new References(sim, dev);
    this.memory = new KernelMemory(sim, dev, 'ifnet');
    this.methods = new Cell<IfMethods>(sim, `${dev}.methods`, methods);
    this.input = new Cell<InputMethod>(sim, `${dev}.input`, input ?? dropInput);
    this.link = new Cell<LinkState>(sim, `${dev}.link`, 'unknown');
    this.linkTask = linkTask(this);
    this.addressLock = new Lock(sim, witness, IF_ADDR, dev);
    const [inet, inet6] = FAMILIES.map((family) => new Cell<AfData | undefined>(sim, `${dev}.${family}`, undefined));
    this.afdata = { inet: inet as Cell<AfData | undefined>, inet6: inet6 as Cell<AfData | undefined> };
  }

  /** if_xname. Changed by nobody but the list that it is on. */
  get name(): string {
    this.unlocked.read();
    return this.ownName;
  }

  set name(name: string) {
    this.unlocked.write();
    this.ownName = name;
  }

  get index(): number {
    this.unlocked.read();
    return this.ownIndex;
  }

  get generation(): number {
    this.unlocked.read();
    return this.ownGeneration;
  }

  numbered(index: number, generation: number): void {
    this.unlocked.write();
    this.ownIndex = index;
    this.ownGeneration = generation;
  }

  get state(): IfnetState {
    this.life.read();
    return this.ownState;
  }

  set state(state: IfnetState) {
    this.life.write();
    this.ownState = state;
  }

  /** Groups that it is in: changed with the IFNET lock, and read without it by whoever detaches. */
  get groups(): readonly string[] {
    this.membership.read();
    return this.ownGroups;
  }

  set groups(groups: readonly string[]) {
    this.membership.write();
    this.ownGroups = groups;
  }

  /** The address in its AF_LINK entry; all zero until ether_ifattach() has copied it. */
  get mac(): MacAddress {
    this.unlocked.read();
    return this.ownMac;
  }

  set mac(mac: MacAddress) {
    this.unlocked.write();
    this.ownMac = mac;
  }

  get mtu(): number {
    this.unlocked.read();
    return this.ownMtu;
  }

  set mtu(mtu: number) {
    this.unlocked.write();
    this.ownMtu = mtu;
  }

  /** if_fib: that of packets which come in by it, and of its addresses where they do not go into all. */
  get fib(): number {
    this.unlocked.read();
    return this.ownFib;
  }

  set fib(fib: number) {
    this.unlocked.write();
    this.ownFib = fib;
  }

  /** if_capabilities and if_capenable. */
  get capabilities(): number {
    this.unlocked.read();
    return this.ownCapabilities;
  }

  get enabled(): number {
    this.unlocked.read();
    return this.ownEnabled;
  }

  can(capabilities: number, enabled: number): void {
    this.unlocked.write();
    this.ownCapabilities = capabilities;
    this.ownEnabled = enabled;
  }

  /** if_bpf. */
  get tap(): Tap | undefined {
    this.unlocked.read();
    return this.ownTap;
  }

  set tap(tap: Tap | undefined) {
    this.unlocked.write();
    this.ownTap = tap;
  }
}

/** As messages and listings show it: the stack's flags and the driver's are one word there. */
export function linkOf(ifp: Ifnet): IfLink {
  const { name: ifname, index: ifindex, mac, mtu, dev } = ifp;
  const flags = ifp.flags.now | ifp.drvFlags.now;
  return { ifname, ifindex, flags, mac, mtu, link: ifp.link.now, vnet: ifp.vnet.now.name, dev };
}

const nameOf = ({ name }: Vnet): string => name;

function* dropInput(): Task {}
