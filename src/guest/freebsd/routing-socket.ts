/**
 * The routing socket: messages about interfaces to whoever in that vnet listens. Source: net/rtsock.c
 * (rt_ifmsg(), rt_ifannouncemsg(), rt_newaddrmsg(), rt_newmaddrmsg()); reference A.4, A.15.
 * What this leaves out: messages about routes, and the sysctl by which a program reads the tables.
 */
import { Place } from '../../sim/place.ts';
import { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { RoutingMessage } from '../uapi/freebsd.ts';

export class RoutingSocket {
  private readonly sim: Simulation;
  private readonly listeners = new Map<string, Queue<RoutingMessage>[]>();
  /** For {@link listeners}, and for the order of messages. */
  private readonly order: Place;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.order = new Place(sim);
  }

  subscribe(name: string, vnet: string): Queue<RoutingMessage> {
    this.order.write();
    const queue = new Queue<RoutingMessage>(this.sim, `${name}.routing`);
    this.listeners.set(vnet, [...(this.listeners.get(vnet) ?? []), queue]);
    return queue;
  }

  send(message: RoutingMessage): void {
    this.order.read();
    const { dev, ifname, ifindex, flags, vnet } = message.link;
    const what = 'what' in message ? message.what : 'address' in message ? message.address : '';
    this.sim.trace.emit({ kind: 'routing', message: message.message, what, dev, ifname, ifindex, flags, vnet });
    for (const queue of this.listeners.get(vnet) ?? []) queue.inject(message);
  }
}
