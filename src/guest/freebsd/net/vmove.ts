/**
 * Interfaces that go to another vnet: lent to a jail, taken back, sent home. The same object goes through most of a
 * detach and of an attach, and is not marked as dying meanwhile. Source: net/if.c (if_vmove(), if_vmove_loan(),
 * if_vmove_reclaim()); reference A.13, B.2.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { enterState, type FreebsdNet, fixed, kernelAssert, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { isShuttingDown } from '../vnet/vnets.ts';
import { giveIndexBack, releaseIfnet, takeIndex } from './allocate.ts';
import { attachInternal, switchVnet } from './attach.ts';
import { attachTap, detachTap } from './bpf-tap.ts';
import { detachInternal, unlinkIfnet } from './detach.ts';
import type { Ifnet } from './ifnet.ts';
import { asIoctl } from './ioctl.ts';
import { byNameReferenced } from './lookup.ts';

/** if_vmove(): of an interface that is on no list any more. Nothing can fail but, per vnet, the new number. */
export function* moveIfnet(net: FreebsdNet, ifp: Ifnet, from: Vnet, to: Vnet): Task<Errno | undefined> {
  yield* net.curvnet.within(from, leave(net, ifp, from, to));
  return yield* net.curvnet.within(to, arrive(net, ifp, from, to));
}

function* leave(net: FreebsdNet, ifp: Ifnet, from: Vnet, to: Vnet): Task {
  if (!(yield* ifp.memory.use('if_vmove'))) return;
  yield* detachTap(net, ifp);
  yield* detachInternal(net, ifp, from, 'moving');
  if (from.indices !== to.indices) yield* giveIndexBack(net, ifp, from);
  const { reassign } = yield* ifp.methods.get();
  if (reassign !== undefined) yield* reassign(to);
  yield* net.ngEther.reassign(ifp, to);
}

function* arrive(net: FreebsdNet, ifp: Ifnet, from: Vnet, to: Vnet): Task<Errno | undefined> {
  if (!(yield* ifp.memory.use('if_vmove'))) return undefined;
  if (from.indices !== to.indices) {
    const errno = yield* takeIndex(net, ifp, to);
    if (errno !== undefined) return errno;
  }
  yield* switchVnet(ifp, to);
  const { dev, name: ifname, index: ifindex } = ifp;
  net.sim.trace.emit({ kind: 'netdev.netns', dev, from: from.name, to: to.name, ifname, ifindex });
  yield* attachInternal(net, ifp, to);
  if (ifp.type === 'ether') attachTap(ifp);
  return undefined;
}

/** SIOCSIFVNET: the caller's vnet lends an interface of its own. */
export function* lendIfnet(net: FreebsdNet, from: Vnet, ifname: string, jail: string): Task<Errno | undefined> {
  return yield* asIoctl(net, lendNamed(net, from, ifname, jail));
}

function* lendNamed(net: FreebsdNet, from: Vnet, ifname: string, jail: string): Task<Errno | undefined> {
  if (isShuttingDown(from)) return refuse(net, '', 'SIOCSIFVNET', 'EBUSY');
  const ifp = yield* byNameReferenced(net, from, ifname);
  if (ifp === undefined) return refuse(net, '', 'SIOCSIFVNET', 'ENXIO');
  const errno = yield* lend(net, ifp, from, jail);
  yield* releaseIfnet(net, ifp);
  return errno === undefined ? undefined : refuse(net, ifp.dev, 'SIOCSIFVNET', errno);
}

function* lend(net: FreebsdNet, ifp: Ifnet, from: Vnet, jail: string): Task<Errno | undefined> {
  const to = net.vnetOf(jail);
  if (to === undefined) return 'ENXIO';
  if (to === from) return 'EEXIST';
  if ((yield* to.interfaces.find(ifp.name)) !== undefined) return 'EEXIST';
  const locks = fixed(net, 'detach-lock');
  if (locks) yield* net.detachLock.lock();
  const errno = (yield* unlinkIfnet(net, ifp, from, 'moving')) ? yield* moveIfnet(net, ifp, from, to) : 'ENODEV';
  if (locks) yield* net.detachLock.unlock();
  return errno;
}

