/**
 * Network addresses of an interface: its own list, those of the vnet, the route that each brings, and who is told.
 * Source: net/if.c (ifa_alloc(), if_purgeaddrs()), netinet/in.c (in_aifaddr_ioctl(), in_difaddr_ioctl()); reference A.4,
 * A.9, F-1, F-3, F-4.
 * What this leaves out: broadcast and destination addresses, and the groups that IPv6 addresses join.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { type Ifnet, linkOf } from '../net/ifnet.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Family } from './af-data.ts';
import { joinAllHosts, leaveAllHosts } from './all-hosts.ts';
import { IfAddress, releaseAddress } from './ifaddr.ts';
import { addPrefix, scrubPrefix } from './interface-routes.ts';
import { addressOf, type Prefix, parsePrefix } from './ip-prefix.ts';

/**
 * SIOCAIFADDR, of `10.0.0.1/24` or of one address alone. EINVAL when it is none, EEXIST when the interface has it. An
 * interface that is on its way out takes addresses as any other: nothing takes them from it again.
 */
export function* addAddress(net: FreebsdNet, ifp: Ifnet, text: string): Task<Errno | undefined> {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return refuse(net, ifp.dev, 'SIOCAIFADDR', 'EINVAL');
  const errno = yield* underControl(net, add(net, ifp, text, prefix));
  return errno === undefined ? undefined : refuse(net, ifp.dev, 'SIOCAIFADDR', errno);
}

/** SIOCDIFADDR. EADDRNOTAVAIL when it has no such address. */
export function* removeAddress(net: FreebsdNet, ifp: Ifnet, address: string): Task<Errno | undefined> {
  const dropped = yield* underControl(net, dropAddress(net, ifp, addressOf(address)));
  return dropped ? undefined : refuse(net, ifp.dev, 'SIOCDIFADDR', 'EADDRNOTAVAIL');
}

/** if_purgeaddrs(): all of them, one by one. */
export function* purgeAddresses(net: FreebsdNet, ifp: Ifnet): Task {
  yield* underControl(net, purge(net, ifp));
}

function* purge(net: FreebsdNet, ifp: Ifnet): Task {
  for (;;) {
    yield* ifp.addressLock.lock();
    const first = ifp.addresses[0];
    yield* ifp.addressLock.unlock();
    if (first === undefined) return;
    yield* dropAddress(net, ifp, first.address);
  }
}

/** One change at a time, where an end must not meet a beginning. */
function* underControl<T>(net: FreebsdNet, change: Task<T>): Task<T> {
  if (!fixed(net, 'addresses-only-attached')) return yield* change;
  yield* net.controlLock.lock();
  const result = yield* change;
  yield* net.controlLock.unlock();
  return result;
}

function* add(net: FreebsdNet, ifp: Ifnet, text: string, prefix: Prefix): Task<Errno | undefined> {
  const vnet = yield* ifp.vnet.get();
  if (fixed(net, 'addresses-only-attached') && !(yield* vnet.interfaces.has(ifp))) return 'ENXIO';
  const ifa = new IfAddress(net.sim, ifp, text, prefix);
  yield* ifa.references.acquire(); // that of the vnet's lists
  yield* ifp.addressLock.lock();
  const isThere = ifp.addresses.some(({ address }) => address === ifa.address);
  const isFirst = isOnly(ifp, ifa.family);
  if (!isThere) ifp.addresses.push(ifa);
  yield* ifp.addressLock.unlock();
  if (isThere) return 'EEXIST';
  net.addressCensus.add(ifa);
  yield* vnet.addresses.insert(ifa);
  yield* addPrefix(net, vnet, ifa);
  yield* tell(net, ifp, ifa.address, 'add');
  if (isFirst) yield* joinAllHosts(net, ifp);
  return undefined;
}

/** False when there is no such address. */
function* dropAddress(net: FreebsdNet, ifp: Ifnet, address: string): Task<boolean> {
  yield* ifp.addressLock.lock();
  const at = ifp.addresses.findIndex((other) => other.address === address);
  const [ifa] = at === -1 ? [] : ifp.addresses.splice(at, 1);
  const wasLast = ifa !== undefined && isOnly(ifp, ifa.family);
  yield* ifp.addressLock.unlock();
  if (ifa === undefined) return false;
  const vnet = yield* ifp.vnet.get();
  yield* releaseAddress(net, ifa); // that of the interface's list
  yield* vnet.addresses.remove(ifa);
  yield* scrubPrefix(net, vnet, ifa);
  yield* tell(net, ifp, address, 'delete');
  if (wasLast) yield* leaveAllHosts(net, ifp);
  yield* releaseAddress(net, ifa); // that of the vnet's lists
  return true;
}

/** Of IPv4, and there is no other one of it: what comes is the first, and what goes was the last. With the address lock. */
const isOnly = (ifp: Ifnet, family: Family): boolean =>
  family === 'inet' && ifp.addresses.every((other) => other.family !== family);

function* tell(net: FreebsdNet, ifp: Ifnet, address: string, what: 'add' | 'delete'): Task {
  net.routing.send({ message: what === 'add' ? 'RTM_NEWADDR' : 'RTM_DELADDR', link: linkOf(ifp), address });
  yield* net.events.raise('ifaddr_event', ifp);
  yield* net.events.raise('ifaddr_event_ext', ifp, address, what);
}
