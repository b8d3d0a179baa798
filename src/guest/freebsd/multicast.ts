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
  const known = ifp.multicast.find((entry) => entry.group === group);
  if (known === undefined) ifp.multicast.push({ group, wanted: 1 });
  else known.wanted++;
  yield* ifp.addressLock.unlock();
  if (known !== undefined) return;
  net.routing.send({ message: 'RTM_NEWMADDR', link: linkOf(ifp), address: group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCADDMULTI' });
}

/** if_delmulti(). ENOENT when the interface is not in the group. */
export function* leaveMulticast(net: FreebsdNet, ifp: Ifnet, group: string): Task<Errno | undefined> {
  yield* ifp.addressLock.lock();
  const known = ifp.multicast.find((entry) => entry.group === group);
  const left = known === undefined ? undefined : --known.wanted;
  if (known !== undefined && left === 0) ifp.multicast.splice(ifp.multicast.indexOf(known), 1);
  yield* ifp.addressLock.unlock();
  if (left === undefined) return refuse(net, ifp.dev, 'if_delmulti', 'ENOENT');
  if (left > 0) return undefined;
  net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address: group });
  const methods = yield* ifp.methods.get();
  yield* methods.ioctl({ request: 'SIOCDELMULTI' });
  return undefined;
}

/** if_purgemaddrs(): all of them, whoever wants them still. */
export function* purgeMulticast(net: FreebsdNet, ifp: Ifnet): Task {
  yield* ifp.addressLock.lock();
  const gone = ifp.multicast.splice(0);
  yield* ifp.addressLock.unlock();
  for (const { group } of gone) net.routing.send({ message: 'RTM_DELMADDR', link: linkOf(ifp), address: group });
}