/** SIOCSIFRVNET: the caller's vnet takes an interface back from a jail. Older kernels look and unlink without a lock. */
export function* reclaimIfnet(net: FreebsdNet, to: Vnet, ifname: string, jail: string): Task<Errno | undefined> {
  return yield* asIoctl(net, reclaimNamed(net, to, ifname, jail));
}

function* reclaimNamed(net: FreebsdNet, to: Vnet, ifname: string, jail: string): Task<Errno | undefined> {
  const from = net.vnetOf(jail);
  if (from === undefined) return refuse(net, '', 'SIOCSIFRVNET', 'ENXIO');
  if (isShuttingDown(from)) return refuse(net, '', 'SIOCSIFRVNET', 'EBUSY');
  const isSafe = fixed(net, 'unlink-under-detach');
  if (isSafe) yield* net.detachLock.lock();
  const errno = yield* reclaim(net, from, to, ifname, isSafe);
  if (isSafe) yield* net.detachLock.unlock();
  return errno === undefined ? undefined : refuse(net, '', 'SIOCSIFRVNET', errno);
}

function* reclaim(net: FreebsdNet, from: Vnet, to: Vnet, ifname: string, isSafe: boolean): Task<Errno | undefined> {
  const ifp = yield* from.interfaces.find(ifname);
  if (ifp === undefined) return 'ENXIO';
  if (from === to) return 'EEXIST';
  const found = yield* unlinkIfnet(net, ifp, from, 'moving');
  if (!found && isSafe) return 'ENODEV';
  kernelAssert(net, found, ifp.dev, 'if_vmove_reclaim: the interface is on no list');
  const locks = !isSafe && fixed(net, 'detach-lock');
  if (locks) yield* net.detachLock.lock();
  const errno = yield* moveIfnet(net, ifp, from, to);
  if (locks) yield* net.detachLock.unlock();
  return errno;
}

/**
 * vnet_if_return(): all that were attached first elsewhere go home; with the DETACH lock. The room for the list is asked
 * for by the count of interfaces, which can be wrong (G-27).
 */
export function* returnIfnets(net: FreebsdNet, vnet: Vnet): Task {
  if (!fixed(net, 'return-collected')) return yield* returnWhileWalking(net, vnet);
  const foreign: Ifnet[] = [];
  yield* net.ifnetLock.lock();
  const room = vnet.count;
  for (const ifp of yield* vnet.interfaces.all()) {
    if (ifp.homeVnet === vnet) continue;
    yield* vnet.interfaces.remove(ifp);
    vnet.count--;
    enterState(net, ifp, 'moving');
    foreign.push(ifp);
  }
  yield* net.ifnetLock.unlock();
  if (foreign.length > room) {
    const [what, by] = [`room for ${room} interfaces`, 'vnet_if_return'];
    net.sim.trace.emit({ kind: 'memory.fault', fault: 'overflow', dev: '', what, by, freedBy: '' });
  }
  for (const ifp of foreign) yield* moveIfnet(net, ifp, vnet, ifp.homeVnet as Vnet);
}

/** As it was before r368020: nothing keeps others from changing the list under the walk (G-1). */
function* returnWhileWalking(net: FreebsdNet, vnet: Vnet): Task {
  let next = yield* vnet.interfaces.after(undefined);
  while (next !== undefined) {
    const ifp: Ifnet = next;
    next = yield* vnet.interfaces.after(ifp);
    if (!(yield* ifp.memory.use('vnet_if_return'))) return;
    if (ifp.homeVnet === vnet) continue;
    yield* unlinkIfnet(net, ifp, vnet, 'moving');
    yield* moveIfnet(net, ifp, vnet, ifp.homeVnet as Vnet);
  }
}
