/**
 * What rtnetlink tells and answers about links. Source: net/core/rtnetlink.c.
 * Silent about devices that are not registered; answers, single or dump, wait for the RTNL.
 * What this leaves out: attributes beyond LinkInfo, groups of listeners.
 */
import type { Task } from '../../sim/operation.ts';
import { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { IFF } from '../uapi/linux.ts';
import type { LinkInfo, LinkMessage } from '../uapi/uapi.ts';
import type { Netdev } from './netdev.ts';
import type { NetNamespace } from './netns.ts';
import type { NetdevEvent, NotifierBlock } from './notifier.ts';

/** The events for which rtnetlink's own notifier sends a RTM_NEWLINK (rtnetlink_event()). */
const TOLD = new Set<NetdevEvent>([
  'NETDEV_CHANGEMTU',
  'NETDEV_CHANGENAME',
  'NETDEV_FEAT_CHANGE',
  'NETDEV_NOTIFY_PEERS',
  'NETDEV_CHANGEUPPER',
]);

/** dev_get_flags(): the flags with what the kernel adds from the device's state. */
export function reportedFlags(dev: Netdev): number {
  let flags = dev.flags.now & ~(IFF.RUNNING | IFF.LOWER_UP | IFF.PROMISC | IFF.ALLMULTI);
  if (dev.promiscuity > 0) flags |= IFF.PROMISC;
  if (dev.allmulti > 0) flags |= IFF.ALLMULTI;
  if (dev.running.now && dev.carrier.now) flags |= IFF.RUNNING | IFF.LOWER_UP;
  return flags;
}

export function linkInfo(dev: Netdev): LinkInfo {
  return {
    ifname: dev.name,
    ifindex: dev.ifindex,
    flags: reportedFlags(dev),
    mac: dev.devAddr,
    mtu: dev.mtu,
    master: dev.master?.ifindex ?? 0,
    carrier: dev.carrier.now,
    dev: dev.dev,
  };
}

export class Rtnetlink {
  private readonly sim: Simulation;
  private readonly listeners: Queue<LinkMessage>[] = [];
  /** Registered at boot with priority 0, hence before any driver's notifier. */
  readonly notifier: NotifierBlock;

  private readonly heardIn: NetNamespace;

  /** Listeners hear of the links of one namespace. */
  constructor(sim: Simulation, heardIn: NetNamespace) {
    this.sim = sim;
    this.heardIn = heardIn;
    const notify: NotifierBlock['notify'] = (event, dev) => this.hear(event, dev);
    this.notifier = { name: 'rtnetlink', priority: 0, builtIn: true, notify };
  }

  subscribe(name: string): Queue<LinkMessage> {
    const queue = new Queue<LinkMessage>(this.sim, `links of ${name}`);
    this.listeners.push(queue);
    return queue;
  }

  /** RTM_NEWLINK, if the device is registered (rtmsg_ifinfo()). `cause`: the event or call behind it. */
  *newLink(dev: Netdev, cause: string): Task {
    if (dev.state !== 'registered') return;
    yield* this.send('RTM_NEWLINK', dev, cause);
  }

  /** RTM_DELLINK. `cause`: the device is unregistered, or moves to another namespace. */
  *delLink(dev: Netdev, cause: 'unregister_netdevice' | 'dev_change_net_namespace'): Task {
    yield* this.send('RTM_DELLINK', dev, cause);
  }

  private *hear(event: NetdevEvent, dev: Netdev): Task<'done'> {
    if (TOLD.has(event)) yield* this.newLink(dev, event);
    return 'done';
  }

  private *send(message: 'RTM_NEWLINK' | 'RTM_DELLINK', about: Netdev, cause: string): Task {
    const link = linkInfo(about);
    const { dev, ifname, ifindex, flags } = link;
    const master = about.master?.dev ?? '';
    this.sim.trace.emit({ kind: 'rtnetlink', message, dev, ifname, ifindex, flags, master, cause });
    if (about.netns !== this.heardIn) return;
    const note: LinkMessage = { message: message === 'RTM_NEWLINK' ? 'new' : 'del', link };
    for (const listener of this.listeners) yield* listener.put(note);
  }
}
