/**
 * SIOCAIFADDR_IN6: an IPv6 address beside the list needs what the family keeps of the interface, and a group for those
 * who look for it. Source: netinet6/in6.c (in6_control(), in6_update_ifa(), in6_update_ifa_join_mc(), ND_IFINFO()), from
 * memory; reference G-4.
 * What this leaves out: duplicate address detection, and the group that belongs to the address (all nodes' stands for it).
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { nullDereference } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, refuse } from '../net.ts';
import { addAddress } from './addresses.ts';
import { joinMulticast } from './multicast.ts';

/** All nodes' group, as Ethernet has it (RFC 2464, section 7). */
const ALL_NODES = '33:33:00:00:00:01';

/** EOPNOTSUPP when the family keeps nothing of the interface; nobody makes sure that it stays so. */
export function* addInet6Address(net: FreebsdNet, ifp: Ifnet, address: string): Task<Errno | undefined> {
  if ((yield* ifp.afdata.inet6.get()) === undefined) return refuse(net, ifp.dev, 'SIOCAIFADDR_IN6', 'EOPNOTSUPP');
  const errno = yield* addAddress(net, ifp, address);
  if (errno !== undefined) return errno;
  yield* joinMulticast(net, ifp, ALL_NODES);
  const data = yield* ifp.afdata.inet6.get();
  if (data === undefined) nullDereference(net.sim, ifp.dev, 'if_afdata[inet6]', 'ND_IFINFO');
  else yield* data.memory.use('ND_IFINFO');
  return undefined;
}
