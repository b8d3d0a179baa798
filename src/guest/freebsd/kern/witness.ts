/**
 * The lock-order checker: WITNESS. It learns in which order classes of locks are taken and reports the first time that
 * two are taken the other way round, whether or not anybody waits for it. Source: kern/subr_witness.c (it checks before a
 * thread waits, so that the reversal behind a deadlock is reported too; some orders are declared); reference A.2, F-10.
 * What this leaves out: order between two locks of one class, and spin locks.
 */
import type { Context } from '../../../sim/context.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';

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
  ['vnet_sysinit_sxlock', 'vnet_sxlock'],
  ['ifnet_detach_sx', 'if_cloners lock', 'if_clone lock'],
  ['rib head lock', 'lltable'], // never the layer above inside of the one below (F-7)
];

/** Of each class, all that may be taken behind it by the declared orders, in one step or several. */
const BEHIND: ReadonlyMap<string, ReadonlySet<string>> = closureOf(DECLARED);

export class Witness {
  private readonly sim: Simulation;
  private readonly learnt = new Map<string, Set<string>>();
  /** For {@link learnt}. */
  private readonly orders: Place;
  /** What each thread holds, in the order of taking. A thread's own. */
  private readonly held = new Map<Context, LockClass[]>();

  constructor(sim: Simulation) {
    this.sim = sim;
    this.orders = new Place(sim);
  }

  /** A thread is about to take a lock, or to wait for it: witness_checkorder(). */
  check(context: Context, wanted: LockClass): void {
    const held = this.held.get(context) ?? [];
    // Who has a lock already cannot wait for it; of locks that may be taken again there is one of each class.
    if (wanted.recursive === true && held.includes(wanted)) return;
    for (const holds of held) {
      if (wanted.kind === 'sx' && holds.kind !== 'sx') this.report(context, 'sleeps', holds, wanted);
      if (holds.name === wanted.name) continue;
      if (BEHIND.get(holds.name)?.has(wanted.name) === true) continue;
      if (BEHIND.get(wanted.name)?.has(holds.name) === true) this.report(context, 'reversal', holds, wanted);
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
    if (at === held.length - 1) held.pop();
    else if (at !== -1) held.splice(at, 1);
    if (held.length === 0) this.held.delete(context);
  }

  /** The first of these classes that the context at hand holds. */
  holdsAny(names: readonly string[]): string | undefined {
    const { current } = this.sim;
    const held = current === undefined ? undefined : this.held.get(current);
    return held?.find(({ name }) => names.includes(name))?.name;
  }

  private learn(context: Context, holds: LockClass, wanted: LockClass): void {
    this.orders.read();
    if (this.leads(holds.name, wanted.name)) return;
    this.orders.write();
    if (this.leads(wanted.name, holds.name)) {
      this.report(context, 'reversal', holds, wanted);
      return;
    }
    addOrder(this.learnt, holds.name, wanted.name);
  }

  /** Whether a chain of known orders leads from one class to another. */
  private leads(from: string, to: string, seen = new Set<string>()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    const next = [...(BEHIND.get(from) ?? []), ...(this.learnt.get(from) ?? [])];
    return next.some((name) => this.leads(name, to, seen));
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

function closureOf(chains: readonly (readonly string[])[]): Map<string, Set<string>> {
  const direct = new Map<string, Set<string>>();
  for (const chain of chains) {
    for (let at = 1; at < chain.length; at++) addOrder(direct, chain[at - 1] as string, chain[at] as string);
  }
  const all = new Map<string, Set<string>>();
  const collect = (name: string, into: Set<string>): void => {
    for (const next of direct.get(name) ?? []) {
      if (into.has(next)) continue;
      into.add(next);
      collect(next, into);
    }
  };
  for (const name of direct.keys()) {
    const into = new Set<string>();
    collect(name, into);
    all.set(name, into);
  }
  return all;
}
