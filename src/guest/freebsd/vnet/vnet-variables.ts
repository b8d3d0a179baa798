/**
 * Data that each vnet has for itself: a variable exists once as the reference copy, from which each new vnet gets its own,
 * whatever became of those of others. Modules have a reserve of so many bytes for theirs, and what one brings is copied
 * into the vnets that are on the list. Source: net/vnet.c (vnet_data_alloc(), vnet_data_copy()); reference D.1, F-5.
 */
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Errno } from '../../uapi/errno.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass } from '../kern/witness.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from './vnet.ts';

/** VNET_MODMIN: bytes for the variables of all modules (two pages of 4096). */
const MODULE_RESERVE = 8192;

const LINKER: LockClass = { name: 'kernel linker', kind: 'sx' };

/** VNET_DEFINE(): a variable, by what it is in the reference copy. */
export interface VnetVariable<T extends number | string | boolean> {
  readonly name: string;
  readonly initial: T;
  /** Bytes, of the reserve when a module brings it. */
  readonly size: number;
}

export class VnetVariables {
  private readonly net: FreebsdNet;
  /** The reference copy. */
  private readonly reference = new Map<string, VnetVariable<number | string | boolean>>();
  private readonly copies = new Map<Vnet, Map<string, Cell<number | string | boolean>>>();
  private reserved = 0;
  /** kld_sx: one module is loaded at a time. */
  private readonly linkerLock: Lock;
  /** For all of these. */
  private readonly tables: Place;

  constructor(net: FreebsdNet) {
    this.net = net;
    this.tables = new Place(net.sim);
    this.linkerLock = new Lock(net.sim, net.witness, LINKER);
    this.copies.set(net.vnet0, new Map());
  }

  /** A variable of the kernel's own: it is there before any vnet but the default one. */
  define<T extends number | string | boolean>(variable: VnetVariable<T>): void {
    this.reference.set(variable.name, variable);
    for (const vnet of this.copies.keys()) this.copyOne(vnet, variable);
  }

  /** A module brings a variable: ENOSPC when the reserve is full. Vnets that are not on the list do not get it (G-43). */
  *load<T extends number | string | boolean>(variable: VnetVariable<T>): Task<Errno | undefined> {
    const { net } = this;
    const locks = fixed(net, 'vnet-listed-first');
    yield* this.linkerLock.lock();
    if (locks) yield* net.sysinitLock.lock();
    const fits = this.reserved + variable.size <= MODULE_RESERVE;
    if (fits) {
      this.tables.write();
      this.reserved += variable.size;
      this.reference.set(variable.name, variable);
      for (const vnet of net.vnets) this.copyOne(vnet, variable);
    }
    if (locks) yield* net.sysinitLock.unlock();
    yield* this.linkerLock.unlock();
    return fits ? undefined : refuse(net, '', `vnet_data_alloc ${variable.name}`, 'ENOSPC');
  }

  unload({ name, size }: VnetVariable<number | string | boolean>): void {
    this.tables.write();
    if (!this.reference.delete(name)) return;
    this.reserved -= size;
    for (const copy of this.copies.values()) copy.delete(name);
  }

  /** A new vnet gets its own of all that the reference copy has now. */
  copyInto(vnet: Vnet): void {
    this.tables.write();
    this.copies.set(vnet, new Map());
    for (const variable of this.reference.values()) this.copyOne(vnet, variable);
  }

  drop(vnet: Vnet): void {
    this.tables.write();
    this.copies.delete(vnet);
  }

  /** How many a vnet has of its own. */
  copiesOf(vnet: Vnet): number {
    this.tables.read();
    return this.copies.get(vnet)?.size ?? 0;
  }

  /** A vnet's own; undefined where it has none, and whoever goes on from there is somewhere else in memory. */
  of<T extends number | string | boolean>(vnet: Vnet, { name }: VnetVariable<T>): Cell<T> | undefined {
    this.tables.read();
    return this.copies.get(vnet)?.get(name) as Cell<T> | undefined;
  }

  private copyOne(vnet: Vnet, { name, initial }: VnetVariable<number | string | boolean>): void {
    this.copies.get(vnet)?.set(name, new Cell(this.net.sim, `${name} of ${vnet.name}`, initial));
  }
}
