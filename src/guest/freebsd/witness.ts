/**
 * The lock-order checker: WITNESS. It learns in which order classes of locks are taken and reports the first time that
 * two are taken the other way round, whether or not anybody waits for it. Source: kern/subr_witness.c (it checks before a
 * thread waits, so that the reversal behind a deadlock is reported too; some orders are declared); reference A.2, F-10.
 * What this leaves out: order between two locks of one class, and spin locks.
 */
import type { Context } from '../../sim/context.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';

/** `sx` locks may be held while sleeping; a `mutex`, an `rm` lock and an `epoch` section may not. */
export type LockKind = 'sx' | 'mutex' | 'rm' | 'epoch';

/** What locks of one name have in common: `if_addr_lock` of every interface is one class. */
export interface LockClass {
  readonly name: string;
  readonly kind: LockKind;
  /** Whoever holds it exclusively may take it again. */
  readonly recursive?: true;
}

/** Orders that are known from the start: the one before is taken first (reference A.2, F-10). */
const DECLARED: readonly (readonly string[])[] = [
  ['ifnet_detach_sx', 'vnet_sysinit_sxlock', 'ifnet_sx', 'if_addr_lock'],
  ['ifnet_detach_sx', 'in_multi_sx', 'ifnet_sx'],
  ['ifnet_detach_sx', 'iflib_ctx', 'ifnet_sx'],
  ['ifnet_sx', 'if_afdata'],
  ['ifnet_detach_sx', 'if_cloners lock', 'if_clone lock'],
];

export class Witness {
  private readonly sim: Simulation;
  private readonly declared = new Map<string, Set<string>>();
  private readonly learnt = new Map<string, Set<string>>();
  /** For {@link learnt}. */
  private readonly orders: Place;
  /** What each thread holds, in the order of taking. A thread's own. */
  private readonly held = new Map<Context, LockClass[]>();

  constructor(sim: Simulation) {
    this.sim = sim;
    this.orders = new Place(sim);
    for (const chain of DECLARED) {
      for (let at = 1; at < chain.length; at++) addOrder(this.declared, chain[at - 1] as string, chain[at] as string);
    }
  }

  /** A thread is about to take a lock, or to wait for it: witness_checkorder(). */
  check(context: Context, wanted: LockClass): void {
    for (const holds of this.held.get(context) ?? []) {
      if (wanted.kind === 'sx' && holds.kind !== 'sx') this.report(context, 'sleeps', holds, wanted);
      if (holds.name === wanted.name) continue;
      if (this.leads(holds.name, wanted.name, true)) continue;
      if (this.leads(wanted.name, holds.name, true)) this.report(context, 'reversal', holds, wanted);
      else this.learn(context, holds, wanted);
    }
  }

  taken(context: Context, lock: LockClass): void {
    const held = this.held.get(context);
    if (held === undefined) this.held.set(context, [lock]);
    else held.push(lock);
  }

  released(context: Context, lock: LockClass): void {
    const held = this.held.get(context) ?? [];
    const at = held.lastIndexOf(lock);
    if (at !== -1) held.splice(at, 1);
    if (held.length === 0) this.held.delete(context);
  }

  /** Names of what the context at hand holds: for checks that something is called with a lock, or without one. */
  holds(): readonly string[] {
    const { current } = this.sim;
    return current === undefined ? [] : (this.held.get(current) ?? []).map(({ name }) => name);
  }

  private learn(context: Context, holds: LockClass, wanted: LockClass): void {
    this.orders.read();
    if (this.leads(holds.name, wanted.name, false)) return;
    this.orders.write();
    if (this.leads(wanted.name, holds.name, false)) {
      this.report(context, 'reversal', holds, wanted);
      return;
    }
    addOrder(this.learnt, holds.name, wanted.name);
  }

  /** Whether a chain of known orders leads from one class to another. */
  private leads(from: string, to: string, onlyDeclared: boolean, seen = new Set<string>()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    const next = [...(this.declared.get(from) ?? []), ...(onlyDeclared ? [] : (this.learnt.get(from) ?? []))];
    return next.some((name) => this.leads(name, to, onlyDeclared, seen));
  }

  private report(context: Context, problem: 'reversal' | 'sleeps', holds: LockClass, wanted: LockClass): void {
    const { name: thread } = context;
    this.sim.trace.emit({ kind: 'lock.order', problem, thread, holds: holds.name, takes: wanted.name });
  }
}

function addOrder(orders: Map<string, Set<string>>, first: string, second: string): void {
  const known = orders.get(first);
  if (known === undefined) orders.set(first, new Set([second]));
  else known.add(second);
}
