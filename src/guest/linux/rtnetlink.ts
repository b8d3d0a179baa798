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
  'NETDEV_CHANGEADDR',
  'NETDEV_CHANGENAME',
  'NETDEV_FEAT_CHANGE',
  'NETDEV_NOTIFY_PEERS',
  'NETDEV_CHANGEUPPER',
  'NETDEV_RESEND_IGMP',
  'NETDEV_CHANGELOWERSTATE',
]);

/** The causes that a message names in IFLA_EVENT (rtnl_get_event()), by iproute2's words for them. */
const NAMED: Readonly<Record<string, string>> = {
  NETDEV_FEAT_CHANGE: 'FEATURE CHANGE',
  NETDEV_NOTIFY_PEERS: 'NOTIFY PEERS',
  NETDEV_RESEND_IGMP: 'RESEND IGMP',
};

/** dev_get_flags(): the flags with what the kernel adds from the device's state, and of PROMISC what a user asked for. */
export function reportedFlags(dev: Netdev): number {
  const asked = IFF.PROMISC | IFF.ALLMULTI;
  let flags = (dev.flags.now & ~(IFF.RUNNING | IFF.LOWER_UP | asked)) | (dev.gflags & asked);
  if (dev.running.now && dev.operstate !== 'down') flags |= IFF.RUNNING;
  if (dev.running.now && dev.carrier.now) flags |= IFF.LOWER_UP;
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
    operstate: dev.running.now ? dev.operstate : 'down',
    dev: dev.dev,
  };
}

export class Rtnetlink {
  private readonly sim: Simulation;
  private readonly listeners: Listener<LinkMessage>[] = [];
  /** Registered at boot with priority 0, hence before any driver's notifier. */
  readonly notifier: NotifierBlock;

  private readonly init: NetNamespace;

  constructor(sim: Simulation, init: NetNamespace) {
    this.sim = sim;
    this.init = init;
    const notify: NotifierBlock['notify'] = (event, dev) => this.hear(event, dev);
    this.notifier = { name: 'rtnetlink', priority: 0, builtIn: true, notify };
  }

  /** @param where what is heard of: the links of one namespace (default: init_net), or of all (NETLINK_LISTEN_ALL_NSID). */
  subscribe(name: string, where: NetNamespace | 'all' = this.init): Queue<LinkMessage> {
    const queue = new Queue<LinkMessage>(this.sim, `links of ${name}`);
    this.listeners.push({ queue, where });
    return queue;
  }

  /** RTM_NEWLINK, if the device is registered (rtmsg_ifinfo()). `cause`: the event or call behind it. */
  *newLink(dev: Netdev, cause: string): Task {
    if (dev.state !== 'registered') return;
    yield* this.send('RTM_NEWLINK', dev, cause);
  }

  /**
   * RTM_DELLINK. `cause`: the device is unregistered, or moves to another namespace.
   * @param link what it says, where that was taken down earlier than it is sent.
   * @param movedTo where the device moves.
   */
  *delLink(
    dev: Netdev,
    cause: 'unregister_netdevice' | 'dev_change_net_namespace',
    { link = linkInfo(dev), movedTo }: { readonly link?: LinkInfo; readonly movedTo?: LinkMessage['movedTo'] } = {},
  ): Task {
    yield* this.send('RTM_DELLINK', dev, cause, link, movedTo);
  }

  private *hear(event: NetdevEvent, dev: Netdev): Task<'done'> {
    if (TOLD.has(event)) yield* this.newLink(dev, event);
    return 'done';
  }

  private *send(
    message: 'RTM_NEWLINK' | 'RTM_DELLINK',
    about: Netdev,
    cause: string,
    link = linkInfo(about),
    movedTo?: LinkMessage['movedTo'],
  ): Task {
    const { dev, ifname, ifindex, flags } = link;
    const master = about.master?.dev ?? '';
    this.sim.trace.emit({ kind: 'rtnetlink', message, dev, ifname, ifindex, flags, master, cause });
    const { netns } = about;
    if (netns === undefined) return;
    const note: LinkMessage = {
      message: message === 'RTM_NEWLINK' ? 'new' : 'del',
      link,
      event: NAMED[cause] ?? '',
      netns: netns.name,
      movedTo,
    };
    for (const { queue, where } of this.listeners) if (where === 'all' || where === netns) yield* queue.put(note);
  }
}

/** A socket that hears of one namespace, or of all. */
interface Listener<T> {
  readonly queue: Queue<T>;
  readonly where: NetNamespace | 'all';
}
