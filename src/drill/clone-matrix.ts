/**
 * FreeBSD's own test of cloners (tests/sys/net/if_clone_test.sh; anchors, section 6) lets two shells fight over one
 * interface for ten seconds and is content when the kernel has not panicked. Here the same 24 cases are small programs
 * of two threads, and all orders of their steps are searched: eight kinds, each created and destroyed, brought up and
 * destroyed, and brought up with IPv6 and destroyed.
 * What this leaves out: the loops. Each thread does its operations once, from a state in which the fight has begun.
 */
import { type Exploration, followPlan, type Plan, planSearch, USUAL_OPTIONS } from '../explore/explore.ts';
import type { Found, Program } from '../explore/program.ts';
import { Window } from '../explore/strategies/window.ts';
import { createClone } from '../guest/freebsd/clone/create.ts';
import { destroyClone } from '../guest/freebsd/clone/destroy.ts';
import { cloneViolations } from '../guest/freebsd/clone/invariants.ts';
import { clonerPart } from '../guest/freebsd/clone/register.ts';
import { type CloneKind, cloneType } from '../guest/freebsd/cloners/kinds.ts';
import type { Ifnet } from '../guest/freebsd/net/ifnet.ts';
import { changeUserFlags, onInterface } from '../guest/freebsd/net/ioctl.ts';
import type { FreebsdNet } from '../guest/freebsd/net.ts';
import { addInet6Address } from '../guest/freebsd/netinet/inet6.ts';
import type { Profile } from '../guest/freebsd/profile.ts';
import { makeStack } from '../guest/freebsd/stack.ts';
import type { Errno } from '../guest/uapi/errno.ts';
import { Cell } from '../sim/cell.ts';
import type { Task } from '../sim/operation.ts';
import { Simulation } from '../sim/simulation.ts';
import { describeStuck, findStuck } from '../sim/stuck.ts';
import type { Event } from '../trace/event.ts';
import { Recorder } from '../trace/recorder.ts';

export const MATRIX_KINDS = [
  'epair',
  'faith',
  'gif',
  'lo',
  'tap',
  'tun',
  'vlan',
  'vmnet',
] as const satisfies readonly CloneKind[];
export const MATRIX_FIGHTS = ['create/destroy', 'up/destroy', 'up/destroy with IPv6'] as const;

type Kind = (typeof MATRIX_KINDS)[number];
type Fight = (typeof MATRIX_FIGHTS)[number];

export interface MatrixCase {
  readonly kind: Kind;
  readonly fight: Fight;
}

export interface MatrixRow extends MatrixCase {
  /** What the two threads do, in words. */
  readonly operations: string;
  readonly exploration: Exploration;
}

export const MATRIX: readonly MatrixCase[] = MATRIX_FIGHTS.flatMap((fight) =>
  MATRIX_KINDS.map((kind): MatrixCase => ({ kind, fight })),
);

/** The interface that they fight over: lo0 cannot be destroyed. */
const NUMBER: Readonly<Partial<Record<Kind, number>>> = { lo: 1 };
const LINK_LOCAL = 'fe80::1/64';
/** What a kernel tells of itself when it has gone wrong. */
const WRONG = [
  'memory.fault',
  'kernel.assert',
  'panic',
  'kernel.spin',
  'lock.order',
] as const satisfies readonly Event['kind'][];
/** Steps of one order that would not end otherwise. */
const STEPS_MAX = 5000;

/** Orders after which something is found where anything is: a case that fails in one of these is not searched to its end. */
const FIRST_ORDERS = 2000;
/** Orders at most, and so many in each part of a search. A case that holds has some ten thousand. */
const ORDERS_MAX = 4_000_000;

/** One case on a kernel, searched in this thread. */
export function searchCase(each: MatrixCase, profile: Profile): MatrixRow {
  return rowOf(each, followPlan(caseProgram(each, profile), planCase()));
}

export const rowOf = ({ kind, fight }: MatrixCase, exploration: Exploration): MatrixRow => ({
  kind,
  fight,
  operations: operationsOf(fight),
  exploration,
});

/** All orders of a case, or the first ones when something fails in them. */
export function* planCase(): Plan {
  const search = (ordersMax: number): Plan => planSearch({ ...USUAL_OPTIONS, strategy: 'reduced', ordersMax });
  const first = yield* search(FIRST_ORDERS);
  return first.verdict === 'limit' ? yield* search(ORDERS_MAX) : first;
}

