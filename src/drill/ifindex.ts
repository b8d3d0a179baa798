/**
 * What the two designs of interface numbers cost (seed 000): the same interfaces, spread over the host and its jails, are
 * attached under each, and what the kernel would have gone through is counted. Counts, no times: they are the same on
 * every machine.
 */
import { assert, known } from '../base/assert.ts';
import { allocateIfnet } from '../guest/freebsd/net/allocate.ts';
import { attachIfnet } from '../guest/freebsd/net/attach.ts';
import { INDEX_MOST, type IndexPolicyName } from '../guest/freebsd/net/if-index.ts';
import type { IfMethods, Ifnet } from '../guest/freebsd/net/ifnet.ts';
import { lendIfnet } from '../guest/freebsd/net/vmove.ts';
import { PROFILES } from '../guest/freebsd/profile.ts';
import { makeStack, type Stack } from '../guest/freebsd/stack.ts';
import type { Vnet } from '../guest/freebsd/vnet/vnet.ts';
import type { Task } from '../sim/operation.ts';
import { Simulation } from '../sim/simulation.ts';

/** Interfaces of each vnet, as far as there are so many. */
const PER_VNET = 60;
/** struct ifindex_entry: a pointer and a count, with padding; before that a bare pointer (net/if.c). */
const SLOT_BYTES = { global: 16, 'per-vnet': 8 } as const satisfies Readonly<Record<IndexPolicyName, number>>;

export interface IndexCosts {
  readonly design: IndexPolicyName;
  readonly interfaces: number;
  readonly vnets: number;
  /** Slots that all allocations together went through, and the longest one, with the list lock held. */
  readonly slots: number;
  readonly longest: number;
  /** How often a table grew: each time all readers are waited for, with the list lock held. */
  readonly growths: number;
  /** Bytes of all tables. */
  readonly bytes: number;
  /** Numbers in the last jail: how many, the lowest, the highest. */
  readonly jail: { readonly count: number; readonly lowest: number; readonly highest: number };
  /** Slots that the sysctl `ifcount` goes through there. */
  readonly ifcount: number;
  /** The number of an interface before and after it moves from the host to that jail. */
  readonly moved: { readonly before: number; readonly after: number };
}

/** Attaches so many interfaces under a design and looks what came of it. */
export function measureIndices(design: IndexPolicyName, interfaces: number): IndexCosts {
  const bench = new IndexBench(design, INDEX_MOST);
  const vnetCount = Math.max(2, Math.ceil(interfaces / PER_VNET));
  bench.run(bench.attachMany(interfaces, vnetCount));
  const vnets = bench.stack.net.vnets;
  const tables = new Set(vnets.map(({ indices }) => indices));
  const jail = known(vnets.at(-1), 'a jail');
  const numbers = jail.interfaces.now.map(({ index }) => index);
  const scans = [...tables].map((table) => table.scans);
  const costs = {
    design,
    interfaces,
    vnets: vnets.length,
    slots: scans.reduce((sum, { slots }) => sum + slots, 0),
    longest: Math.max(...scans.map(({ longest }) => longest)),
    growths: bench.growths,
    bytes: [...tables].reduce((sum, { capacity }) => sum + capacity, 0) * SLOT_BYTES[design],
    jail: { count: numbers.length, lowest: Math.min(...numbers), highest: jail.highestNumber },
    ifcount: design === 'global' ? jail.indices.highest : 0,
  };
  return { ...costs, moved: bench.move(jail) };
}

/** What becomes of the host when one jail takes all numbers that it can get, of so many that there are. */
export interface Exhaustion {
  readonly design: IndexPolicyName;
  /** The number that the host's next interface gets, and the one after that; undefined when its thread never comes back. */
  readonly host: readonly (number | undefined)[];
  /** Whether the host can still attach anything once the jail has asked for one more. */
  readonly frozenByJail: boolean;
}

export function exhaustIndices(design: IndexPolicyName, numbers: number): Exhaustion {
  const starved = full(design, numbers);
  const host = [1, 2].map(() => {
    starved.attachOn(starved.stack.net.vnet0);
    return starved.lastIndex;
  });
  const bench = full(design, numbers);
  const jail = known(bench.stack.net.vnets.at(-1), 'the jail');
  for (let i = 0; i < 2; i++) bench.attachOn(jail); // the first one gets 0, the second one never comes back
  bench.attachOn(bench.stack.net.vnet0);
  return { design, host, frozenByJail: bench.lastIndex === undefined };
}

function full(design: IndexPolicyName, numbers: number): IndexBench {
  const bench = new IndexBench(design, numbers);
  bench.run(bench.fillJail(numbers));
  return bench;
}

class IndexBench {
  readonly stack: Stack;
  growths = 0;
  /** Of what was attached last; undefined when that never came to an end. */
  lastIndex: number | undefined;
  private readonly sim = new Simulation();
  private units = 0;

  constructor(index: IndexPolicyName, indexMost: number) {
    const profile = { ...known(PROFILES['freebsd-14'], 'freebsd-14'), index };
    this.stack = makeStack(this.sim, { profile, indexMost });
    this.sim.trace.listen(() => this.growths++, ['ifindex.grow']);
  }

  run(task: Task): void {
    this.sim.spawn('drill', 'guest', task);
    this.sim.run();
  }

  *attachMany(interfaces: number, vnetCount: number): Task {
    const { net, vnets } = this.stack;
    for (let i = 1; i < vnetCount; i++) yield* vnets.create(`jail${i}`);
    const all = net.vnets;
    for (let i = 0; i < interfaces; i++) yield* this.attach(known(all[i % all.length], 'a vnet'));
  }

  *fillJail(numbers: number): Task {
    const jail = yield* this.stack.vnets.create('jail');
    for (let i = 0; i < numbers; i++) yield* this.attach(jail);
  }

  attachOn(vnet: Vnet): void {
    this.lastIndex = undefined;
    this.run(this.attach(vnet));
  }

  /** An interface of the host goes to the jail. */
  move(jail: Vnet): IndexCosts['moved'] {
    const { net } = this.stack;
    const ifp = known(net.vnet0.interfaces.now[0], 'an interface of the host');
    const before = ifp.index;
    this.run(lend(this.stack, ifp, jail));
    return { before, after: ifp.index };
  }

  private *attach(vnet: Vnet): Task {
    const { net } = this.stack;
    yield* net.curvnet.within(vnet, this.attachHere());
  }

  private *attachHere(): Task {
    const { net } = this.stack;
    const dunit = this.units++;
    const options = { dev: `if${dunit}`, type: 'other', dname: 'em', dunit, methods: NO_METHODS, flags: 0 } as const;
    const made = yield* allocateIfnet(net, options);
    assert(made.ok, 'an interface has no number');
    yield* attachIfnet(net, made.value);
    this.lastIndex = made.value.index;
  }
}

function* lend({ net }: Stack, { name }: Ifnet, { name: jail }: Vnet): Task {
  yield* lendIfnet(net, net.vnet0, name, jail);
}

const NO_METHODS: IfMethods = {
  *ioctl() {
    return undefined;
  },
  *transmit() {
    return undefined;
  },
};
