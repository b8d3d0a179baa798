/**
 * All addresses of a vnet, of one family: a list in the order of their coming, and a hash in which a packet's destination
 * is looked up. Both have the same entries while nobody changes them. An insertion reads where the list ends and writes
 * the new end: two at once lose an entry unless a lock keeps them apart (G-14).
 * Source: netinet/in.c (in_ifaddrhead, INADDR_HASH, IN_IFADDR_WLOCK()), netinet6/in6_var.h; reference F-3, F-4.
 * What this leaves out: that the fast path of receiving reads the hash without the lock, which epochs make safe.
 */
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass, Witness } from '../kern/witness.ts';
import { FAMILIES, type Family } from './af-data.ts';
import type { IfAddress } from './ifaddr.ts';
import { familyOf, parsePrefix } from './ip-prefix.ts';

/** INADDR_HASH has 2^9 chains (netinet/in_var.h, INADDR_NHASH_LOG2). */
const CHAINS = 512n;

const LOCKS: Readonly<Record<Family, LockClass>> = {
  inet: { name: 'in_ifaddr_lock', kind: 'rm' },
  inet6: { name: 'in6_ifaddr_lock', kind: 'rm' },
};

type Chain = Cell<readonly IfAddress[]>;

const size = (chain: readonly IfAddress[]): number => chain.length;

class AddressList {
  readonly lock: Lock;
  readonly list: Chain;
  private readonly chains = new Map<bigint, Chain>();
  private readonly sim: Simulation;
  private readonly name: string;

  constructor(sim: Simulation, witness: Witness, vnet: string, family: Family) {
    this.sim = sim;
    this.name = `${family} addresses of ${vnet}`;
    this.lock = new Lock(sim, witness, LOCKS[family], vnet);
    this.list = new Cell<readonly IfAddress[]>(sim, this.name, [], size);
  }

  /** The chain in which an address is, or would be. */
  chain(address: string): Chain {
    const number = (parsePrefix(address)?.bits ?? 0n) % CHAINS;
    let chain = this.chains.get(number);
    if (chain === undefined) {
      chain = new Cell<readonly IfAddress[]>(this.sim, `chain ${number} of ${this.name}`, [], size);
      this.chains.set(number, chain);
    }
    return chain;
  }

  get hashed(): readonly IfAddress[] {
    return [...this.chains.values()].flatMap((chain) => chain.now);
  }
}

export class AddressLists {
  private readonly of: Readonly<Record<Family, AddressList>>;

  /** Whether they are changed and read with a lock ('address-lists-locked'). */
  private readonly locks: boolean;
  private readonly sim: Simulation;

  constructor(sim: Simulation, witness: Witness, vnet: string, locks: boolean) {
    this.sim = sim;
    this.locks = locks;
    const [inet, inet6] = FAMILIES.map((family) => new AddressList(sim, witness, vnet, family));
    this.of = { inet: inet as AddressList, inet6: inet6 as AddressList };
  }

  /** Into both, with the lock where there is one. */
  *insert(ifa: IfAddress): Task {
    const of = this.of[ifa.family];
    if (this.locks) yield* of.lock.lock();
    yield* of.list.set([...(yield* of.list.get()), ifa]);
    const chain = of.chain(ifa.address);
    yield* chain.set([ifa, ...(yield* chain.get())]);
    if (this.locks) yield* of.lock.unlock();
  }

  *remove(ifa: IfAddress): Task {
    const of = this.of[ifa.family];
    const others = (entries: readonly IfAddress[]): readonly IfAddress[] => {
      if (!entries.includes(ifa)) this.missed(ifa);
      return entries.filter((entry) => entry !== ifa);
    };
    if (this.locks) yield* of.lock.lock();
    yield* of.list.set(others(yield* of.list.get()));
    const chain = of.chain(ifa.address);
    yield* chain.set(others(yield* chain.get()));
    if (this.locks) yield* of.lock.unlock();
  }

  /** All of a family, in the order of their coming. In an epoch section. */
  *all(family: Family): Task<readonly IfAddress[]> {
    const { list, lock } = this.of[family];
    if (this.locks) yield* lock.lockShared();
    const all = yield* list.get();
    if (this.locks) yield* lock.unlockShared();
    return all;
  }

  /** The entry of an address. In an epoch section. */
  *lookup(address: string): Task<IfAddress | undefined> {
    const of = this.of[familyOf(address)];
    if (this.locks) yield* of.lock.lockShared();
    const chain = yield* of.chain(address).get();
    if (this.locks) yield* of.lock.unlockShared();
    return chain.find((ifa) => ifa.address === address);
  }

  /** QMD_SAVELINK() and its kin: a kernel with INVARIANTS sees that the neighbours on a list know nothing of an entry. */
  private missed({ address, ifp }: IfAddress): void {
    const { dev } = ifp;
    this.sim.trace.emit({ kind: 'kernel.assert', dev, what: `in_ifaddrhead: ${address} is not where it should be` });
  }

  /** What is in one of the two and not in the other, for whoever checks when nothing runs. */
  differences(): readonly string[] {
    return FAMILIES.flatMap((family) => {
      const { list, hashed } = this.of[family];
      const listed = new Set(list.now);
      const lost = hashed.filter((ifa) => !listed.has(ifa)).map(({ address }) => `${address} is not on the list`);
      const unhashed = list.now.filter((ifa) => !hashed.includes(ifa));
      return [...lost, ...unhashed.map(({ address }) => `${address} is not in the hash`)];
    });
  }

  /** On how many of the two an address is, for whoever checks when nothing runs: the list's reference stands for both. */
  has(ifa: IfAddress): boolean {
    return this.of[ifa.family].list.now.includes(ifa);
  }
}
