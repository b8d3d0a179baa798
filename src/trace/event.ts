/**
 * Everything that can happen, as one table. An event is flat (text, numbers, truth values), so that the recorder, the
 * protobuf codec, `--json` and `trace --diff` need to know no kind by name; only the timeline tells each in words.
 * NICs are called by their scenario name (`nic1`, `nic1.vf`) in `dev` and `nic`, whatever the guest calls them.
 */

/** Whose side of the bus a message comes from. */
export type Side = 'host' | 'guest';

/** The path that frames take between the guest and the switch. */
export type Path = 'vf' | 'synthetic';

/** How grave a guest kernel's log line is (linux/kern_levels.h). */
export type LogLevel = 'err' | 'warn' | 'notice' | 'info';

/** What each kind of event tells. */
export interface EventFields {
  // -- scenario --
  'scenario.step': { line: number; text: string };
  'scenario.expect': { line: number; text: string; held: boolean; found: string };
  /** `since` and `sinceStep`: the earlier of the two moments that together break the invariant. */
  'invariant.violated': { invariant: string; dev: string; found: string; since: number; sinceStep: number };
  'invariant.exempt': { invariant: string; dev: string; why: string };
  // -- wire: one event a message that crosses the bus --
  'vmbus.message': { from: Side; name: string; dev: string; detail: string };
  'nvsp.message': { from: Side; name: string; nic: string; detail: string };
  'rndis.message': { from: Side; name: string; nic: string; detail: string };
  'vpci.message': { from: Side; name: string; dev: string; detail: string };
  'wire.malformed': { from: Side; protocol: string; problem: string; dev: string; detail: string };
  // -- host --
  'host.action': { action: string; dev: string };
  'host.refused': { dev: string; what: string; why: string };
  'host.vf': { dev: string; state: string };
  'host.datapath': { nic: string; path: Path; why: string };
  'host.timeout': { dev: string; what: string; after: number };
  /** A firmware update goes from phase to phase: `steady`, `revoke`, `gap`, `return`, `done`. */
  'servicing.phase': { phase: string; round: number };
  /**
   * A fault that was armed strikes. `drop`, `delay`, `duplicate`, `reorder`, `silence`: `what` is the message; `fail`: the
   * request to the host, or the guest's own call. `side` is the one that goes wrong.
   */
  fault: { fault: string; side: Side; dev: string; what: string; detail: string };
  // -- VF hardware --
  'vf.alive': { dev: string; alive: boolean };
  'vf.link': { dev: string; up: boolean };
  // -- guest: registry --
  notifier: { event: string; dev: string; notifier: string; verdict: string };
  /** A channel through which user mode can see the device: `sysfs`, `ioctl`, `rtnetlink`. */
  'netdev.visible': { dev: string; channel: string; visible: boolean; ifname: string; ifindex: number; flags: number };
  /**
   * `reg_state` as the kernel has it (`uninitialized`, `registered`, `unregistering`, `unregistered`), and `post-init`
   * for the moment at which NETDEV_POST_INIT is about to be raised.
   */
  'netdev.state': { dev: string; state: string; ifname: string; ifindex: number; mac: string };
  'netdev.flags': { dev: string; flags: number; gained: string; lost: string };
  'netdev.renamed': { dev: string; from: string; to: string };
  'netdev.netns': { dev: string; from: string; to: string; ifname: string; ifindex: number };
  'netdev.mtu': { dev: string; mtu: number };
  'netdev.mac': { dev: string; mac: string };
  /** What the interface can do for the stack, and what of it is on, as the guest's own bits; and what it was before. */
  'netdev.capabilities': {
    dev: string;
    capabilities: number;
    enabled: number;
    wasCapable: number;
    wasEnabled: number;
  };
  'netdev.carrier': { dev: string; up: boolean };
  'netdev.master': { dev: string; master: string };
  'netdev.error': { dev: string; what: string; errno: string };
  /** A device was unregistered at `since` and cannot go, for so many references are held: each time the kernel complains. */
  'netdev.held': { dev: string; references: number; since: number; sinceStep: number };
  /** The RTNL is released after a second or more (reference E.5); `since` and `sinceStep`: when it was taken. */
  'rtnl.held': { held: number; since: number; sinceStep: number };
  /** The kernel has stopped for good. */
  panic: { dev: string; what: string };
  'ipv6.address': { dev: string; address: string; held: boolean };
  uevent: { action: string; dev: string; ifname: string; ifindex: number; flags: number };
  rtnetlink: {
    message: 'RTM_NEWLINK' | 'RTM_DELLINK';
    dev: string;
    ifname: string;
    ifindex: number;
    flags: number;
    master: string;
    cause: string;
  };
  // -- guest: FreeBSD's registry --
  /**
   * A part of an interface's life (reference A.14): `allocated`, `attached`, `renaming`, `unlinked`, `moving`,
   * `index-freed`, `zombie`, `freed`.
   */
  'ifnet.state': { dev: string; state: string; ifname: string; ifindex: number; generation: number; vnet: string };
  /** A way in which it can be found, `name` or `index`, opens or closes. */
  'ifnet.visible': {
    dev: string;
    channel: string;
    visible: boolean;
    ifname: string;
    ifindex: number;
    vnet: string;
  };
  /** A look-up by number gives a reference to an interface that is in this part of its life. */
  'ifnet.referenced': { dev: string; state: string; ifindex: number; vnet: string };
  /** An interface to be taken off the list of a vnet was not there: how many the kernel counts now, and how many there are. */
  'vnet.count': { vnet: string; count: number; listed: number };
  eventhandler: { event: string; dev: string; handler: string; detail: string };
  /** Slots that the kernel would have gone through in an index table, to `allocate` a number or for `ifcount`. */
  'ifindex.scan': { table: string; what: string; scanned: number; found: number };
  'ifindex.grow': { table: string; capacity: number };
  /** A message of the routing socket: `RTM_IFANNOUNCE` and its kin; `what`: `arrival`, `departure`, or an address. */
  routing: {
    message: string;
    what: string;
    dev: string;
    ifname: string;
    ifindex: number;
    flags: number;
    vnet: string;
  };
  devctl: { system: string; subsystem: string; type: string; data: string; dev: string };
  vnet: { vnet: string; state: string };
  /** A packet that has waited goes on in `vnet`; the interface that it came by is in `interfaceIn` now. */
  'packet.input': { dev: string; vnet: string; interfaceIn: string };
  /** WITNESS: a lock is taken in the wrong order (`reversal`), or a thread may sleep that must not (`sleeps`). */
  'lock.order': { problem: string; thread: string; holds: string; takes: string };
  /** Memory is used that is not there: `use after free`, `double free`, `null dereference`, `overflow`. */
  'memory.fault': { fault: string; dev: string; what: string; by: string; freedBy: string };
  /** A claim of the kernel's own does not hold: with INVARIANTS it stops there, and else it goes on. */
  'kernel.assert': { dev: string; what: string };
  /** A thread is in a loop without an end. */
  'kernel.spin': { dev: string; what: string };
  // -- guest: drivers --
  log: { level: LogLevel; dev: string; text: string };
  module: { module: string; loaded: boolean };
  'driver.bound': { dev: string; driver: string; bound: boolean };
  'guest.datapath': { nic: string; path: Path };
  /** A synthetic NIC enters or leaves hv_netvsc's list: from here on a VF can be matched with it. */
  'netvsc.listed': { nic: string; mac: string; listed: boolean };
  'netvsc.vf': { nic: string; dev: string; joined: boolean };
  /** hv_netvsc sends a frame by the VF although its data path is the synthetic one. */
  'netvsc.stray': { nic: string; dev: string };
  /** A PCI slot did not get the name that was wanted for it, because another slot has that name. */
  'pci.slot-taken': { dev: string; wanted: string; slot: string };
  // -- user mode --
  'udev.rule': { dev: string; ifname: string; flags: number; unmanaged: boolean; rule: string };
  'udev.name': { dev: string; from: string; to: string; outcome: string };
  /** A rule of devd starts a script for an interface. */
  devd: { dev: string; ifname: string; action: string };
  /** The manager of jails has asked for something; `outcome` is `done` or an errno. */
  jail: { dev: string; what: string; outcome: string };
  /** A program went through all interfaces: `unlisted` answer to their number alone, `gone` were listed when it began. */
  ifscan: { listed: number; most: number; holes: number; unlisted: string; gone: string };
  manager: { dev: string; ifname: string; decision: string; why: string };
  dhcp: { dev: string; message: string; mac: string; address: string };
  lease: { dev: string; mac: string; address: string; held: boolean };
  'cloud-init': { version: string; outcome: string; detail: string };
  flow: { flow: string; dev: string; state: string; detail: string };
  'frame.lost': { flow: string; direction: 'tx' | 'rx'; id: number; path: Path; where: string };
  // -- the machine as a whole --
  'sim.stuck': { problem: string; detail: string };
  /** A task has waited for very long, or will for ever, at an operation on an object that `heldBy` has, if anybody. */
  'task.hung': {
    task: string;
    operation: string;
    object: string;
    heldBy: string;
    forEver: boolean;
    since: number;
    sinceStep: number;
  };
  /** Nothing can happen any more, and yet a ring holds something that its reader, `host` or `guest`, was not told of. */
  'ring.unread': { dev: string; reader: Side };
}

export type EventKind = keyof EventFields;
export type EventOf<K extends EventKind> = Stamp & { readonly kind: K } & Readonly<EventFields[K]>;
export type EventBody = { [K in EventKind]: { readonly kind: K } & Readonly<EventFields[K]> }[EventKind];

/** Virtual time in nanoseconds, the number of the step in which it happened, and the context that did it. */
export interface Stamp {
  readonly time: number;
  readonly step: number;
  readonly context: string;
}

export type Event = Stamp & EventBody;
