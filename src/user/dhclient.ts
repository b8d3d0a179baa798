/**
 * rc.d/netif and dhclient(8) with the rc.conf of a Hyper-V image: `ifconfig_hnN="DHCP"` for each NIC, and nothing for a VF.
 * An interface is brought up when it is there, and asks for an address when its link is; dhclient keeps its lease over a
 * lost link, and ends when the interface goes down or departs. Source: libexec/rc/network.subr, rc.d/dhclient,
 * sbin/dhclient/dhclient.c (routehandler()), from memory.
 * What this leaves out: renewal, the routes and the resolver's file that come with an address, a DHCP request when the
 * link comes back.
 */
import type { FreebsdUapi, RoutingMessage } from '../guest/uapi/freebsd.ts';
import { IFF } from '../guest/uapi/freebsd.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Place } from '../sim/place.ts';
import type { Simulation } from '../sim/simulation.ts';
import { type Devd, type DevdAction, HN } from './devd.ts';
import { DhcpClient } from './dhcp-client.ts';

export class Dhclient {
  private readonly sim: Simulation;
  private readonly uapi: FreebsdUapi;
  private readonly latency: Latency;
  /** What runs, by interface: one at most, as its file of the process number ensures. */
  private readonly clients = new Map<string, DhcpClient>();
  /** For {@link clients}. */
  private readonly files: Place;
  private nextTransactionId = 1;

  constructor(sim: Simulation, uapi: FreebsdUapi, latency: Latency, devd: Devd) {
    this.sim = sim;
    this.uapi = uapi;
    this.latency = latency;
    this.files = new Place(sim);
    devd.listen((action, ifname) => this.onDevd(action, ifname));
    sim.spawn('dhclient routing socket', 'user', this.watch(), { daemon: true });
  }

  /** Interfaces that rc.conf does not name are nobody's. */
  private *onDevd(action: DevdAction, ifname: string): Task {
    if (!HN.test(ifname) || action === 'netif stop') return;
    if (action === 'netif start') yield* this.uapi.execute({ do: 'up', ifname });
    yield* this.start(ifname);
  }

  private *start(ifname: string): Task {
    const link = (yield* this.uapi.dumpLinks()).find((each) => each.ifname === ifname);
    if (link === undefined || !link.carrier || link.operstate !== 'up') return;
    this.files.write();
    if (this.clients.has(ifname)) return;
    if ((link.flags & IFF.UP) === 0) yield* this.uapi.execute({ do: 'up', ifname });
    const socket = yield* this.uapi.openPacket(ifname, `dhclient ${link.dev}`);
    this.files.write();
    if (!socket.ok || this.clients.has(ifname)) return;
    const options = { retry: this.latency.of('dhcp.retry'), transactionId: this.nextTransactionId++ };
    const { dev, mac } = link;
    this.clients.set(ifname, new DhcpClient(this.sim, { dev, mac, socket: socket.value }, options));
  }

  private *watch(): Task {
    const messages = this.uapi.subscribeRouting('dhclient');
    for (;;) yield* this.onMessage(yield* messages.take());
  }

  private *onMessage(message: RoutingMessage): Task {
    const { ifname, flags } = message.link;
    const isGone = message.message === 'RTM_IFANNOUNCE' && message.what === 'departure';
    const isDown = message.message === 'RTM_IFINFO' && (flags & IFF.UP) === 0;
    if (!isGone && !isDown) return;
    this.files.write();
    const client = this.clients.get(ifname);
    this.clients.delete(ifname);
    if (client !== undefined) yield* client.stop();
  }
}
