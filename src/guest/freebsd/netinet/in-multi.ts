/**
 * Multicast groups at the layer of IPv4: one record of each group on each interface, with a count of those who are in it,
 * and exactly one count on the interface's own entry. Source: netinet/in_mcast.c (in_getmulti(), in_joingroup_locked(),
 * in_leavegroup_locked(), inm_release_deferred()); reference F-8, G-12, G-13.
 * What this leaves out: what IGMP reports to routers, sources that a group as a whole is filtered by, and IPv6 (whose
 * records are the same here); that the last step of leaving is done by a task.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import { KernelMemory, nullDereference } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { linkGroupOf } from './ip-prefix.ts';
import { holdInterfaceOf, type IfMultiaddr, joinMulticast, letInterfaceGo, releaseMulticast } from './multicast.ts';

/** struct in_multi. */
export class InMulti {
  readonly group: string;
  readonly ifp: Ifnet;
  readonly entry: IfMultiaddr;
  /** inm_refcount; with the lock of all multicast. */
  count = 1;
  readonly memory: KernelMemory;

  constructor(sim: Simulation, ifp: Ifnet, entry: IfMultiaddr) {
    this.group = entry.group;
    this.ifp = ifp;
    this.entry = entry;
    this.memory = new KernelMemory(sim, ifp.dev, 'in_multi');
  }
}

/** in_joingroup_locked(): with the lock of all multicast. */
export function* joinInMulti(net: FreebsdNet, ifp: Ifnet, group: string): Task<InMulti> {
  yield* ifp.addressLock.lock();
  const known = ifp.multicast.find((entry) => entry.group === group)?.protospec.now;
  if (known !== undefined) known.count++;
  yield* ifp.addressLock.unlock();
  if (known !== undefined) return known;
  const entry = yield* joinMulticast(net, ifp, group);
  const inm = new InMulti(net.sim, ifp, entry);
  yield* ifp.addressLock.lock();
  yield* entry.protospec.set(inm);
  yield* ifp.addressLock.unlock();
  return inm;
}

/** in_leavegroup_locked(): with the lock of all multicast. It succeeds whatever has become of the interface. */
export function* leaveInMulti(net: FreebsdNet, inm: InMulti): Task {
  if (!(yield* inm.memory.use('in_leavegroup'))) return;
  if (--inm.count > 0) return;
  if (yield* inm.entry.memory.use('in_leavegroup')) {
    yield* clearProtospec(net, inm.entry);
    yield* releaseMulticast(net, inm.entry);
  }
  yield* inm.memory.free('inm_release');
}

/** The entry knows the record no more: with the address lock, or without it, under the eyes of IGMP (G-13). */
function* clearProtospec(net: FreebsdNet, entry: IfMultiaddr): Task {
  const ifp = fixed(net, 'protospec-locked') ? yield* holdInterfaceOf(net, entry) : undefined;
  if (ifp === undefined) {
    yield* entry.protospec.set(undefined);
    return;
  }
  yield* ifp.addressLock.lock();
  yield* entry.protospec.set(undefined);
  yield* ifp.addressLock.unlock();
  yield* letInterfaceGo(net, ifp);
}

/**
 * igmp_fasttimo_vnet(): goes through the groups of all interfaces, each with its address lock. Which other lock IGMP had
 * in 2009 was not looked up; here it has none that those who leave have as well.
 */
export function* igmpTimer(net: FreebsdNet, vnet: Vnet): Task {
  yield* net.epoch.enter();
  for (const ifp of yield* vnet.interfaces.all()) yield* igmpQuery(net, ifp);
  yield* net.epoch.exit();
}

/** igmp_input_v2_query(): a router asks on one of them; in an epoch section. */
export function* igmpQuery(net: FreebsdNet, ifp: Ifnet): Task {
  yield* ifp.addressLock.lock();
  for (const entry of [...ifp.multicast]) yield* lookAt(net, ifp, entry);
  yield* ifp.addressLock.unlock();
}

function* lookAt(net: FreebsdNet, ifp: Ifnet, entry: IfMultiaddr): Task {
  if (linkGroupOf(entry.group) === undefined) return; // of the link, and not of IPv4
  if (fixed(net, 'protospec-guarded') && (yield* entry.protospec.get()) === undefined) return;
  const inm = yield* entry.protospec.get();
  if (inm === undefined) nullDereference(net.sim, ifp.dev, 'ifma_protospec', 'igmp_fasttimo');
  else yield* inm.memory.use('igmp_fasttimo');
}
