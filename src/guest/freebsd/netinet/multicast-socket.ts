/**
 * Sockets that are in multicast groups: the layer above the protocol's. A socket joins a group on one interface, hears
 * the sources that its filter lets through, and leaves when it is closed, or when the interface goes.
 * Source: netinet/in_mcast.c (inp_join_group(), inp_leave_group(), inp_block_unblock_source(), inp_set_source_filters(),
 * inp_lookup_mcast_ifp(), inp_freemoptions()), netinet/in_pcb.c (in_pcbpurgeif0()); reference F-8, F-9, G-11, G-26.
 * What this leaves out: the limit of memberships, and the old way to say an index as an address 0.x.y.z.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass } from '../kern/witness.ts';
import { releaseIfnet } from '../net/allocate.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { byIndex, byIndexReferenced } from '../net/lookup.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { FibHolder } from './fib.ts';
import { type InMulti, joinInMulti, leaveInMulti } from './in-multi.ts';
import { isMulticast } from './ip-prefix.ts';
import { type FilterMode, SOURCES_MOST, SourceFilter } from './source-filter.ts';

const INP: LockClass = { name: 'inp', kind: 'mutex' };

/** struct in_mfilter with the record that it is about. */
export interface Membership {
  readonly inm: InMulti;
  readonly filter: SourceFilter;
}

/** A socket with its multicast options (struct ip_moptions). What it has is with its lock. */
export class MulticastSocket {
  readonly vnet: Vnet;
  readonly fib: FibHolder;
  readonly lock: Lock;
  memberships: readonly Membership[] = [];
  /** IP_MULTICAST_LOOP; nothing before the first option is set. */
  loop: boolean | undefined;
  isClosed = false;
  /** The port of the sender that it is connected to; any, when there is none. */
  readonly remotePort: number | undefined;

  constructor(net: FreebsdNet, vnet: Vnet, fib: FibHolder, remotePort?: number) {
    this.vnet = vnet;
    this.fib = fib;
    this.remotePort = remotePort;
    this.lock = new Lock(net.sim, net.witness, INP);
    net.multicast.opened(this);
  }
}

/** How a program says which interface it means; one that says nothing leaves it to the kernel. */
export interface GroupRequest {
  readonly group: string;
  readonly index?: number;
  /** An address of the interface. */
  readonly address?: string;
  /** Only this source (a source-specific join or leave). */
  readonly source?: string;
}

/** A socket of a process in a vnet, as `IP_ADD_MEMBERSHIP` and its kin have it. */
export function openSocket(net: FreebsdNet, vnet: Vnet, process = new FibHolder(net.sim)): MulticastSocket {
  return new MulticastSocket(net, vnet, process.hand());
}

/**
 * IP_ADD_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP. EINVAL: no group, or a source where all are heard;
 * EADDRNOTAVAIL: no such interface, or none that can do multicast, or the source is on the list; EADDRINUSE: it is in the
 * group; ENXIO: the socket is closed meanwhile, or the interface is on no list any more.
 */
export function* joinGroup(net: FreebsdNet, socket: MulticastSocket, request: GroupRequest): Task<Errno | undefined> {
  const errno = yield* join(net, socket, request);
  return errno === undefined ? undefined : refuse(net, '', 'IP_ADD_MEMBERSHIP', errno);
}

function* join(net: FreebsdNet, socket: MulticastSocket, request: GroupRequest): Task<Errno | undefined> {
  if (!isMulticast(request.group)) return 'EINVAL';
  const ifp = yield* findInterface(net, socket, request);
  if (ifp === undefined) return 'EADDRNOTAVAIL';
  const canMulticast = (yield* ifp.memory.use('inp_join_group')) && ((yield* ifp.flags.get()) & IFF.MULTICAST) !== 0;
  const errno = canMulticast ? yield* withMulticastLock(net, joinOn(net, socket, ifp, request)) : 'EADDRNOTAVAIL';
  if (fixed(net, 'join-holds-interface')) yield* releaseIfnet(net, ifp);
  return errno;
}

