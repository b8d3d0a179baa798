/**
 * The routing socket: messages about interfaces to whoever in that vnet listens. Source: net/rtsock.c
 * (rt_ifmsg(), rt_ifannouncemsg(), rt_newaddrmsg(), rt_newmaddrmsg()); reference A.4, A.15.
 * What this leaves out: requests of programs (they are functions here), and the sysctl by which they read the tables.
 */
import { Place } from '../../../sim/place.ts';
import { Queue } from '../../../sim/queue.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { RoutingMessage } from '../../uapi/freebsd.ts';

export class RoutingSocket {
  private readonly sim: Simulation;
  private readonly listeners = new Map<string, Listener[]>();
  /** For {@link listeners}, and for the order of messages. */
  private readonly order: Place;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.order = new Place(sim);
  }

  /** `fib`: that of the socket, which hears of no other's routes (RTS_FILTER_FIB); of all when it is left out. */
  subscribe(name: string, vnet: string, fib?: number): Queue<RoutingMessage> {
    this.order.write();
    const queue = new Queue<RoutingMessage>(this.sim, `${name}.routing`);
    this.listeners.set(vnet, [...(this.listeners.get(vnet) ?? []), { queue, fib }]);
    return queue;
  }

  send(message: RoutingMessage): void {
    this.order.read();
    const { dev, ifname, ifindex, flags, vnet } = message.link;
    const what = subjectOf(message);
    this.sim.trace.emit({ kind: 'routing', message: message.message, what, dev, ifname, ifindex, flags, vnet });
    for (const { queue, fib } of this.listeners.get(vnet) ?? []) {
      if (fib === undefined || !('fib' in message) || message.fib === fib) queue.inject(message);
    }
  }
}

interface Listener {
  readonly queue: Queue<RoutingMessage>;
  readonly fib: number | undefined;
}

function subjectOf(message: RoutingMessage): string {
  if ('what' in message) return message.what;
  if ('fib' in message) return `${message.destination} fib ${message.fib}`;
  return 'address' in message ? message.address : '';
}
