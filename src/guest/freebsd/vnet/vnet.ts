/**
 * A network stack: vnet0 of the host, and one of each jail that has its own. What it has of interfaces is its list and,
 * in one of the two index designs, its numbers. Source: net/vnet.h, net/if.c (V_ifnet, vnet_if_init()); reference A.1, D.
 */
import { NumberSet } from '../../../base/number-set.ts';
import { Cell } from '../../../sim/cell.ts';
import { type Footprint, HEAD, namePart } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import { ClonerList } from '../clone/cloner-list.ts';
import type { IfGroups } from '../net/groups.ts';
import type { IfIndexTable } from '../net/if-index.ts';
import type { Ifnet } from '../net/ifnet.ts';
import type { AddressLists } from '../netinet/address-lists.ts';
import type { RouteTable } from '../netinet/routes.ts';

/**
 * Subsystems in the order in which their constructors run for a new vnet; destructors run in the reverse order
 * (sys/kernel.h, enum sysinit_sub_id, those that matter here).
 */
export const SUBSYSTEMS = [
  'EVENTHANDLER',
  'VNET',
  'INIT_IF',
  'DRIVERS',
  'CONFIGURE',
  'PSEUDO',
  'PROTO_BEGIN',
  'PROTO_IF',
  'PROTO_DOMAIN',
  'PROTO_IFATTACHDOMAIN',
  'PROTO_END',
  'VNET_DONE',
] as const;

export type Subsystem = (typeof SUBSYSTEMS)[number];

/** `constructing` and `destroying`: its constructors or destructors run; reference D.3. */
export type VnetState = 'constructing' | 'live' | 'destroying' | 'destroyed';

/** What a vnet is made of. */
interface VnetTables {
  readonly indices: IfIndexTable;
  readonly groups: IfGroups;
  readonly fibs: readonly RouteTable[];
  readonly addresses: AddressLists;
}

export class Vnet {
  /** `vnet0`, or the name of the jail. */
  readonly name: string;
  readonly interfaces: IfnetList;
  /** vnet_ifcnt: how many the kernel takes there to be on the list; with the IFNET lock. */
  count = 0;
  readonly groups: IfGroups;
  /** rt_tables[]: as many as the kernel was told to have. */
  readonly fibs: readonly RouteTable[];
  /** V_in_ifaddrhead and V_in_ifaddrhashtbl, and IPv6's. */
  readonly addresses: AddressLists;
  /** net.add_addr_allfibs: 1 in the reference copy, as it was at first; later kernels have 0 (which ones was not looked up). */
  readonly addressesInAllFibs: Cell<boolean>;
  readonly cloners: ClonerList;
  /** The table in which its interfaces are; shared by all vnets in one of the designs. */
  readonly indices: IfIndexTable;
  private ownState: VnetState = 'constructing';
  private ownStage: Subsystem | undefined;
  private readonly unlocked: Place;
  /** Numbers of its interfaces in the table that they are in: to answer at once what the kernel goes through. */
  private readonly numbers = new NumberSet();
  private readonly numbering: Place;

  constructor(sim: Simulation, name: string, { indices, groups, fibs, addresses }: VnetTables) {
    this.name = name;
    this.fibs = fibs;
    this.addresses = addresses;
    this.addressesInAllFibs = new Cell(sim, `add_addr_allfibs of ${name}`, true);
    this.indices = indices;
    this.groups = groups;
    this.interfaces = new IfnetList(sim, name);
    this.cloners = new ClonerList(sim, name);
    this.unlocked = new Place(sim);
    this.numbering = new Place(sim);
  }

  /** The first FIB: all that code sees which knows of no others. */
  get routes(): RouteTable {
    return this.fibs[0] as RouteTable;
  }

  /** An interface of this number is one of this vnet from here on. */
  owns(number: number): void {
    this.numbering.write();
    this.numbers.add(number);
  }

  disowns(number: number): void {
    this.numbering.write();
    this.numbers.delete(number);
  }

  /** Highest number of its interfaces; 0 when it has none. */
  get highestNumber(): number {
    this.numbering.read();
    return this.numbers.highest() ?? 0;
  }

  get state(): VnetState {
    this.unlocked.read();
    return this.ownState;
  }

  set state(state: VnetState) {
    this.unlocked.write();
    this.ownState = state;
  }

  /** vnet.state: the subsystem whose constructor or destructor runs; undefined when none does. */
  get stage(): Subsystem | undefined {
    this.unlocked.read();
    return this.ownStage;
  }

  set stage(stage: Subsystem | undefined) {
    this.unlocked.write();
    this.ownStage = stage;
  }
}

/**
 * V_ifnet: the attached interfaces in the order of attaching. Writers have the IFNET lock; readers have it or are in an
 * epoch section. Two entries can have one name: look-ups find the older.
 */
export class IfnetList extends SharedObject {
  /** With their places on the list, so that of one name the older is found also when it got the name later. */
  private readonly entries = new Map<Ifnet, number>();
  private readonly byName = new Map<string, Ifnet[]>();
  private next = 0;
  private readonly vnet: string;