function* joinOn(
  net: FreebsdNet,
  socket: MulticastSocket,
  ifp: Ifnet,
  { group, source }: GroupRequest,
): Task<Errno | undefined> {
  if (fixed(net, 'join-needs-attached') && !(yield* socket.vnet.interfaces.has(ifp))) return 'ENXIO';
  const loop = yield* net.multicast.loopByDefault.get();
  yield* socket.lock.lock();
  socket.loop ??= loop;
  const known = membershipOf(socket, group, ifp);
  const errno = known === undefined ? undefined : joinAgain(known, source);
  yield* socket.lock.unlock();
  if (known !== undefined) return errno;
  const inm = yield* joinInMulti(net, ifp, group);
  const filter = new SourceFilter(source === undefined ? 'exclude' : 'include');
  if (source !== undefined) filter.add(source);
  yield* socket.lock.lock();
  const { isClosed } = socket;
  if (!isClosed) socket.memberships = [...socket.memberships, { inm, filter }];
  yield* socket.lock.unlock();
  if (isClosed) yield* leaveInMulti(net, inm);
  return isClosed ? 'ENXIO' : undefined;
}

/** Who is in the group can only ask for one source more, and only where it hears none but those that it asked for. */
function joinAgain({ filter }: Membership, source: string | undefined): Errno | undefined {
  if (source === undefined) return filter.mode === 'exclude' ? 'EADDRINUSE' : 'EINVAL';
  if (filter.mode !== 'include') return 'EINVAL';
  if (filter.has(source)) return 'EADDRNOTAVAIL';
  filter.add(source);
  return undefined;
}

/** IP_DROP_MEMBERSHIP, MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP. EADDRNOTAVAIL: it is not in it, or not for this source. */
export function* leaveGroup(
  net: FreebsdNet,
  socket: MulticastSocket,
  { group, index, source }: GroupRequest,
): Task<Errno | undefined> {
  yield* net.epoch.enter();
  const ifp = index === undefined ? undefined : yield* byIndex(net, socket.vnet, index);
  yield* net.epoch.exit();
  const isNowhere = index !== undefined && ifp === undefined;
  const errno = isNowhere ? 'EADDRNOTAVAIL' : yield* withMulticastLock(net, leaveOn(net, socket, group, ifp, source));
  return errno === undefined ? undefined : refuse(net, '', 'IP_DROP_MEMBERSHIP', errno);
}

function* leaveOn(
  net: FreebsdNet,
  socket: MulticastSocket,
  group: string,
  ifp: Ifnet | undefined,
  source: string | undefined,
): Task<Errno | undefined> {
  yield* socket.lock.lock();
  const known = membershipOf(socket, group, ifp);
  const wasIn =
    known !== undefined && (source === undefined || (known.filter.mode === 'include' && known.filter.has(source)));
  const isWhole = wasIn && source === undefined;
  if (wasIn && source !== undefined) known.filter.remove(source);
  if (isWhole) socket.memberships = socket.memberships.filter((other) => other !== known);
  yield* socket.lock.unlock();
  if (isWhole) yield* leaveInMulti(net, known.inm);
  return wasIn ? undefined : 'EADDRNOTAVAIL';
}

/** IP_BLOCK_SOURCE and IP_UNBLOCK_SOURCE, of whoever hears all but some: else EINVAL. EADDRNOTAVAIL: nothing to change. */
export function* changeSource(
  net: FreebsdNet,
  socket: MulticastSocket,
  group: string,
  { blocked, source }: { readonly blocked: boolean; readonly source: string },
): Task<Errno | undefined> {
  yield* socket.lock.lock();
  const filter = membershipOf(socket, group)?.filter;
  const changes = filter?.mode === 'exclude' && filter.has(source) !== blocked;
  if (changes && blocked) filter.add(source);
  else if (changes) filter.remove(source);
  yield* socket.lock.unlock();
  if (changes) return undefined;
  return refuse(net, '', 'IP_BLOCK_SOURCE', filter?.mode === 'include' ? 'EINVAL' : 'EADDRNOTAVAIL');
}

/** setsourcefilter(3). ENOBUFS: more sources than a socket can have; EADDRNOTAVAIL: it is not in the group. */
export function* setSourceFilter(
  net: FreebsdNet,
  socket: MulticastSocket,
  group: string,
  mode: FilterMode,
  sources: readonly string[],
): Task<Errno | undefined> {
  if (sources.length > SOURCES_MOST) return refuse(net, '', 'IP_MSFILTER', 'ENOBUFS');
  yield* socket.lock.lock();
  const known = membershipOf(socket, group);
  known?.filter.replace(mode, sources);
  yield* socket.lock.unlock();
  return known === undefined ? refuse(net, '', 'IP_MSFILTER', 'EADDRNOTAVAIL') : undefined;
}

