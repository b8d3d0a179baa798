/**
 * Virtual devices that user mode makes and deletes, and masters that it gives devices to: RTM_NEWLINK, RTM_DELLINK and
 * IFLA_MASTER. Source: net/core/rtnetlink.c (rtnl_newlink(), rtnl_delete_link(), do_set_master(), do_setlink()).
 * What this leaves out: kinds that load their module when they are asked for, attributes of a kind, changes of a device
 * that RTM_NEWLINK finds.
 */
import { type MacAddress, mac } from '../../base/mac.ts';
import type { Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import { IFF } from '../uapi/linux.ts';
import type { FlagChoice, NewLink } from '../uapi/uapi.ts';
import { ADDR_ASSIGN, NAME_ASSIGN, type Netdev } from './netdev.ts';
import type { NetNamespace } from './netns.ts';
import type { Registry } from './registry.ts';

/** struct rtnl_link_ops. */
export interface LinkKind {
  /** `dummy`: what `ip link add type` says, and the beginning of a name that nobody chose. */
  readonly name: string;
  /** The device, not registered yet. `dev`: its name in traces. */
  readonly make: (dev: string, address: LinkAddress) => Netdev;
  /** What follows its registration (newlink). */
  readonly started?: (dev: Netdev) => Task;
}

export interface LinkAddress {
  readonly mac: MacAddress;
  readonly addrAssignType: number;
}

export class LinkKinds {
  private readonly kinds = new Map<string, LinkKind>();
  private addresses = 0;

  /** rtnl_link_register(). */
  add(kind: LinkKind): void {
    this.kinds.set(kind.name, kind);
  }

  find(name: string): LinkKind | undefined {
    return this.kinds.get(name);
  }

  /** rtnl_link_unregister(): the kind's devices go with it. The caller holds the RTNL. */
  *remove(net: Registry, kind: LinkKind): Task {
    this.kinds.delete(kind.name);
    yield* net.unregisterMany([...net.devices()].filter((dev) => dev.kind === kind));
  }

  /** eth_hw_addr_random(): a local address. The kernel draws them; here the next number does, under an invented prefix. */
  randomMac(): MacAddress {
    this.addresses++;
    const digits = this.addresses.toString(16).padStart(8, '0');
    return mac(`f2:00:${(digits.match(/../g) ?? []).join(':')}`);
  }
}

/** rtnl_newlink() for a device that there is not. The caller holds the RTNL. */
export function* addLink(net: Registry, netns: NetNamespace, wanted: NewLink): Task<Errno | undefined> {
  const { ifname, ifindex = 0, mac: address } = wanted;
  const taken = [...netns.devices].some((dev) => dev.ifindex === ifindex || dev.name === ifname);
  if (taken) return 'EEXIST';
  const kind = net.linkKinds.find(wanted.kind);
  if (kind === undefined) return 'EOPNOTSUPP';
  const dev = kind.make(ifname ?? `${kind.name} of ${netns.name}`, {
    mac: address ?? net.linkKinds.randomMac(),
    addrAssignType: address === undefined ? ADDR_ASSIGN.random : ADDR_ASSIGN.set,
  });
  dev.netns = netns;
  dev.ifindex = ifindex;
  if (ifname !== undefined) {
    dev.name = ifname;
    dev.nameAssignType = NAME_ASSIGN.user;
  }
  const errno = yield* net.register(dev);
  if (errno !== undefined) return errno;
  if (kind.started !== undefined) yield* kind.started(dev);
  yield* net.rtnetlink.newLink(dev, 'rtnl_newlink');
  return undefined;
}

/** rtnl_delete_link(). */
export function* deleteLink(net: Registry, dev: Netdev): Task<Errno | undefined> {
  if (dev.kind === undefined) return 'EOPNOTSUPP';
  yield* net.unregisterMany([dev]);
  return undefined;
}

/** do_set_master(): from one master to another, or to none. */
export function* setMaster(net: Registry, dev: Netdev, ifname: string | undefined): Task<Errno | undefined> {
  const wanted = ifname === undefined ? undefined : dev.netns?.names.find(ifname);
  const { master: present } = dev;
  if (present !== undefined) {
    if (present === wanted) return undefined;
    if (present.ops.delSlave === undefined) return 'EOPNOTSUPP';
    const errno = yield* present.ops.delSlave(dev);
    if (errno !== undefined) return errno;
  }
  if (ifname === undefined) return undefined;
  if (wanted === undefined) return 'EINVAL';
  if (wanted.ops.addSlave === undefined) return 'EOPNOTSUPP';
  net.rtnl.assertHeld('do_set_master');
  return yield* wanted.ops.addSlave(dev);
}

const CHOSEN: readonly (readonly [keyof FlagChoice, number, boolean])[] = [
  ['up', IFF.UP, true],
  ['promisc', IFF.PROMISC, true],
  ['allmulti', IFF.ALLMULTI, true],
  ['multicast', IFF.MULTICAST, true],
  ['arp', IFF.NOARP, false], // `arp on` is the flag off
];

/** rtnl_dev_combine_flags(): what the device has, with what is asked for. */
export function wantedFlags(dev: Netdev, choice: FlagChoice): number {
  const asked = IFF.PROMISC | IFF.ALLMULTI;
  let flags = (dev.flags.now & ~asked) | (dev.gflags & asked);
  for (const [key, bit, sense] of CHOSEN) {
    if (choice[key] !== undefined) flags = choice[key] === sense ? flags | bit : flags & ~bit;
  }
  return flags;
}