  constructor(sim: Simulation, vnet: string) {
    super(sim, `interfaces of ${vnet}`);
    this.vnet = vnet;
  }

  /** False, and it is not there, when its name is to be `unique` and taken. */
  append(ifp: Ifnet, unique = false): Operation<boolean> {
    return new Operation(this, 'append', { ifp, to: ifp.name, unique });
  }

  /** False when it is not there. */
  remove(ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'remove', ifp);
  }

  /** The interface's own name, and with it the list's, changes; false, and nothing changes, when `unique` and taken. */
  rename(ifp: Ifnet, to: string, unique = false): Operation<boolean> {
    return new Operation(this, 'rename', { ifp, to, unique });
  }

  /** ifunit(): the oldest of that name. */
  find(name: string): Operation<Ifnet | undefined> {
    return new Operation(this, 'find', name);
  }

  has(ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'has', ifp);
  }

  /** All of them, as they are at this moment. */
  all(): Operation<readonly Ifnet[]> {
    return new Operation(this, 'all');
  }

  /** The first one, or the one behind `ifp`: a step of a walk that holds nothing. */
  after(ifp: Ifnet | undefined): Operation<Ifnet | undefined> {
    return new Operation(this, 'after', ifp);
  }

  /** For whoever has the IFNET lock, and for reports. */
  get now(): readonly Ifnet[] {
    this.sim.footprint?.read(this.place, HEAD);
    return [...this.entries.keys()];
  }

  findNow(name: string): Ifnet | undefined {
    this.sim.footprint?.read(this.place, namePart(name));
    return this.byName.get(name)?.[0];
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): Ifnet | readonly Ifnet[] | boolean | undefined {
    switch (kind) {
      case 'append': {
        const { ifp, to, unique } = arg as Naming;
        if (unique && this.byName.has(to)) return false;
        this.add(ifp);
        return true;
      }
      case 'remove':
        return this.drop(arg as Ifnet);
      case 'rename': {
        const { ifp, to, unique } = arg as Naming;
        if (unique && this.byName.has(to)) return false;
        this.changeName(ifp, to);
        return true;
      }
      case 'find':
        return this.byName.get(arg as string)?.[0];
      case 'has':
        return this.entries.has(arg as Ifnet);
      case 'after':
        return this.behind(arg as Ifnet | undefined);
      default:
        return [...this.entries.keys()];
    }
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { place } = this;
    switch (kind) {
      case 'find':
        footprint.read(place, namePart(arg as string));
        break;
      case 'append':
      case 'rename': {
        const { ifp, to } = arg as Naming;
        footprint.write(place, HEAD); // a walk shows names
        footprint.write(place, namePart(ifp.name));
        footprint.write(place, namePart(to));
        break;
      }
      case 'remove':
        footprint.write(place, HEAD);
        footprint.write(place, namePart((arg as Ifnet).name));
        break;
      default:
        footprint.read(place, HEAD);
    }
  }

  peek(): number {
    return this.entries.size;
  }

  private behind(ifp: Ifnet | undefined): Ifnet | undefined {
    let isNext = ifp === undefined;
    for (const entry of this.entries.keys()) {
      if (isNext) return entry;
      isNext = entry === ifp;
    }
    return undefined;
  }

  private add(ifp: Ifnet): void {
    this.entries.set(ifp, this.next++);
    this.enter(ifp);
    this.tell(ifp, true);
  }

  private drop(ifp: Ifnet): boolean {
    if (!this.entries.delete(ifp)) return false;
    this.leave(ifp);
    this.tell(ifp, false);
    return true;
  }

  private changeName(ifp: Ifnet, to: string): void {
    const isListed = this.entries.has(ifp);
    if (isListed) this.leave(ifp);
    ifp.name = to;
    if (isListed) this.enter(ifp);
  }

  private enter(ifp: Ifnet): void {
    const namesakes = this.byName.get(ifp.name);
    if (namesakes === undefined) {
      this.byName.set(ifp.name, [ifp]);
      return;
    }
    const place = this.entries.get(ifp) as number;
    const at = namesakes.findIndex((other) => (this.entries.get(other) as number) > place);
    namesakes.splice(at === -1 ? namesakes.length : at, 0, ifp);
  }

  private leave(ifp: Ifnet): void {
    const namesakes = this.byName.get(ifp.name) as Ifnet[];
    if (namesakes.length === 1) this.byName.delete(ifp.name);
    else namesakes.splice(namesakes.indexOf(ifp), 1);
  }

  private tell({ dev, name: ifname, index: ifindex }: Ifnet, visible: boolean): void {
    this.sim.trace.emit({ kind: 'ifnet.visible', dev, channel: 'name', visible, ifname, ifindex, vnet: this.vnet });
  }
}

interface Naming {
  readonly ifp: Ifnet;
  readonly to: string;
  readonly unique: boolean;
}