/** A datagram to a group that came in. */
export interface GroupDatagram {
  readonly ifp: Ifnet;
  readonly group: string;
  readonly source: string;
  readonly sourcePort: number;
}

/** Whether a socket gets it (udp_input(), imo_multi_filter()). */
export function* hears(socket: MulticastSocket, { ifp, group, source, sourcePort }: GroupDatagram): Task<boolean> {
  yield* socket.lock.lock();
  const filter = membershipOf(socket, group, ifp)?.filter;
  const passes = filter?.passes(source) === true;
  yield* socket.lock.unlock();
  return passes && (socket.remotePort === undefined || socket.remotePort === sourcePort);
}

/** inp_freemoptions(): a socket is closed, and leaves all that it is in. */
export function* closeSocket(net: FreebsdNet, socket: MulticastSocket): Task {
  yield* withMulticastLock(net, close(net, socket));
}

/** It is found until it has left: an interface that goes meanwhile waits for it. */
function* close(net: FreebsdNet, socket: MulticastSocket): Task {
  yield* leaveAll(net, socket, () => true, true);
  net.multicast.closed(socket);
}

/** in_pcbpurgeif0(): no socket of the vnet is in a group on an interface that goes (r150296, G-11). */
export function* leaveSockets(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  if (!fixed(net, 'multicast-purged-first')) return;
  if (net.multicast.socketsOf(vnet).length === 0) return; // nobody waits for whoever looks at nothing
  yield* withMulticastLock(net, leaveAllOn(net, ifp, vnet));
}

function* leaveAllOn(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  for (const socket of net.multicast.socketsOf(vnet)) yield* leaveAll(net, socket, ({ inm }) => inm.ifp === ifp, false);
}

function* leaveAll(
  net: FreebsdNet,
  socket: MulticastSocket,
  shallGo: (membership: Membership) => boolean,
  closes: boolean,
): Task {
  yield* socket.lock.lock();
  const gone = socket.memberships.filter(shallGo);
  socket.memberships = socket.memberships.filter((membership) => !gone.includes(membership));
  socket.isClosed ||= closes;
  yield* socket.lock.unlock();
  for (const { inm } of gone) yield* leaveInMulti(net, inm);
}

function* withMulticastLock<T>(net: FreebsdNet, task: Task<T>): Task<T> {
  yield* net.multicast.lock.lock();
  const result = yield* task;
  yield* net.multicast.lock.unlock();
  return result;
}

/** The interface that a request means, with a reference where joins hold one; else a bare pointer. */
function* findInterface(
  net: FreebsdNet,
  socket: MulticastSocket,
  { group, index, address }: GroupRequest,
): Task<Ifnet | undefined> {
  const { vnet } = socket;
  const holds = fixed(net, 'join-holds-interface');
  yield* net.epoch.enter();
  let ifp: Ifnet | undefined;
  if (index !== undefined) ifp = holds ? yield* byIndexReferenced(net, vnet, index) : yield* byIndex(net, vnet, index);
  else {
    const found =
      address === undefined ? yield* byRoute(net, socket, group) : (yield* vnet.addresses.lookup(address))?.ifp;
    ifp = found === undefined || (holds && !(yield* found.references.tryAcquire())) ? undefined : found;
  }
  yield* net.epoch.exit();
  return ifp;
}

/** inp_lookup_mcast_ifp(): where the route to the group leads, or else the first that can do multicast and is not lo0. */
function* byRoute(net: FreebsdNet, { vnet, fib }: MulticastSocket, group: string): Task<Ifnet | undefined> {
  const found = yield* (vnet.fibs[fib.fib] ?? vnet.routes).find(group);
  if (found !== undefined || !fixed(net, 'join-without-route')) return found;
  for (const { ifp } of yield* vnet.addresses.all('inet')) {
    const flags = yield* ifp.flags.get();
    if ((flags & IFF.MULTICAST) !== 0 && (flags & IFF.LOOPBACK) === 0) return ifp;
  }
  return undefined;
}

const membershipOf = (socket: MulticastSocket, group: string, ifp?: Ifnet): Membership | undefined =>
  socket.memberships.find(({ inm }) => inm.group === group && (ifp === undefined || inm.ifp === ifp));
