/**
 * Network addresses of an interface: a list of its own, the route that each brings, and who is told.
 * Source: net/if.c (ifa_alloc(), if_purgeaddrs()), netinet/in.c (in_aifaddr_ioctl(), in_control()); reference A.4, A.9.
 * What this leaves out: prefixes, broadcast addresses, references to single addresses and the global list (F-3, F-4).
 */
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { Family } from './af-data.ts';
import { type Ifnet, linkOf } from './ifnet.ts';
import { type FreebsdNet, refuse } from './net.ts';

/** struct ifaddr of a network address; the link address is not among them. */
export interface IfAddress {
  readonly family: Family;
  /** `10.0.0.1`, `fe80::1`. */
  readonly address: string;
}

export const familyOf = (address: string): Family => (address.includes(':') ? 'inet6' : 'inet');

/** SIOCAIFADDR. EEXIST when the interface has the address. */
export function* addAddress(net: FreebsdNet, ifp: Ifnet, address: string): Task<Errno | undefined> {
  const family = familyOf(address);
  yield* ifp.addressLock.lock();
  const isThere = ifp.addresses.some((other) => other.address === address);
  if (!isThere) ifp.addresses.push({ family, address });
  yield* ifp.addressLock.unlock();
  if (isThere) return refuse(net, ifp.dev, 'SIOCAIFADDR', 'EEXIST');
  const vnet = yield* ifp.vnet.get();
  yield* vnet.routes.add(address, ifp);
  yield* tell(net, ifp, address, 'add');
  return undefined;
}

/** SIOCDIFADDR. EADDRNOTAVAIL when it has no such address. */
export function* removeAddress(net: FreebsdNet, ifp: Ifnet, address: string): Task<Errno | undefined> {
  if (!(yield* dropAddress(net, ifp, address))) return refuse(net, ifp.dev, 'SIOCDIFADDR', 'EADDRNOTAVAIL');
  return undefined;
}

/** if_purgeaddrs(): all of them, one by one. */
export function* purgeAddresses(net: FreebsdNet, ifp: Ifnet): Task {
  for (;;) {
    yield* ifp.addressLock.lock();
    const first = ifp.addresses[0];
    yield* ifp.addressLock.unlock();
    if (first === undefined) return;
    yield* dropAddress(net, ifp, first.address);
  }
}

/** False when there is no such address. */
function* dropAddress(net: FreebsdNet, ifp: Ifnet, address: string): Task<boolean> {
  yield* ifp.addressLock.lock();
  const at = ifp.addresses.findIndex((other) => other.address === address);
  if (at !== -1) ifp.addresses.splice(at, 1);
  yield* ifp.addressLock.unlock();
  if (at === -1) return false;
  const vnet = yield* ifp.vnet.get();
  yield* vnet.routes.remove(address, ifp);
  yield* tell(net, ifp, address, 'delete');
  return true;
}

function* tell(net: FreebsdNet, ifp: Ifnet, address: string, what: 'add' | 'delete'): Task {
  net.routing.send({ message: what === 'add' ? 'RTM_NEWADDR' : 'RTM_DELADDR', link: linkOf(ifp), address });
  yield* net.events.raise('ifaddr_event', ifp);
  yield* net.events.raise('ifaddr_event_ext', ifp, address, what);
}
