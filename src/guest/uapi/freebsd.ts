/** What FreeBSD shows user mode beside the generic core: the routing socket, netlink, devctl, sysctl and ioctl. */
import type { MacAddress } from '../../base/mac.ts';
import type { Result } from '../../base/result.ts';
import type { Task } from '../../sim/operation.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Errno } from './errno.ts';
import type { GuestUapi } from './uapi.ts';

/** Interface flags (sys/net/if.h). DYING and RENAMING are kept by the stack; RUNNING and OACTIVE by the driver. */
export const IFF = {
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  OACTIVE: 0x400,
  SIMPLEX: 0x800,
  MULTICAST: 0x8000,
  DYING: 0x200000,
  RENAMING: 0x400000,
} as const;

/** IFF_CANTCHANGE (sys/net/if.h): what SIOCSIFFLAGS leaves as it is. */
export const IFF_CANTCHANGE =
  IFF.BROADCAST |
  IFF.POINTOPOINT |
  IFF.RUNNING |
  IFF.OACTIVE |
  IFF.SIMPLEX |
  IFF.MULTICAST |
  IFF.ALLMULTI |
  IFF.PROMISC |
  IFF.DYING;

/** IFCAP_* (sys/net/if.h), of those that a synthetic NIC or a VF has. */
export const IFCAP = {
  RXCSUM: 0x1,
  TXCSUM: 0x2,
  VLAN_MTU: 0x8,
  VLAN_HWTAGGING: 0x10,
  JUMBO_MTU: 0x20,
  TSO4: 0x100,
  TSO6: 0x200,
  LRO: 0x400,
  LINKSTATE: 0x80000,
} as const;

/** A message of the routing socket (route(4)), of those that are about interfaces. */
export type RoutingMessage =
  | { readonly message: 'RTM_IFANNOUNCE'; readonly what: 'arrival' | 'departure'; readonly link: IfLink }
  | { readonly message: 'RTM_IFINFO'; readonly link: IfLink }
  | { readonly message: 'RTM_NEWADDR' | 'RTM_DELADDR'; readonly link: IfLink; readonly address: string }
  /** A route came or went, in one FIB; `link` is the interface that it leads out by. */
  | {
      readonly message: 'RTM_ADD' | 'RTM_DELETE';
      readonly link: IfLink;
      readonly destination: string;
      readonly fib: number;
    }
  | { readonly message: 'RTM_NEWMADDR' | 'RTM_DELMADDR'; readonly link: IfLink; readonly address: string };

/** What a message or a listing tells of an interface. */
export interface IfLink {
  readonly ifname: string;
  readonly ifindex: number;
  /** The stack's flags and the driver's, as SIOCGIFFLAGS gives them. */
  readonly flags: number;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly link: 'unknown' | 'down' | 'up';
  /** Vnet whose message it is. */
  readonly vnet: string;
  /** The scenario's name for the device, for traces; no program sees it. */
  readonly dev: string;
}

/** A notification to devd (devctl(4)): `!system=IFNET subsystem=em0 type=ATTACH`. */
export interface DevctlNotice {
  readonly system: string;
  readonly subsystem: string;
  readonly type: string;
  readonly data: string;
  readonly dev: string;
}

/** What a program that runs in a vnet can ask for; without a name it runs in the default one. */
export interface FreebsdUapi extends GuestUapi {
  /** A routing socket in a vnet: it gets every message from now on. */
  subscribeRouting(name: string, vnet?: string): Queue<RoutingMessage>;
  /** /dev/devctl, as devd reads it: there is one, for the whole machine. */
  subscribeDevctl(name: string): Queue<DevctlNotice>;
  /** SIOCGIFCONF, `ifconfig -l`: the names on the list, in the order of attaching. */
  listInterfaces(vnet?: string): Task<readonly string[]>;
  /** if_nametoindex(3): ENXIO when there is none. */
  nameToIndex(ifname: string, vnet?: string): Task<Result<number, Errno>>;
  /** if_indextoname(3), by the index table and not by the list: it answers for what is not listed too. */
  indexToName(ifindex: number, vnet?: string): Task<Result<string, Errno>>;
  /**
   * SIOCIFCREATE2, `ifconfig tap create`: gives the name that came of it. EINVAL when no cloner takes it for its own,
   * EEXIST when the name or its number is taken, ENOSPC when there is no such number or none left.
   */
  createInterface(ifname: string, vnet?: string): Task<Result<string, Errno>>;
  /** sysctl hw.hn.vf_transparent, which is set before the kernel starts. */
  readonly vfTransparent: boolean;
  /** sysctl net.link.generic.system.ifcount. */
  interfaceCount(vnet?: string): Task<number>;
}
