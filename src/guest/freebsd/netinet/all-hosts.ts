/**
 * The group of all hosts: IPv4 itself is in it on each interface that has an address of its family, from the first one to
 * the last. It is a membership that no socket has, so that none can give it up early when the interface goes (G-12).
 * Source: netinet/in.c (in_aifaddr_ioctl(), in_difaddr_ioctl(), ii_allhosts); reference F-8.
 */
import type { Task } from '../../../sim/operation.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { Ifnet } from '../net/ifnet.ts';
import type { FreebsdNet } from '../net.ts';
import { joinInMulti, leaveInMulti } from './in-multi.ts';

/** INADDR_ALLHOSTS_GROUP (netinet/in.h). */
const ALL_HOSTS = '224.0.0.1';

/** The interface has its first address. */
export function* joinAllHosts(net: FreebsdNet, ifp: Ifnet): Task {
  if (((yield* ifp.flags.get()) & IFF.MULTICAST) === 0) return;
  yield* net.multicast.lock.lock();
  const data = yield* ifp.afdata.inet.get();
  if (data !== undefined) {
    const before = yield* data.allHosts.exchange(yield* joinInMulti(net, ifp, ALL_HOSTS));
    if (before !== undefined) yield* leaveInMulti(net, before);
  }
  yield* net.multicast.lock.unlock();
}

/** It has lost its last one. */
export function* leaveAllHosts(net: FreebsdNet, ifp: Ifnet): Task {
  yield* net.multicast.lock.lock();
  const data = yield* ifp.afdata.inet.get();
  const inm = data === undefined ? undefined : yield* data.allHosts.exchange(undefined);
  if (inm !== undefined) yield* leaveInMulti(net, inm);
  yield* net.multicast.lock.unlock();
}
