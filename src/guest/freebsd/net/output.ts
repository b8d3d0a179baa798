/**
 * The way out of a packet: a reader in an epoch section that finds an interface, asks the address family's data of it and
 * gives the frame to its driver. What a detach does meanwhile is what seed 001 is about (reference G-4, A.11).
 * Source: netinet6/ip6_output.c, in6_src.c (in6_selecthlim()), netinet/ip_output.c.
 * What this leaves out: source addresses, neighbours, fragments.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import type { WayOut } from '../../uapi/uapi.ts';
import { nullDereference } from '../kern/memory.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Family } from '../netinet/af-data.ts';
import { fibOf, type PacketOrigin } from '../netinet/fib.ts';
import { familyOf } from '../netinet/ip-prefix.ts';
import { releaseIfnet } from './allocate.ts';
import type { Ifnet } from './ifnet.ts';
import { byIndex, byIndexAttached, byIndexReferenced } from './lookup.ts';

/** Sends a frame from the vnet of the caller, by the FIB that `origin` leads to: ENXIO where no interface is found, or the driver's own error. */
export function* output(
  net: FreebsdNet,
  way: WayOut,
  frame: Uint8Array,
  origin: PacketOrigin = {},
): Task<Errno | undefined> {
  yield* net.epoch.enter();
  const ifp = yield* findWayOut(net, way, origin);
  const family = 'family' in way ? way.family : familyOf(way.destination);
  const errno = ifp === undefined ? 'ENXIO' : yield* send(net, ifp, family, frame);
  yield* net.epoch.exit();
  return errno;
}

/**
 * The same for a sender that keeps the interface over a time outside of any section, as a socket does that waits for
 * memory: it takes a reference, and finds out later what has become of it.
 */
export function* outputHolding(
  net: FreebsdNet,
  index: number,
  family: Family,
  frame: Uint8Array,
): Task<Errno | undefined> {
  yield* net.epoch.enter();
  const ifp = yield* byIndexReferenced(net, net.curvnet.now, index);
  yield* net.epoch.exit();
  if (ifp === undefined) return 'ENXIO';
  yield* net.epoch.enter();
  const errno = yield* send(net, ifp, family, frame);
  yield* net.epoch.exit();
  yield* releaseIfnet(net, ifp);
  return errno;
}

function* findWayOut(net: FreebsdNet, way: WayOut, origin: PacketOrigin): Task<Ifnet | undefined> {
  const vnet = net.curvnet.must;
  if ('destination' in way) {
    const routes = vnet.fibs[fibOf(origin)] ?? vnet.routes;
    return yield* routes.find(way.destination);
  }
  if (fixed(net, 'output-sees-attached')) return yield* byIndexAttached(net, vnet, way.index);
  return yield* byIndex(net, vnet, way.index);
}

/** ip6_output() asks for the hop limit of the interface, without a look whether there is anything to ask. */
function* send(net: FreebsdNet, ifp: Ifnet, family: Family, frame: Uint8Array): Task<Errno | undefined> {
  const by = family === 'inet6' ? 'in6_selecthlim' : 'ip_output';
  if (!(yield* ifp.memory.use(by))) return 'ENXIO';
  const data = yield* ifp.afdata[family].get();
  if (data === undefined) {
    nullDereference(net.sim, ifp.dev, `if_afdata[${family}]`, by);
    return 'ENXIO';
  }
  if (!(yield* data.memory.use(by))) return 'ENXIO';
  const methods = yield* ifp.methods.get();
  return yield* methods.transmit(frame);
}
