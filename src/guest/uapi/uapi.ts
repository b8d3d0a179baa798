/**
 * What user mode can see of the network devices of any guest, and do to them. Each answer obeys the guest kernel's own
 * visibility rules at the moment it is given. Modelled observers (`src/user`) and scenario verbs stand on this; what is
 * a guest's own lies beside it (`linux.ts`).
 */
import type { MacAddress } from '../../base/mac.ts';
import type { Result } from '../../base/result.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Errno } from './errno.ts';

/** A link as a dump or a notification shows it. */
export interface LinkInfo {
  readonly ifname: string;
  readonly ifindex: number;
  /** Interface flags with those that the kernel adds when it reports (RUNNING, LOWER_UP). */
  readonly flags: number;
  readonly mac: MacAddress;
  readonly mtu: number;
  /** ifindex of the master; 0 when there is none. */
  readonly master: number;
  readonly carrier: boolean;
  /** RFC 2863 state; `down` of a device that does not run. */
  readonly operstate: 'unknown' | 'down' | 'up';
  /** The scenario's name for the device, for traces; no program sees it. */
  readonly dev: string;
}

/** A multicast notification about a link. */
export interface LinkMessage {
  readonly message: 'new' | 'del';
  readonly link: LinkInfo;
  /** What brought it about, where the message names that (IFLA_EVENT), as iproute2 prints it; else empty. */
  readonly event: string;
  /** Namespace that it is told in. */
  readonly netns: string;
  /** With `del`: the device is not gone, but there now, and has this index there. */
  readonly movedTo: { readonly netns: string; readonly ifindex: number } | undefined;
}

/** A device by the name that it has now. Where `ifindex` is given it is that device or ENODEV, whatever bears the name
 * meanwhile: udev and managers ask by index (ifi_index of a netlink request), an administrator by name. */
interface LinkChoice {
  readonly ifname: string;
  readonly ifindex?: number;
  /** Namespace that the command runs in; init_net when it is left out. */
  readonly netns?: string;
}

/** What an administrator or a program makes the guest do. */
export type GuestCommand =
  | { readonly do: 'load'; readonly module: string }
  | { readonly do: 'unload'; readonly module: string }
  | ({ readonly do: 'up' } & LinkChoice)
  | ({ readonly do: 'down' } & LinkChoice)
  | ({ readonly do: 'mtu'; readonly mtu: number } & LinkChoice)
  | ({ readonly do: 'rename'; readonly to: string } & LinkChoice)
  | ({ readonly do: 'address'; readonly mac: MacAddress } & LinkChoice)
  /** One change of flags; what is left out stays. */
  | ({ readonly do: 'flags'; readonly flags: FlagChoice } & LinkChoice)
  /** Moves it to a namespace, which is made when it is new. `as`: under that name. */
  | ({ readonly do: 'move-netns'; readonly to: string; readonly as?: string } & LinkChoice)
  /** Takes it back from a namespace, in which it has this name, to that of the command. */
  | ({ readonly do: 'reclaim-netns'; readonly from: string } & LinkChoice)
  | ({ readonly do: 'add-address'; readonly address: string } & LinkChoice)
  | ({ readonly do: 'remove-address'; readonly address: string } & LinkChoice)
  /** A program sends a datagram, by the interface of a number or to wherever a route leads. */
  | { readonly do: 'send'; readonly way: WayOut; readonly netns?: string }
  /** A program opens the device of a tun, tap or vmnet, and never closes it. */
  | ({ readonly do: 'open' } & LinkChoice)
  /** A socket joins a multicast group on the interface of a number. */
  | { readonly do: 'join'; readonly group: string; readonly ifindex: number; readonly netns?: string }
  /** Programs of whom a socket is in the group end. */
  | { readonly do: 'leave'; readonly group: string; readonly netns?: string }
  /** A socket is bound to an address of the guest. */
  | { readonly do: 'bind'; readonly address: string; readonly netns?: string }
  /** A program (natd) gets all packets from the firewall, and writes each back on its way. */
  | { readonly do: 'divert'; readonly way: 'out' | 'in'; readonly netns?: string }
  /** Whether whoever takes a packet in carries it on, or leaves it to another thread. */
  | { readonly do: 'dispatch'; readonly policy: 'direct' | 'deferred'; readonly netns?: string }
  /** Gives it to a master, or takes it from the one that it has. */
  | ({ readonly do: 'master'; readonly master: string | undefined } & LinkChoice)
  | ({ readonly do: 'delete-link' } & LinkChoice)
  /** Makes a virtual device; one without a name is `dummy0` and so on. */
  | ({ readonly do: 'add-link' } & NewLink)
  | { readonly do: 'add-netns'; readonly name: string }
  | { readonly do: 'delete-netns'; readonly name: string };

/** How a sender names the interface: by its number (a socket option, a scope), or by a destination that has a route. */
export type WayOut = { readonly index: number; readonly family: 'inet' | 'inet6' } | { readonly destination: string };

/** Flags that user mode can ask for (ip link set up, promisc, allmulticast, arp, multicast). */
export type FlagChoice = Readonly<Partial<Record<'up' | 'promisc' | 'allmulti' | 'arp' | 'multicast', boolean>>>;

/** What RTM_NEWLINK says of a device that there is not yet. */
export interface NewLink {
  /** `dummy`, `bond`: a module brings it. */
  readonly kind: string;
  readonly ifname?: string;
  readonly ifindex?: number;
  readonly mac?: MacAddress;
  readonly netns?: string;
}

/** A packet socket that is bound to one device and sees its whole frames. */
export interface PacketSocket {
  /** Sends one frame; ENETDOWN when the device is down, ENODEV when it is gone. */
  send(frame: Uint8Array): Task<Result<void, Errno>>;
  /** The frames that came in. */
  readonly received: Queue<Uint8Array>;
  close(): void;
}

export interface GuestUapi {
  /** A queue of its own that gets every link notification from now on. */
  subscribeLinks(name: string): Queue<LinkMessage>;
  /** All links, as `ip link` lists them. */
  dumpLinks(): Task<readonly LinkInfo[]>;
  execute(command: GuestCommand): Task<Result<void, Errno>>;
  /** A packet socket on the device of this name; ENODEV when there is none. */
  openPacket(ifname: string, name: string): Operation<Result<PacketSocket, Errno>>;
}
