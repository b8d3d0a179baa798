/**
 * A socket that joins a multicast group on an interface that it names by number. Source: netinet/in_mcast.c
 * (inp_join_group(), inp_lookup_mcast_ifp()); reference F-9, G-26.
 * What this leaves out: the socket itself, and that it leaves the group when it is closed (F-8).
 */
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import { releaseIfnet } from './allocate.ts';
import { byIndexReferenced } from './lookup.ts';
import { joinMulticast } from './multicast.ts';
import { type FreebsdNet, refuse } from './net.ts';

/** IP_ADD_MEMBERSHIP by index, from the vnet of the caller: EADDRNOTAVAIL where no interface has the number. */
export function* joinByNumber(net: FreebsdNet, index: number, group: string): Task<Errno | undefined> {
  yield* net.epoch.enter();
  const ifp = yield* byIndexReferenced(net, net.curvnet.now, index);
  yield* net.epoch.exit();
  if (ifp === undefined) return refuse(net, '', 'IP_ADD_MEMBERSHIP', 'EADDRNOTAVAIL');
  if (yield* ifp.memory.use('inp_join_group')) {
    yield* joinMulticast(net, ifp, group);
    yield* releaseIfnet(net, ifp);
  }
  return undefined;
}