const operationsOf = (fight: Fight): string => {
  if (fight === 'create/destroy') return 'create, destroy against destroy';
  return fight === 'up/destroy' ? 'up against destroy' : 'up and inet6 against destroy';
};

/** Two threads in a state in which the fight has begun. */
export function caseProgram({ kind, fight }: MatrixCase, profile: Profile): Program {
  return (strategy, listener) => {
    const trace = new Recorder();
    if (listener !== undefined) trace.listen(listener);
    const found = new Map<string, Found>();
    trace.listen((event) => note(found, event), WRONG);
    const window = new Window(strategy, false, false);
    const sim = new Simulation(trace, window);
    const arena = new Arena(sim, kind, profile);
    arena.run(arena.create());
    window.scope(true);
    arena.start('destroyer', arena.destroy());
    arena.start('rival', arena.rival(fight));
    const stop = sim.run({ stepsMax: sim.steps + STEPS_MAX });
    const stuck = findStuck(sim);
    if (stuck !== undefined && found.size === 0) found.set('stuck', { key: 'stuck', text: describeStuck(stuck) });
    if (stuck === undefined)
      for (const { invariant, text } of cloneViolations(arena.net)) found.set(invariant, { key: invariant, text });
    return { found: [...found.values()], stop, steps: sim.steps };
  };
}

/** A stack with one kind of clones. */
class Arena {
  readonly net: FreebsdNet;
  private readonly sim: Simulation;
  /** What user mode asks for, and what it is called then. */
  private readonly wanted: string;
  private readonly ifname: string;

  constructor(sim: Simulation, kind: Kind, profile: Profile) {
    const { net, vnets } = makeStack(sim, { profile });
    this.sim = sim;
    this.net = net;
    this.wanted = `${kind}${NUMBER[kind] ?? 0}`;
    this.ifname = kind === 'epair' ? `${this.wanted}a` : this.wanted;
    this.run(vnets.register(clonerPart(net, cloneType(net, kind))));
  }

  run(task: Task<unknown>): void {
    this.start('set-up', task);
    this.sim.run({ stepsMax: this.sim.steps + STEPS_MAX });
  }

  /** A thread begins when it is its turn, and not when it is made. */
  start(name: string, task: Task<unknown>): void {
    this.sim.spawn(name, 'guest', turn(this.net, name, task));
  }

  *create(): Task {
    yield* createClone(this.net, this.net.vnet0, this.wanted);
  }

  *destroy(): Task {
    yield* destroyClone(this.net, this.net.vnet0, this.ifname);
  }

  *rival(fight: Fight): Task {
    if (fight === 'create/destroy') {
      yield* this.create();
      return yield* this.destroy();
    }
    const { net } = this;
    const withInet6 = fight === 'up/destroy with IPv6';
    yield* onInterface(net, net.vnet0, this.ifname, 'SIOCSIFFLAGS', (ifp) => bringUp(net, ifp, withInet6));
  }
}

/** in6_if_up() (netinet6/in6_ifattach.c) is the last that SIOCSIFFLAGS does: it gives the interface its own address. */
function* bringUp(net: FreebsdNet, ifp: Ifnet, withInet6: boolean): Task<Errno | undefined> {
  const errno = yield* changeUserFlags(net, ifp, { up: true });
  return withInet6 ? yield* addInet6Address(net, ifp, LINK_LOCAL) : errno;
}

function* turn(net: FreebsdNet, name: string, task: Task<unknown>): Task {
  yield* new Cell(net.sim, `turn of ${name}`, true).get();
  yield* net.curvnet.within(net.vnet0, task);
}

function note(found: Map<string, Found>, event: Event): void {
  const text = textOf(event);
  if (text !== undefined) found.set(text, { key: text, text });
}

function textOf(event: Event): string | undefined {
  switch (event.kind) {
    case 'memory.fault':
      return `${event.fault}: ${event.what} by ${event.by}`;
    case 'kernel.assert':
    case 'panic':
    case 'kernel.spin':
      return event.what;
    case 'lock.order':
      return `${event.problem}: ${event.holds} -> ${event.takes}`;
    default:
      return undefined;
  }
}
