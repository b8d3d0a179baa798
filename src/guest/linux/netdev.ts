import type { MacAddress } from '../../base/mac.ts';
import { ZERO_MAC } from '../../base/mac.ts';
import { Cell } from '../../sim/cell.ts';
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';
import { IFF } from '../uapi/linux.ts';
import type { LinkKind } from './links.ts';
import type { NetNamespace } from './netns.ts';

/** enum netreg_state (linux/netdevice.h). */
export type RegState = 'uninitialized' | 'registered' | 'unregistering' | 'unregistered' | 'released';

/** Who chose the name: `name_assign_type` in sysfs (uapi/linux/netdevice.h, NET_NAME_*). */
export const NAME_ASSIGN = { enumerated: 1, predictable: 2, user: 3, renamed: 4 } as const;

/** Who chose the address: `addr_assign_type` in sysfs (uapi/linux/netdevice.h, NET_ADDR_*). */
export const ADDR_ASSIGN = { permanent: 0, random: 1, stolen: 2, set: 3 } as const;

/** Bits of `priv_flags` (linux/netdevice.h): a bond or its slave; the other since 6.2. */
export const IFF_BONDING = 1 << 2;
export const IFF_NO_ADDRCONF = 1 << 30;

/** RFC 2863 state (dev->operstate), of those that are modelled. `unknown`: nobody has ever looked. */
export type Operstate = 'unknown' | 'down' | 'up';

/** struct net_device_ops, as far as the registry and the packet path call it. All but `startXmit` under RTNL. */
export interface NetdevOps {
  readonly open: () => Task<Errno | undefined>;
  readonly stop: () => Task;
  readonly startXmit: (frame: Uint8Array) => Task;
  /** Absent: any MTU in range is taken without further ado. */
  readonly changeMtu?: (mtu: number) => Task<Errno | undefined>;
  /** PROMISC, ALLMULTI or the address lists changed. */
  readonly setRxMode?: () => Task;
  /** ndo_change_rx_flags: PROMISC or ALLMULTI came or went. */
  readonly changeRxFlags?: (changed: number) => Task;
  /** ndo_set_mac_address; it is also who writes `devAddr`. Absent: EOPNOTSUPP. */
  readonly setMac?: (mac: MacAddress) => Task<Errno | undefined>;
  /** ndo_add_slave and ndo_del_slave. Absent: the device cannot be a master for user mode (EOPNOTSUPP). */
  readonly addSlave?: (slave: Netdev) => Task<Errno | undefined>;
  readonly delSlave?: (slave: Netdev) => Task<Errno | undefined>;
  /** ndo_uninit: on its way out, between NETDEV_UNREGISTER and RTM_DELLINK. */
  readonly uninit?: () => Task;
}

/** Where a device hangs in /sys/devices: its parent's path, its driver, and the PCI slot for those that have one. */
export interface ParentDevice {
  readonly bus: 'vmbus' | 'pci';
  /** `VMBUS:00/<guid>` or `VMBUS:00/<guid>/pci0001:00/0001:00:02.0`, below the ACPI part. */
  readonly path: string;
  readonly driver: string;
  readonly pci?: PciParent;
}

export interface PciParent {
  readonly domain: number;
  readonly device: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Name of the slot object: the decimal serial number, or with "-1" behind it after a clash; undefined without one. */
  readonly slotName: () => string | undefined;
}

/** What an Ethernet frame carries (uapi/linux/if_ether.h). */
const ETH_DATA_LEN = 1500;

/** Takes a frame that came in on a slave before anybody else sees it (netdev_rx_handler_register). */
export type RxHandler = (frame: Uint8Array) => Netdev;

/**
 * struct net_device: one network interface. What only RTNL holders touch is plain; what others read without a lock is
 * a cell, so that each such read is a visible step.
 */
export class Netdev {
  /** The scenario's name: `nic1`, `nic1.vf`. The guest does not know it. */
  readonly dev: string;
  /** Undefined for a virtual device, which hangs below /sys/devices/virtual. */
  readonly parent: ParentDevice | undefined;
  /** rtnl_link_ops: what user mode made it as, and can delete it as. */
  readonly kind: LinkKind | undefined;
  readonly ops: NetdevOps;
  nameAssignType: number = NAME_ASSIGN.enumerated;
  addrAssignType: number;
  ifindex = 0;
  devAddr: MacAddress;
  permAddr: MacAddress = ZERO_MAC;
  /** `__LINK_STATE_START`: true during ndo_open already. netif_running(). */
  readonly running: Cell<boolean>;
  readonly carrier: Cell<boolean>;
  /** dev->flags, read without a lock by sysfs and by packet paths. */
  readonly flags: Cell<number>;
  privFlags: number;
  /** NETIF_F_NETNS_LOCAL: it cannot move to another namespace. */
  readonly isLocal: boolean;
  /** What user mode has asked for of PROMISC and ALLMULTI, and is shown: dev->gflags. */
  gflags = 0;
  readonly mtuMin: number;
  mtuMax: number;
  promiscuity = 0;
  allmulti = 0;
  readonly slaves: Netdev[] = [];
  /** Name template that registration expands: `eth%d`. */
  readonly template: string;
  /** Features are not modelled; that they change when a synthetic NIC gives a VF its own is told, once. RTNL. */
  hasFeaturesOfNic = false;
  /** Whether addrconf gave it an IPv6 address of its own. */
  hasLinkLocal = false;

