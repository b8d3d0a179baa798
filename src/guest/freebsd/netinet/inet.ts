/**
 * What IPv4 does when an interface changes: its routes go and come with the interface, and ARP announces a new address.
 * Source: netinet/in.c (in_ifdown(), in_ifevent()), netinet/if_ether.c (arp_iflladdr()); reference A.4, G-8.
 * What this leaves out: routes that the interface's addresses did not bring.
 */
import type { Task } from '../../../sim/operation.ts';
import { type IfnetEventCode, PRIORITY } from '../kern/eventhandler.ts';
import { nullDereference } from '../kern/memory.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { addPrefix, dropPrefix } from './interface-routes.ts';

export function inetHandlers(net: FreebsdNet): void {
  const common = { priority: PRIORITY.ANY, builtIn: true } as const;
  net.events.preset('ifnet_event', {
    ...common,
    name: 'in_ifevent',
    handle: (ifp, code) => changeRoutes(net, ifp, code),
  });
  net.events.preset('iflladdr_event', { ...common, name: 'arp_iflladdr', handle: (ifp) => announceAddress(net, ifp) });
}

function* changeRoutes(net: FreebsdNet, ifp: Ifnet, code: IfnetEventCode): Task {
  if (code !== 'UP' && code !== 'DOWN') return;
  yield* ifp.addressLock.lock();
  const addresses = ifp.addresses.filter(({ family }) => family === 'inet');
  yield* ifp.addressLock.unlock();
  if (addresses.length === 0) return;
  const vnet = yield* ifp.vnet.get();
  for (const ifa of addresses) {
    if (code === 'UP') yield* addPrefix(net, vnet, ifa);
    else yield* dropPrefix(net, vnet, ifa);
  }
}

/** A gratuitous ARP for each address; it asks the family's data of the interface (G-8). */
function* announceAddress(net: FreebsdNet, ifp: Ifnet): Task {
  yield* net.epoch.enter();
  const data = yield* ifp.afdata.inet.get();
  if (data !== undefined) yield* data.memory.use('arp_iflladdr');
  else if (!fixed(net, 'lladdr-guarded')) nullDereference(net.sim, ifp.dev, 'if_afdata[inet]', 'arp_iflladdr');
  yield* net.epoch.exit();
}
