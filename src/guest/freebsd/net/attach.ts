/**
 * if_attach() and ether_ifattach(). An Ethernet interface is announced before it has its MAC.
 * Source: net/if.c (if_attach_internal(), if_addgroup()), net/if_ethersubr.c; reference A.6, A.7.
 * What this leaves out: MAC labels, TSO limits, time stamps.
 */
import type { MacAddress } from '../../../base/mac.ts';
import type { Task } from '../../../sim/operation.ts';
import { enterState, type FreebsdNet, fixed, kernelAssert } from '../net.ts';
import { attachDomains } from '../vnet/domains.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { attachTap } from './bpf-tap.ts';
import type { Ifnet } from './ifnet.ts';

/** if_attach(), into the vnet of the caller. Nothing can fail, and nobody looks whether the name is taken. */
export function* attachIfnet(net: FreebsdNet, ifp: Ifnet): Task {
  const vnet = net.curvnet.must;
  yield* switchVnet(ifp, vnet);
  ifp.homeVnet ??= vnet;
  yield* attachInternal(net, ifp, vnet);
}

/** ether_ifattach(): only behind the arrival does the interface get its address, and then it is announced again. */
export function* etherAttach(net: FreebsdNet, ifp: Ifnet, mac: MacAddress): Task {
  yield* attachIfnet(net, ifp);
  yield* ifp.addressLock.lock();
  ifp.mac = mac;
  ifp.permanentMac = mac;
  yield* ifp.addressLock.unlock();
  attachTap(ifp);
  yield* net.ngEther.attach(ifp);
  net.sim.trace.emit({ kind: 'netdev.mac', dev: ifp.dev, mac });
  yield* net.events.raise('ether_ifattach_event', ifp);
  if (net.curvnet.now === net.vnet0) notify(net, ifp, 'ETHERNET', 'IFATTACH');
}

/** if_attach_internal(), also for the second half of a move. */
export function* attachInternal(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  kernelAssert(net, vnet.indices.at(ifp.index) === ifp, ifp.dev, `if_attach: slot ${ifp.index} is not its own`);
  yield* joinGroup(net, ifp, vnet, 'all');
  if (ifp.state === 'moving') yield* rejoinClonerGroup(net, ifp, vnet);
  yield* net.ifnetLock.lock();
  if (!(yield* vnet.interfaces.append(ifp, fixed(net, 'atomic-names')))) {
    // Invented: there is no kernel that does so. It is what a name that nobody else can have is made of.
    yield* vnet.interfaces.rename(ifp, `if${ifp.index}`);
    yield* vnet.interfaces.append(ifp);
  }
  vnet.count++;
  enterState(net, ifp, 'attached');
  yield* net.ifnetLock.unlock();
  yield* attachDomains(net, ifp);
  yield* net.events.raise('ifnet_arrival_event', ifp);
  if (vnet === net.vnet0) notify(net, ifp, 'IFNET', 'ATTACH');
}

/** if_clone_restoregroup(): of what was cloned, where the new vnet has such a cloner too. */
function* rejoinClonerGroup(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  const isCloned = ifp.homeVnet?.cloners.now.some(({ interfaces }) => interfaces.now.includes(ifp)) === true;
  if (isCloned && vnet.cloners.now.some(({ type }) => type.name === ifp.dname))
    yield* joinGroup(net, ifp, vnet, ifp.dname);
}

/** The single store by which an interface is one of another vnet. */
export function* switchVnet(ifp: Ifnet, to: Vnet): Task {
  const from = yield* ifp.vnet.exchange(to);
  if (from === to) return;
  from.disowns(ifp.index);
  to.owns(ifp.index);
}

/** if_addgroup(). */
export function* joinGroup(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, group: string): Task {
  yield* net.ifnetLock.lock();
  const isNew = vnet.groups.join(group, ifp) === 'new';
  ifp.groups = [...ifp.groups, group];
  yield* net.ifnetLock.unlock();
  if (isNew) yield* net.events.raise('group_attach_event', group);
  yield* net.events.raise('group_change_event', group);
}

/**
 * if_delgroup(): behind it nobody is going through the group who could still meet the interface. Nothing happens when it
 * is not in the group (ENOENT, of which no caller takes notice).
 */
export function* leaveGroup(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, group: string): Task {
  yield* net.ifnetLock.lock();
  const isIn = ifp.groups.includes(group);
  const wasLast = isIn && vnet.groups.leave(group, ifp) === 'last';
  ifp.groups = ifp.groups.filter((other) => other !== group);
  yield* net.ifnetLock.unlock();
  if (!isIn) return;
  yield* net.epoch.wait();
  yield* net.events.raise('group_change_event', group);
  if (wasLast) yield* net.events.raise('group_detach_event', group);
}

/** if_delgroups(): of all that it is in when this begins. */
export function* leaveGroups(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  for (const group of ifp.groups) yield* leaveGroup(net, ifp, vnet, group);
}

/** Only the default vnet's interfaces are told to devd. */
export function notify(net: FreebsdNet, { name, dev }: Ifnet, system: 'IFNET' | 'ETHERNET', type: string): void {
  net.devctl.notify({ system, subsystem: name, type, data: '', dev });
}