  private ownName = '';
  private ownNetns: NetNamespace | undefined;
  private ownMaster: Netdev | undefined;
  private ownState: RegState = 'uninitialized';
  private ownOperstate: Operstate = 'unknown';
  private ownMtu = ETH_DATA_LEN;
  private ownRxHandler: RxHandler | undefined;
  private readonly ownSockets: Queue<Uint8Array>[] = [];
  /** For the fields above: written under RTNL, and read without it in the middle of other steps. */
  private readonly unlocked: Place;
  private ownMasterLink: Cell<Netdev | undefined> | undefined;
  private ownReferences: Cell<number> | undefined;
  private readonly sim: Simulation;

  constructor(
    sim: Simulation,
    options: {
      readonly dev: string;
      readonly parent?: ParentDevice;
      readonly kind?: LinkKind;
      readonly ops: NetdevOps;
      readonly mac: MacAddress;
      readonly addrAssignType?: number;
      readonly mtuMin: number;
      readonly mtuMax?: number;
      /** Default: those that ether_setup() gives (net/ethernet/eth.c). */
      readonly flags?: number;
      readonly privFlags?: number;
      readonly isLocal?: boolean;
      /** Default: none, as of a NIC whose link has not come up. */
      readonly carrier?: boolean;
    },
  ) {
    const { dev, parent, kind, ops, mac, mtuMin, mtuMax = ETH_DATA_LEN } = options;
    this.sim = sim;
    this.unlocked = new Place(sim);
    this.dev = dev;
    this.parent = parent;
    this.kind = kind;
    this.template = `${kind?.name ?? 'eth'}%d`;
    this.ops = ops;
    this.devAddr = mac;
    this.addrAssignType = options.addrAssignType ?? ADDR_ASSIGN.permanent;
    this.privFlags = options.privFlags ?? 0;
    this.isLocal = options.isLocal ?? false;
    this.mtuMin = mtuMin;
    this.mtuMax = mtuMax;
    this.running = new Cell(sim, `${dev}.running`, false);
    this.carrier = new Cell(sim, `${dev}.carrier`, options.carrier ?? false);
    this.flags = new Cell<number>(sim, `${dev}.flags`, options.flags ?? IFF.BROADCAST | IFF.MULTICAST);
  }

  /** Empty until the registry has chosen one. */
  get name(): string {
    this.unlocked.read();
    return this.ownName;
  }

  set name(name: string) {
    this.unlocked.write();
    this.ownName = name;
  }

  /** Where it is registered; set by the registry. */
  get netns(): NetNamespace | undefined {
    this.unlocked.read();
    return this.ownNetns;
  }

  set netns(netns: NetNamespace | undefined) {
    this.unlocked.write();
    this.ownNetns = netns;
  }

  get master(): Netdev | undefined {
    this.unlocked.read();
    return this.ownMaster;
  }

  set master(master: Netdev | undefined) {
    this.unlocked.write();
    this.ownMaster = master;
  }

  get state(): RegState {
    this.unlocked.read();
    return this.ownState;
  }

  set state(state: RegState) {
    this.unlocked.write();
    this.ownState = state;
  }

  get operstate(): Operstate {
    this.unlocked.read();
    return this.ownOperstate;
  }

  set operstate(operstate: Operstate) {
    this.unlocked.write();
    this.ownOperstate = operstate;
  }

  get mtu(): number {
    this.unlocked.read();
    return this.ownMtu;
  }

  set mtu(mtu: number) {
    this.unlocked.write();
    this.ownMtu = mtu;
  }

  /** Takes the frames of a slave for its master. */
  get rxHandler(): RxHandler | undefined {
    this.unlocked.read();
    return this.ownRxHandler;
  }

  set rxHandler(handler: RxHandler | undefined) {
    this.unlocked.write();
    this.ownRxHandler = handler;
  }

  /** Packet sockets that are bound to the device. */
  get sockets(): readonly Queue<Uint8Array>[] {
    this.unlocked.read();
    return this.ownSockets;
  }

  bind(socket: Queue<Uint8Array>): void {
    this.unlocked.write();
    this.ownSockets.push(socket);
  }

  unbind(socket: Queue<Uint8Array>): void {
    this.unlocked.write();
    const at = this.ownSockets.indexOf(socket);
    if (at !== -1) this.ownSockets.splice(at, 1);
  }

  /** The `master` link in sysfs. Made when it is first asked for: of very many devices hardly any has one. */
  get masterLink(): Cell<Netdev | undefined> {
    this.ownMasterLink ??= new Cell<Netdev | undefined>(this.sim, `${this.dev}.master`, undefined, devOf);
    return this.ownMasterLink;
  }

  /** References that others hold; the end of unregistration waits until there are none. Made when it is asked for. */
  get references(): Cell<number> {
    this.ownReferences ??= new Cell(this.sim, `${this.dev}.references`, 0);
    return this.ownReferences;
  }

  get up(): boolean {
    return (this.flags.now & IFF.UP) !== 0;
  }
}

const devOf = (netdev: Netdev | undefined): string => netdev?.dev ?? 'none';
