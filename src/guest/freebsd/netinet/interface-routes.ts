/**
 * The routes that addresses bring: one of the network of each, in every FIB or in that of the interface alone
 * (net.add_addr_allfibs). A network has one route, whatever number of addresses is in it; when the address that brought
 * it goes, the next one brings it again. Source: netinet/in.c (in_addprefix(), in_scrubprefix()), net/route.c (rtinit(),
 * r178888; r180840 for the switch); reference F-1.
 * What this leaves out: routes to the host's own addresses by lo0, and broadcast addresses.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { type Ifnet, linkOf } from '../net/ifnet.ts';
import { type FreebsdNet, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { IfAddress } from './ifaddr.ts';
import { networkKey, parsePrefix } from './ip-prefix.ts';
import { flushNeighbours } from './neighbours.ts';

/** FIBs that hold the routes of an interface's addresses. */
function* fibsOf(vnet: Vnet, ifp: Ifnet): Task<readonly number[]> {
  if (vnet.fibs.length === 1) return [0];
  return (yield* vnet.addressesInAllFibs.get()) ? vnet.fibs.map((_, fib) => fib) : [ifp.fib];
}

const textOf = ({ address, prefix }: IfAddress): string => `${address}/${prefix.length}`;

/** in_addprefix(). */
export function* addPrefix(net: FreebsdNet, vnet: Vnet, ifa: IfAddress): Task {
  for (const fib of yield* fibsOf(vnet, ifa.ifp)) {
    const added = yield* fibOf(vnet, fib).add(textOf(ifa), ifa.ifp);
    if (added) tellRoute(net, 'RTM_ADD', ifa.ifp, textOf(ifa), fib);
  }
}

/** Out of all FIBs: the policy can have changed since it came. */
export function* dropPrefix(net: FreebsdNet, vnet: Vnet, ifa: IfAddress): Task {
  for (const [fib, routes] of vnet.fibs.entries()) {
    const removed = yield* routes.remove(textOf(ifa), ifa.ifp);
    if (removed) tellRoute(net, 'RTM_DELETE', ifa.ifp, textOf(ifa), fib);
  }
}

/** in_scrubprefix(): the route goes, with the neighbours of that network, unless another address brings it again. */
export function* scrubPrefix(net: FreebsdNet, vnet: Vnet, ifa: IfAddress): Task {
  yield* dropPrefix(net, vnet, ifa);
  const others = yield* vnet.addresses.all(ifa.family);
  const key = networkKey(ifa.prefix);
  const heir = others.find((other) => other !== ifa && networkKey(other.prefix) === key);
  if (heir !== undefined) yield* addPrefix(net, vnet, heir);
  if (heir?.ifp !== ifa.ifp) yield* flushNeighbours(net, ifa.ifp, ifa.prefix);
}

/** rt_flushifroutes(): no FIB leads out by the interface any more. */
export function* flushRoutes(vnet: Vnet, ifp: Ifnet): Task {
  for (const routes of vnet.fibs) yield* routes.flush(ifp);
}

/** RTM_ADD of a program: EINVAL when there is no such FIB or network, EEXIST when there is a route. */
export function* addRoute(
  net: FreebsdNet,
  vnet: Vnet,
  destination: string,
  ifp: Ifnet,
  fib = 0,
): Task<Errno | undefined> {
  const routes = vnet.fibs[fib];
  if (routes === undefined || parsePrefix(destination) === undefined) return refuse(net, ifp.dev, 'RTM_ADD', 'EINVAL');
  if (!(yield* routes.add(destination, ifp))) return refuse(net, ifp.dev, 'RTM_ADD', 'EEXIST');
  tellRoute(net, 'RTM_ADD', ifp, destination, fib);
  return undefined;
}

/** RTM_DELETE of a program, in one FIB; ESRCH when there is no such route. It takes an interface's own routes too. */
export function* deleteRoute(net: FreebsdNet, vnet: Vnet, destination: string, fib = 0): Task<Errno | undefined> {
  const routes = vnet.fibs[fib];
  if (routes === undefined) return refuse(net, '', 'RTM_DELETE', 'EINVAL');
  const route = yield* routes.route(destination);
  if (route === undefined || !(yield* routes.remove(destination, route.ifp)))
    return refuse(net, '', 'RTM_DELETE', 'ESRCH');
  tellRoute(net, 'RTM_DELETE', route.ifp, destination, fib);
  return undefined;
}

function tellRoute(
  net: FreebsdNet,
  message: 'RTM_ADD' | 'RTM_DELETE',
  ifp: Ifnet,
  destination: string,
  fib: number,
): void {
  net.routing.send({ message, link: linkOf(ifp), destination, fib });
}

function fibOf(vnet: Vnet, fib: number): Vnet['routes'] {
  return vnet.fibs[fib] ?? vnet.routes;
}
