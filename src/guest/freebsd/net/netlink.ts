/**
 * Netlink, as far as it tells of interfaces. Source: netlink/route/iface.c (rtnl_handle_ifattach() and its kin): it does
 * not ask whether an interface departs only to come back under another name. Kernels without it have the routing socket,
 * which tells the same of links.
 * What this leaves out: addresses and routes, requests.
 */
import { Place } from '../../../sim/place.ts';
import { Queue } from '../../../sim/queue.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { IfLink } from '../../uapi/freebsd.ts';
import type { LinkInfo, LinkMessage } from '../../uapi/uapi.ts';

export class Netlink {
  private readonly sim: Simulation;
  private readonly listeners = new Map<string, Queue<LinkMessage>[]>();
  /** For {@link listeners}, and for the order of messages. */
  private readonly order: Place;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.order = new Place(sim);
  }

  subscribe(name: string, vnet: string): Queue<LinkMessage> {
    this.order.write();
    const queue = new Queue<LinkMessage>(this.sim, `${name}.netlink`);
    this.listeners.set(vnet, [...(this.listeners.get(vnet) ?? []), queue]);
    return queue;
  }

  send(message: 'new' | 'del', link: IfLink): void {
    this.order.read();
    for (const queue of this.listeners.get(link.vnet) ?? []) {
      queue.inject({ message, link: linkInfo(link), event: '', netns: link.vnet, movedTo: undefined });
    }
  }
}

/** In the words that all guests share. There are no masters here: lagg and bridge keep their members to themselves. */
export function linkInfo({ ifname, ifindex, flags, mac, mtu, link, dev }: IfLink): LinkInfo {
  return { ifname, ifindex, flags, mac, mtu, master: 0, carrier: link !== 'down', operstate: link, dev };
}
