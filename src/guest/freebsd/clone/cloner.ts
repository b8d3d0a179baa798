/**
 * A cloner: what makes interfaces of one kind when user mode asks for them, in one vnet. Source: net/if_clone.c
 * (struct if_clone); reference C.1. Its mutex is held for single accesses to its list and to its units, so that each of
 * these is a step of its own here.
 * What this leaves out: modification and dump by netlink.
 */
import type { Result } from '../../../base/result.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { KernelMemory } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { References } from '../net/references.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { UnitAllocator } from './units.ts';

/** IF_MAXUNIT (net/if_clone.h): the highest unit of cloners that do not say another one. */
export const IF_MAXUNIT = 0x7fff;

/** What a kind's create is asked for. */
export interface CloneRequest {
  /** As user mode gave it: `tap`, `tap3`, `em0.5`. */
  readonly name: string;
  /** Where units are the framework's: the one that is taken for it, and the name with it. */
  readonly unit: number | undefined;
}

/** A kind of interfaces, as its driver registers it in each vnet (struct if_clone_addreq). */
export interface CloneType {
  readonly name: string;
  /** {@link IF_MAXUNIT} when it is left out. */
  readonly maxUnit?: number;
  /** IFC_F_AUTOUNIT: the framework parses the name, and takes and gives back the units. */
  readonly autoUnit: boolean;
  /** minifs: units from 0 on that are made with the cloner and cannot be destroyed; none when it is left out. */
  readonly mandatory?: number;
  /** Under the lock of the list of cloners: it must not sleep. */
  readonly matches: (name: string, vnet: Vnet) => boolean;
  readonly create: (cloner: Cloner, request: CloneRequest) => Task<Result<Ifnet, Errno>>;
  /** `force`: the cloner itself goes. Absent: such interfaces cannot be destroyed. */
  readonly destroy?: (cloner: Cloner, ifp: Ifnet, force: boolean) => Task<Errno | undefined>;
  /** Where an interface has a device in /dev. */
  readonly open?: (ifp: Ifnet) => Task<Errno | undefined>;
}

export class Cloner {
  readonly type: CloneType;
  readonly vnet: Vnet;
  readonly units: UnitAllocator;
  readonly interfaces: ClonedList;
  /** One for being registered, and one for each unit in use. */
  readonly references: References;
  readonly memory: KernelMemory;
  /** ifc_unrhdr, a bitmap of its own once. */
  readonly unitMap: KernelMemory;

  constructor(sim: Simulation, type: CloneType, vnet: Vnet) {
    const name = `${type.name} cloner of ${vnet.name}`;
    this.type = type;
    this.vnet = vnet;
    this.units = new UnitAllocator(sim, `units of ${name}`, type.maxUnit ?? IF_MAXUNIT);
    this.interfaces = new ClonedList(sim, `interfaces of ${name}`);
    this.references = new References(sim, name);
    this.memory = new KernelMemory(sim, name, 'if_clone');
    this.unitMap = new KernelMemory(sim, name, 'ifc_units');
  }
}

/** ifc_iflist: interfaces that it has made, the newest first. */
class ClonedList extends SharedObject {
  private readonly entries: Ifnet[] = [];

  insert(ifp: Ifnet): Operation<void> {
    return new Operation(this, 'insert', ifp);
  }

  /** False when it is not there. */
  remove(ifp: Ifnet): Operation<boolean> {
    return new Operation(this, 'remove', ifp);
  }

  first(): Operation<Ifnet | undefined> {
    return new Operation(this, 'first');
  }

  /** For what is checked when all is quiet. */
  get now(): readonly Ifnet[] {
    this.sim.footprint?.read(this.place);
    return [...this.entries];
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): Ifnet | boolean | undefined {
    if (kind === 'first') return this.entries[0];
    if (kind === 'insert') {
      this.entries.unshift(arg as Ifnet);
      return undefined;
    }
    const at = this.entries.indexOf(arg as Ifnet);
    if (at !== -1) this.entries.splice(at, 1);
    return at !== -1;
  }

  peek(): number {
    return this.entries.length;
  }
}
