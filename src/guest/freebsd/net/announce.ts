/** Whom the stack itself tells of interfaces: user mode, before and after others. Source: net/rtsock.c, netlink/route/iface.c. */
import { PRIORITY } from '../kern/eventhandler.ts';
import type { FreebsdNet } from '../net.ts';
import { type Ifnet, linkOf } from './ifnet.ts';

/**
 * The routing socket listens in front of all others, so that user mode hears of an interface before the stack's own parts
 * do (reference A.4). Netlink is one of those.
 */
export function announceInterfaces({ events, routing, netlink }: FreebsdNet): void {
  const announce = (what: 'arrival' | 'departure') =>
    function* (ifp: Ifnet) {
      routing.send({ message: 'RTM_IFANNOUNCE', what, link: linkOf(ifp) });
    };
  const tellLink = (message: 'new' | 'del') =>
    function* (ifp: Ifnet) {
      netlink.send(message, linkOf(ifp));
    };
  const [first, any] = [PRIORITY.FIRST, PRIORITY.ANY];
  const [rtsock, nl] = [{ name: 'rt_ifmsg', builtIn: true } as const, { name: 'netlink', builtIn: true } as const];
  events.preset('ifnet_arrival_event', { ...rtsock, priority: first, handle: announce('arrival') });
  events.preset('ifnet_departure_event', { ...rtsock, priority: first, handle: announce('departure') });
  events.preset('ifnet_arrival_event', { ...nl, priority: any, handle: tellLink('new') });
  events.preset('ifnet_departure_event', { ...nl, priority: any, handle: tellLink('del') });
  events.preset('ifnet_link_event', { ...nl, priority: any, handle: tellLink('new') });
}

/** rt_ifmsg(): flags or link have changed. */
export function tellChange({ routing, netlink }: FreebsdNet, ifp: Ifnet): void {
  const link = linkOf(ifp);
  routing.send({ message: 'RTM_IFINFO', link });
  netlink.send('new', link);
}
