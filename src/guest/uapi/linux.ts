/** What Linux shows user mode beside the generic core: uevents and sysfs. */
import type { Result } from '../../base/result.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import type { Queue } from '../../sim/queue.ts';
import type { Errno } from './errno.ts';
import type { GuestUapi } from './uapi.ts';

/** Interface flags (uapi/linux/if.h). */
export const IFF = {
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MASTER: 0x400,
  SLAVE: 0x800,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
} as const;

const FLAG_NAMES: readonly (readonly [number, string])[] = Object.entries(IFF).map(([name, bit]) => [bit, name]);

/** `UP,SLAVE`: the names of the flags that are set, as far as they are known here. */
export const flagNames = (flags: number): string =>
  FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(',');

/** A kernel uevent of the `net` subsystem (lib/kobject_uevent.c). */
export interface Uevent {
  readonly action: 'add' | 'remove' | 'move';
  /** Path below /sys, without it: `/devices/LNXSYSTM:00/.../net/eth0`. */
  readonly devpath: string;
  /** The earlier path, with `move`. */
  readonly devpathOld: string;
  readonly ifname: string;
  readonly ifindex: number;
  /** The scenario's name for the device, for traces; no program sees it. */
  readonly dev: string;
}

/** Attributes of /sys/class/net/NAME that can be read as text, with the kernel's own format, without a newline. */
export type SysfsAttribute =
  | 'address'
  | 'addr_assign_type'
  | 'carrier'
  | 'dev_id'
  | 'dormant'
  | 'flags'
  | 'ifindex'
  | 'iflink'
  | 'mtu'
  | 'name_assign_type'
  | 'operstate'
  | 'tx_queue_len'
  | 'type';

/** Symbolic links of /sys/class/net/NAME; the answer is the last part of the target. */
export type SysfsLink = 'master' | 'device/driver' | 'device';

export interface LinuxUapi extends GuestUapi {
  /** A queue of its own that gets every uevent from now on, as udev's netlink socket does. */
  subscribeUevents(name: string): Queue<Uevent>;
  /** The names in /sys/class/net, in the order of the directory (here: of creation). */
  listNet(): Operation<readonly string[]>;
  /** One attribute, by path (a uevent's devpath) or by `/class/net/NAME`. ENOENT when the directory is gone, EINVAL
   * where the kernel gives it (carrier of a device that is down). */
  readAttribute(path: string, attribute: SysfsAttribute): Task<Result<string, Errno>>;
  /** Last part of a link's target; ENOENT when there is none. */
  readLink(path: string, link: SysfsLink): Task<Result<string, Errno>>;
  /** The PCI address and the decimal slot name behind a device; undefined for one that is no PCI function. */
  pciLocation(path: string): Task<Result<PciLocation | undefined, Errno>>;
  /** Every file and link of the guest's /sys at this moment: what `netvsim sysfs` writes. No operation: a report. */
  sysfsTree(): readonly SysfsNode[];
}

/** Where a PCI function stands: what udev's net_id builtin makes names of. */
export interface PciLocation {
  readonly domain: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
  /** Name of the slot directory below /sys/bus/pci/slots, when the kernel made one. */
  readonly slot: string | undefined;
}

/** One entry of the tree, by its path below /sys. Directories come from the paths. */
export type SysfsNode =
  | { readonly path: string; readonly kind: 'file'; readonly text: string }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'directory' };
