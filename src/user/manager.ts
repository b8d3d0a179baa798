/**
 * A network manager with the configuration that distributions ship: DHCP on every Ethernet device that is not marked
 * unmanaged. It knows nothing of netvsc: a VF is to it one more NIC, whether it has a master or not.
 * Source: what NetworkManager 1.42 and systemd-networkd 252 did with a VF (trials: both lease an address on an unmarked
 * one, neither touches a marked one); networkd-link.c, link_initialized(): a device that is being configured is not
 * looked at again when a later udev event changes its properties. Losing the carrier gives up the lease, as networkd
 * does (IgnoreCarrierLoss=no); NetworkManager waits some seconds first.
 * What this leaves out: IPv6, profiles, routes, and everything that is done with an address.
 */
import { known } from '../base/assert.ts';
import { IFF, type LinuxUapi } from '../guest/uapi/linux.ts';
import type { LinkInfo, LinkMessage } from '../guest/uapi/uapi.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import { DhcpClient } from './dhcp-client.ts';
import type { Udev, UdevMessage } from './udev.ts';

/** What the manager knows of one device. */
interface ManagedLink {
  link: LinkInfo | undefined;
  /** From udev; undefined until udev is through with the device. */
  properties: Readonly<Record<string, string>> | undefined;
  decision: 'open' | 'managed' | 'unmanaged';
  client: DhcpClient | undefined;
}

type News = ({ readonly from: 'kernel' } & LinkMessage) | { readonly from: 'udev'; readonly message: UdevMessage };

export class Manager {
  private readonly sim: Simulation;
  private readonly uapi: LinuxUapi;
  private readonly latency: Latency;
  /** Without udev a device is ready as soon as the kernel tells of it, as in a container. */
  private readonly hasUdev: boolean;
  private readonly news: Queue<News>;
  private readonly links = new Map<number, ManagedLink>();
  private nextTransactionId = 1;

  constructor(sim: Simulation, uapi: LinuxUapi, latency: Latency, udev: Udev | undefined) {
    this.sim = sim;
    this.uapi = uapi;
    this.latency = latency;
    this.hasUdev = udev !== undefined;
    this.news = new Queue(sim, 'manager news');
    const links = uapi.subscribeLinks('manager');
    this.passOn('manager netlink', links, (message) => ({ from: 'kernel', ...message }));
    if (udev !== undefined) {
      this.passOn('manager udev', udev.subscribe('manager'), (message) => ({ from: 'udev', message }));
    }
    sim.spawn('manager', 'user', this.run(), { daemon: true });
  }

  /** Brings what comes into the one queue that the manager reads, each after the time that it takes to react. */
  private passOn<T>(name: string, from: Queue<T>, news: (item: T) => News): void {
    this.sim.spawn(name, 'user', this.pass(from, news), { daemon: true });
  }

  private *pass<T>(from: Queue<T>, news: (item: T) => News): Task {
    for (;;) {
      const item = news(yield* from.take());
      this.sim.after(this.latency.of('manager.react'), () => this.news.inject(item));
    }
  }

  private *run(): Task {
    for (const link of yield* this.uapi.dumpLinks()) yield* this.onLink(link);
    for (;;) {
      const news = yield* this.news.take();
      if (news.from === 'udev') yield* this.onUdev(news.message);
      else if (news.message === 'new') yield* this.onLink(news.link);
      else yield* this.forget(news.link.ifindex);
    }
  }

  private *onUdev({ action, ifindex, properties }: UdevMessage): Task {
    if (action === 'remove') return;
    const managed = this.of(ifindex);
    managed.properties = properties;
    yield* this.consider(managed);
  }

  private *onLink(link: LinkInfo): Task {
    const managed = this.of(link.ifindex);
    managed.link = link;
    yield* this.consider(managed);
  }

  private *forget(ifindex: number): Task {
    const client = this.links.get(ifindex)?.client;
    this.links.delete(ifindex);
    if (client !== undefined) yield* client.stop();
  }

  private of(ifindex: number): ManagedLink {
    let managed = this.links.get(ifindex);
    if (managed === undefined) {
      managed = { link: undefined, properties: undefined, decision: 'open', client: undefined };
      this.links.set(ifindex, managed);
    }
    return managed;
  }

  private *consider(managed: ManagedLink): Task {
    const { link } = managed;
    if (link === undefined || (link.flags & IFF.LOOPBACK) !== 0) return;
    if (managed.decision === 'open') {
      if (this.hasUdev && managed.properties === undefined) return;
      yield* this.decide(managed, link);
    }
    if (managed.decision === 'managed') yield* this.configure(managed, known(managed.link, 'the link'));
  }

  private *decide(managed: ManagedLink, link: LinkInfo): Task {
    const isMarked = managed.properties?.['NM_UNMANAGED'] === '1';
    managed.decision = isMarked ? 'unmanaged' : 'managed';
    const why = isMarked ? 'NM_UNMANAGED=1' : 'an Ethernet device that no rule marks';
    this.sim.trace.emit({ kind: 'manager', dev: link.dev, ifname: link.ifname, decision: managed.decision, why });
    if (isMarked || (link.flags & IFF.UP) !== 0) return;
    const up = yield* this.uapi.execute({ do: 'up', ifname: link.ifname, ifindex: link.ifindex });
    if (up.ok) return;
    this.sim.trace.emit({ kind: 'manager', dev: link.dev, ifname: link.ifname, decision: 'up-failed', why: up.error });
  }

  /** Starts or ends DHCP with the carrier. */
  private *configure(managed: ManagedLink, link: LinkInfo): Task {
    const isUsable = (link.flags & IFF.UP) !== 0 && link.carrier;
    if (!isUsable) {
      const { client } = managed;
      managed.client = undefined;
      if (client !== undefined) yield* client.stop();
      return;
    }
    if (managed.client !== undefined) return;
    const socket = yield* this.uapi.openPacket(link.ifname, `dhcp ${link.dev}`);
    if (!socket.ok) return;
    managed.client = new DhcpClient(
      this.sim,
      { dev: link.dev, mac: link.mac, socket: socket.value },
      { retry: this.latency.of('dhcp.retry'), transactionId: this.nextTransactionId++ },
    );
  }
}
