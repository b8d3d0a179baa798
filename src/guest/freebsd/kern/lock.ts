/**
 * Locks of the kernel: sleepable shared/exclusive ones (sx), mutexes and read-mostly ones (rm), each under the eye of the
 * lock-order checker. Source: kern/kern_sx.c, kern_mutex.c, kern_rmlock.c; reference A.2.
 * What this leaves out: priorities, upgrades and downgrades, and that a waiting writer keeps new readers out.
 */
import { InvariantError } from '../../../base/assert.ts';
import type { Context } from '../../../sim/context.ts';
import type { Footprint } from '../../../sim/footprint.ts';
import { NOBODY, Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { LockClass, Witness } from './witness.ts';

export class Lock extends SharedObject {
  private readonly lockClass: LockClass;
  private readonly witness: Witness;
  private owner: Context | undefined;
  /** How often the owner has taken it. */
  private depth = 0;
  /** Who holds it shared, once for each time. */
  private sharers: Context[] = NOBODY;

  /** `of`: whose lock it is, where each object of a kind has one: `em0`. */
  constructor(sim: Simulation, witness: Witness, lockClass: LockClass, of = '') {
    super(sim, of === '' ? lockClass.name : `${of}.${lockClass.name}`);
    this.witness = witness;
    this.lockClass = lockClass;
  }

  /** Takes it for itself alone; a second time as well, if the class is recursive. */
  lock(): Operation<void> {
    return new Operation(this, 'lock');
  }

  unlock(): Operation<void> {
    return new Operation(this, 'unlock');
  }

  lockShared(): Operation<void> {
    return new Operation(this, 'lockShared');
  }

  unlockShared(): Operation<void> {
    return new Operation(this, 'unlockShared');
  }

  /** Whether the context at hand has it for itself. */
  get isMine(): boolean {
    return this.owner !== undefined && this.owner === this.sim.current;
  }

  override heldBy(): Context | undefined {
    return this.owner ?? this.sharers[0];
  }

  override arrive({ kind }: Operation, context: Context): void {
    if (kind === 'lock' || kind === 'lockShared') this.witness.check(context, this.lockClass);
  }

  enabled({ kind }: Operation, context: Context): boolean {
    if (kind === 'lock') {
      const again = this.owner === context && this.lockClass.recursive === true;
      return again || (this.owner === undefined && this.sharers.length === 0);
    }
    return kind !== 'lockShared' || this.owner === undefined;
  }

  perform({ kind }: Operation, context: Context): void {
    switch (kind) {
      case 'lock':
        this.owner = context;
        this.depth++;
        this.witness.taken(context, this.lockClass);
        break;
      case 'lockShared':
        if (this.sharers === NOBODY) this.sharers = [];
        this.sharers.push(context);
        this.witness.taken(context, this.lockClass);
        break;
      case 'unlock':
        this.release(context);
        break;
      default:
        this.releaseShared(context);
    }
  }

  /** Sharers do not meet each other; with whoever wants it alone they have an order. */
  override touch({ kind }: Operation, footprint: Footprint): void {
    if (kind === 'lock') footprint.need(this.place);
    else if (kind === 'unlock') footprint.give(this.place);
    else footprint.read(this.place);
  }

  peek(): string {
    return this.owner?.name ?? (this.sharers.length > 0 ? `shared by ${this.sharers.length}` : 'free');
  }

  private release(context: Context): void {
    if (this.owner !== context) throw new InvariantError(`${context.name} releases ${this.name}, which it has not`);
    if (--this.depth === 0) this.owner = undefined;
    this.witness.released(context, this.lockClass);
  }

  private releaseShared(context: Context): void {
    const at = this.sharers.indexOf(context);
    if (at === -1) throw new InvariantError(`${context.name} does not share ${this.name}`);
    this.sharers.splice(at, 1);
    this.witness.released(context, this.lockClass);
  }
}
