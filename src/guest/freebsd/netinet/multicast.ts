/**
 * Multicast groups of an interface at its own layer: what its driver filters by. An entry for a group of IPv4 or IPv6
 * counts on one for the link address that the group has, which several can share.
 * Source: net/if.c (if_addmulti(), if_delmulti(), if_delmulti_ifma(), if_purgemaddrs()), net/if_ethersubr.c
 * (ether_resolvemulti()); reference F-8, G-12.
 */
import { Cell } from '../../../sim/cell.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { KernelMemory } from '../kern/memory.ts';
import { releaseIfnet } from '../net/allocate.ts';
import { type Ifnet, linkOf } from '../net/ifnet.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { InMulti } from './in-multi.ts';
import { linkGroupOf } from './ip-prefix.ts';

/** struct ifmultiaddr. */
export class IfMultiaddr {
  /** A group, or a link address. */
  readonly group: string;
  /** ifma_refcount: how many want it. With the address lock, or with that of all multicast once the interface is gone. */
  wanted = 1;
  /** ifma_ifp: none once the interface has gone. */
  readonly ifp: Cell<Ifnet | undefined>;
  /** ifma_llifma: the entry for the link address. */
  readonly lower: IfMultiaddr | undefined;
  /** ifma_protospec: what the protocol keeps of the group. */
  readonly protospec: Cell<InMulti | undefined>;
  readonly memory: KernelMemory;

  constructor(sim: Simulation, ifp: Ifnet, group: string, lower: IfMultiaddr | undefined) {
    const name = `${ifp.dev} ${group}`;
    this.group = group;
    this.lower = lower;
    this.ifp = new Cell<Ifnet | undefined>(sim, `${name}.ifp`, ifp, (of) => of?.dev ?? 'none');
    this.protospec = new Cell<InMulti | undefined>(sim, `${name}.protospec`, undefined);
    this.memory = new KernelMemory(sim, ifp.dev, 'ifmultiaddr');
  }
}

/** if_addmulti(): the first who wants a group makes the driver's filter change. */
export function* joinMulticast(net: FreebsdNet, ifp: Ifnet, group: string): Task<IfMultiaddr> {
  yield* ifp.addressLock.lock();
  const known = entryOf(ifp, group);
  const entry = known ?? add(net.sim, ifp, group);
  if (known !== undefined) known.wanted++;
  yield* ifp.addressLock.unlock();
  if (known !== undefined) return known;
  net.routing.send({ message: 'RTM_NEWMADDR', link: linkOf(ifp), address: group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCADDMULTI' });
  return entry;
}

/** if_delmulti(). ENOENT when the interface is not in the group. */
export function* leaveMulticast(net: FreebsdNet, ifp: Ifnet, group: string): Task<Errno | undefined> {
  yield* ifp.addressLock.lock();
  const known = entryOf(ifp, group);
  const ended = known === undefined ? [] : dropOne(ifp, known);
  yield* ifp.addressLock.unlock();
  if (known === undefined) return refuse(net, ifp.dev, 'if_delmulti', 'ENOENT');
  yield* endEntries(net, ifp, ended);
  return undefined;
}

/**
 * if_delmulti_ifma(): by the entry, for whoever has one. When the interface has gone there is no driver to be told.
 * Without counts (before 2007) the entry went with the interface, and so did what it pointed to.
 */
export function* releaseMulticast(net: FreebsdNet, entry: IfMultiaddr): Task {
  if (!(yield* entry.memory.use('if_delmulti_ifma'))) return;
  const ifp = yield* holdInterfaceOf(net, entry);
  if (ifp === undefined) {
    if (--entry.wanted === 0) yield* entry.memory.free('if_delmulti_ifma');
    return;
  }
  if (!(yield* ifp.memory.use('if_delmulti_ifma'))) return;
  yield* ifp.addressLock.lock();
  const ended = dropOne(ifp, entry);
  yield* ifp.addressLock.unlock();
  yield* endEntries(net, ifp, ended);
  yield* letInterfaceGo(net, ifp);
}

/** The interface of an entry, with a reference to it; without counts, the bare pointer that there once was. */
export function* holdInterfaceOf(net: FreebsdNet, entry: IfMultiaddr): Task<Ifnet | undefined> {
  if (!fixed(net, 'multicast-counted')) return yield* entry.ifp.get();
  yield* net.epoch.enter();
  const ifp = yield* entry.ifp.get();
  const held = ifp !== undefined && (yield* ifp.references.tryAcquire());
  yield* net.epoch.exit();
  return held ? ifp : undefined;
}

export function* letInterfaceGo(net: FreebsdNet, ifp: Ifnet): Task {
  if (fixed(net, 'multicast-counted')) yield* releaseIfnet(net, ifp);
}

/**
 * if_purgemaddrs(): all of them, whoever wants them still. With counts they stay for those, without an interface, and
 * that is noted with the address lock; before that they were freed.
 */
export function* purgeMulticast(net: FreebsdNet, ifp: Ifnet): Task {
  const counted = fixed(net, 'multicast-counted');
  yield* ifp.addressLock.lock();
  const gone = ifp.multicast.splice(0);
  if (counted) for (const entry of gone) yield* entry.ifp.set(undefined);
  yield* ifp.addressLock.unlock();
  const isLower = new Set(gone.map(({ lower }) => lower));
  for (const entry of gone) {
    if (!isLower.has(entry)) net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address: entry.group });
    if (!counted) yield* entry.memory.free('if_purgemaddrs');
  }
}

/** What the driver filters by: the link addresses. With the address lock, or when nothing runs. */
export const filterOf = (ifp: Ifnet): readonly string[] =>
  ifp.multicast.filter(({ group }) => linkGroupOf(group) === undefined).map(({ group }) => group);

const entryOf = (ifp: Ifnet, group: string): IfMultiaddr | undefined =>
  ifp.multicast.find((entry) => entry.group === group);

function add(sim: Simulation, ifp: Ifnet, group: string): IfMultiaddr {
  const linkGroup = linkGroupOf(group);
  let lower = linkGroup === undefined ? undefined : entryOf(ifp, linkGroup);
  if (lower !== undefined) lower.wanted++;
  else if (linkGroup !== undefined) lower = add(sim, ifp, linkGroup);
  const entry = new IfMultiaddr(sim, ifp, group, lower);
  ifp.multicast.push(entry);
  return entry;
}

/** One who wants it less; the entries that nobody wants any more are off the list. With the address lock. */
function dropOne(ifp: Ifnet, entry: IfMultiaddr): readonly IfMultiaddr[] {
  if (--entry.wanted > 0) return [];
  const at = ifp.multicast.indexOf(entry);
  if (at !== -1) ifp.multicast.splice(at, 1);
  return [entry, ...(at === -1 || entry.lower === undefined ? [] : dropOne(ifp, entry.lower))];
}

function* endEntries(net: FreebsdNet, ifp: Ifnet, ended: readonly IfMultiaddr[]): Task {
  const [first] = ended;
  if (first === undefined) return;
  net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address: first.group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCDELMULTI' });
  for (const entry of ended) yield* entry.memory.free('if_freemulti');
}
