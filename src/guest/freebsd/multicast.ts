/**
 * Multicast groups of an interface, at the link layer. Source: net/if.c (if_addmulti(), if_delmulti(), if_purgemaddrs()).
 * What this leaves out: the two layers above (F-8), source filters (F-9).
 */
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import { type Ifnet, linkOf } from './ifnet.ts';
import { type FreebsdNet, refuse } from './net.ts';

/** if_addmulti(): the first who wants a group makes the driver's filter change. */
export function* joinMulticast(net: FreebsdNet, ifp: Ifnet, group: string): Task {
  yield* ifp.addressLock.lock();
  const before = ifp.multicast.get(group) ?? 0;
  ifp.multicast.set(group, before + 1);
  yield* ifp.addressLock.unlock();
  if (before > 0) return;
  net.routing.send({ message: 'RTM_NEWMADDR', link: linkOf(ifp), address: group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCADDMULTI' });
}

/** if_delmulti(). ENOENT when the interface is not in the group. */
export function* leaveMulticast(net: FreebsdNet, ifp: Ifnet, group: string): Task<Errno | undefined> {
  yield* ifp.addressLock.lock();
  const before = ifp.multicast.get(group) ?? 0;
  if (before > 1) ifp.multicast.set(group, before - 1);
  else ifp.multicast.delete(group);
  yield* ifp.addressLock.unlock();
  if (before === 0) return refuse(net, ifp.dev, 'if_delmulti', 'ENOENT');
  if (before > 1) return undefined;
  net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address: group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCDELMULTI' });
  return undefined;
}

/** if_purgemaddrs(): all of them, whoever wants them still. */
export function* purgeMulticast(net: FreebsdNet, ifp: Ifnet): Task {
  yield* ifp.addressLock.lock();
  const groups = [...ifp.multicast.keys()];
  ifp.multicast.clear();
  yield* ifp.addressLock.unlock();
  for (const address of groups) net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address });
}
