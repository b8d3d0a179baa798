/**
 * A socket that is bound to an address of the host. Source: netinet/in_pcb.c (in_pcbbind_setup(), which looks the address
 * up); reference F-3, G-6.
 * What this leaves out: ports, and the socket itself.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { addressWith, releaseAddress } from './ifaddr.ts';

/** bind(2): EADDRNOTAVAIL when no interface of the vnet has the address. */
export function* bindSocket(net: FreebsdNet, vnet: Vnet, address: string): Task<Errno | undefined> {
  const ifa = yield* addressWith(net, vnet, address);
  if (ifa === undefined) return refuse(net, '', 'bind', 'EADDRNOTAVAIL');
  yield* ifa.memory.use('in_pcbbind');
  if (fixed(net, 'address-references')) yield* releaseAddress(net, ifa);
  return undefined;
}
