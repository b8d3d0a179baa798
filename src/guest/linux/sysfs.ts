/**
 * The net part of sysfs as user mode reads it: which directories there are, and what their attributes say.
 * Source: net/core/net-sysfs.c. Attributes can be read as soon as the directory is there, whatever step the
 * registration has reached.
 * What this leaves out: writing, statistics, queue directories (the written tree has none either).
 */
import { err, ok, type Result } from '../../base/result.ts';
import { type Footprint, namePart } from '../../sim/footprint.ts';
import { Operation, SharedObject, type Task } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { PciLocation, SysfsAttribute, SysfsLink } from '../uapi/linux.ts';
import type { Netdev } from './netdev.ts';
import { devpathOf } from './sysfs-path.ts';

const CLASS_NET = '/class/net/';

/** /sys/class/net and the device directories behind its links, in the order of creation. */
export class SysfsNet extends SharedObject {
  private readonly byName = new Map<string, Netdev>();

  add(dev: Netdev): Operation<void> {
    return new Operation(this, 'add', { dev, name: dev.name });
  }

  remove(dev: Netdev): Operation<void> {
    return new Operation(this, 'remove', { dev, name: dev.name });
  }

  rename(dev: Netdev, from: string): Operation<void> {
    return new Operation(this, 'rename', { dev, name: dev.name, from });
  }

  list(): Operation<readonly string[]> {
    return new Operation(this, 'list');
  }

  /** The device behind `/class/net/NAME` or a devpath; undefined when there is no such directory. */
  find(path: string): Operation<Netdev | undefined> {
    return new Operation(this, 'find', path);
  }

  /** All devices with a directory; for reports. */
  devices(): readonly (readonly [string, Netdev])[] {
    return [...this.byName];
  }

  enabled(): boolean {
    return true;
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'list') {
      footprint.read(this.place);
      return;
    }
    if (operation.kind === 'find') {
      footprint.read(this.place, namePart(lastOf(operation.arg as string)));
      return;
    }
    const { name, from } = operation.arg as { name: string; from?: string };
    footprint.write(this.place);
    footprint.write(this.place, namePart(name));
    if (from !== undefined) footprint.write(this.place, namePart(from));
  }

  perform(operation: Operation): unknown {
    if (operation.kind === 'list') return [...this.byName.keys()];
    if (operation.kind === 'find') return this.at(operation.arg as string);
    const { dev, name, from } = operation.arg as { dev: Netdev; name: string; from?: string };
    switch (operation.kind) {
      case 'add':
        this.byName.set(name, dev);
        break;
      case 'remove':
        this.byName.delete(name);
        break;
      default:
        if (from !== undefined) this.byName.delete(from);
        this.byName.set(name, dev);
    }
    return undefined;
  }

  peek(): number {
    return this.byName.size;
  }

  private at(path: string): Netdev | undefined {
    const name = lastOf(path);
    const dev = this.byName.get(name);
    if (dev === undefined || path === CLASS_NET + name) return dev;
    return devpathOf(dev, name) === path ? dev : undefined;
  }
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The text of an attribute at this moment, without its newline; EINVAL where the kernel gives that. */
export function attributeText(dev: Netdev, attribute: SysfsAttribute): Result<string, Errno> {
  switch (attribute) {
    case 'address':
      return ok(dev.devAddr);
    case 'flags':
      return ok(flagsText(dev.flags.now));
    case 'carrier':
    case 'dormant':
      if (!dev.running.now) return err('EINVAL'); // both ask netif_running() first
      return ok(attribute === 'carrier' && dev.carrier.now ? '1' : '0');
    case 'operstate':
      return ok(operstate(dev));
    case 'ifindex':
    case 'iflink':
      return ok(String(dev.ifindex));
    case 'mtu':
      return ok(String(dev.mtu));
    case 'name_assign_type':
      return ok(String(dev.nameAssignType));
    case 'addr_assign_type':
      return ok(String(dev.addrAssignType));
    case 'dev_id':
      return ok('0x0');
    case 'tx_queue_len':
      return ok('1000'); // DEFAULT_TX_QUEUE_LEN
    case 'type':
      return ok('1'); // ARPHRD_ETHER
  }
}

/** %#x of the raw word: lower case, no padding. */
const flagsText = (flags: number): string => `0x${flags.toString(16)}`;

/** operstate_show(): a device that does not run is down, whatever it was. */
const operstate = (dev: Netdev): string => (dev.running.now ? dev.operstate : 'down');

/** Reads one attribute by path, as open() and read() do: the directory is looked up, then the field is read. */
export function* readAttribute(sysfs: SysfsNet, path: string, attribute: SysfsAttribute): Task<Result<string, Errno>> {
  const dev = yield* sysfs.find(path);
  if (dev === undefined) return err('ENOENT');
  switch (attribute) {
    case 'flags':
      return ok(flagsText(yield* dev.flags.get()));
    case 'carrier':
    case 'dormant':
      if (!(yield* dev.running.get())) return err('EINVAL'); // both ask netif_running() first
      return ok(attribute === 'carrier' && (yield* dev.carrier.get()) ? '1' : '0');
    case 'operstate':
      return ok((yield* dev.running.get()) ? dev.operstate : 'down');
    default:
      return attributeText(dev, attribute);
  }
}

export function* readLink(sysfs: SysfsNet, path: string, link: SysfsLink): Task<Result<string, Errno>> {
  const dev = yield* sysfs.find(path);
  if (dev === undefined) return err('ENOENT');
  switch (link) {
    case 'master': {
      const master = yield* dev.masterLink.get();
      return master === undefined ? err('ENOENT') : ok(master.name);
    }
    case 'device/driver':
      return dev.parent === undefined ? err('ENOENT') : ok(dev.parent.driver);
    case 'device':
      return dev.parent === undefined ? err('ENOENT') : ok(lastOf(dev.parent.path));
  }
}

export function* pciLocation(sysfs: SysfsNet, path: string): Task<Result<PciLocation | undefined, Errno>> {
  const dev = yield* sysfs.find(path);
  if (dev === undefined) return err('ENOENT');
  const pci = dev.parent?.pci;
  if (pci === undefined) return ok(undefined);
  return ok({ domain: pci.domain, bus: 0, device: pci.device, function: 0, slot: pci.slotName() });
}
