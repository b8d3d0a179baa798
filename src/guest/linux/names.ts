/**
 * Names of network devices. Source: net/core/dev.c (dev_valid_name(), __dev_alloc_name(), dev_get_valid_name()).
 * What this leaves out: alternative names.
 */
import { LowestFree } from '../../base/index-table.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Footprint, namePart } from '../../sim/footprint.ts';
import { Operation, SharedObject } from '../../sim/operation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { Netdev } from './netdev.ts';

/** IFNAMSIZ with its NUL (uapi/linux/if.h). */
const NAME_BYTES_MAX = 15;
/** 8 * PAGE_SIZE candidates for a `%d`. */
const TEMPLATE_NUMBERS = 32768;

export function isValidName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || /[/:\s]/.test(name)) return false;
  const bytes = /^[!-~]*$/.test(name) ? name.length : new TextEncoder().encode(name).length;
  return bytes <= NAME_BYTES_MAX;
}

/**
 * The name hash: which names are taken, and which device a look-up finds. A name is taken when it is chosen
 * (under RTNL); look-ups without a lock find the device from `insert` to `remove`.
 */
export class NetNames extends SharedObject {
  /** Every name that is taken, with the device that look-ups find by it. */
  private readonly taken = new Map<string, Netdev | undefined>();
  private readonly numbers = new Map<string, LowestFree>();

  /** Expands the template, or checks the plain name; RTNL is held. */
  choose(wanted: string): Result<string, Errno> {
    if (!wanted.includes('%')) {
      if (!isValidName(wanted)) return err('EINVAL');
      if (this.taken.has(wanted)) return err('EEXIST');
      this.note(wanted);
      return ok(wanted);
    }
    const parts = wanted.split('%d');
    if (parts.length !== 2 || parts.join('').includes('%')) return err('EINVAL');
    const number = this.numbersOf(wanted).take(TEMPLATE_NUMBERS);
    if (number === undefined) return err('ENFILE');
    const name = parts.join(String(number));
    if (!isValidName(name)) return err('EINVAL');
    this.taken.set(name, undefined);
    return ok(name);
  }

  /** Gives a chosen name back; RTNL is held. */
  release(name: string): void {
    this.taken.delete(name);
    for (const [template, numbers] of this.numbers) {
      const number = numberIn(template, name);
      if (number !== undefined) numbers.free(number);
    }
  }

  /** The device becomes visible to look-ups by name (list_netdevice()). */
  insert(dev: Netdev): Operation<void> {
    return new Operation(this, 'insert', dev);
  }

  remove(dev: Netdev): Operation<void> {
    return new Operation(this, 'remove', dev);
  }

  lookup(name: string): Operation<Netdev | undefined> {
    return new Operation(this, 'lookup', name);
  }

  /** For whoever holds the RTNL, and for reports. */
  find(name: string): Netdev | undefined {
    this.sim.footprint?.read(this.place, namePart(name));
    return this.taken.get(name);
  }

  enabled(): boolean {
    return true;
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'lookup') footprint.read(this.place, namePart(operation.arg as string));
    else footprint.write(this.place, namePart((operation.arg as Netdev).name));
  }

  perform(operation: Operation): Netdev | undefined {
    if (operation.kind === 'lookup') return this.taken.get(operation.arg as string);
    const dev = operation.arg as Netdev;
    this.taken.set(dev.name, operation.kind === 'insert' ? dev : undefined);
    return undefined;
  }

  peek(): number {
    return this.taken.size;
  }

  private note(name: string): void {
    this.taken.set(name, undefined);
    for (const [template, numbers] of this.numbers) {
      const number = numberIn(template, name);
      if (number !== undefined) numbers.reserve(number);
    }
  }

  /** The free numbers of a template; names that were taken before its first use are counted in once. */
  private numbersOf(template: string): LowestFree {
    let numbers = this.numbers.get(template);
    if (numbers === undefined) {
      numbers = new LowestFree();
      this.numbers.set(template, numbers);
      for (const name of this.taken.keys()) {
        const number = numberIn(template, name);
        if (number !== undefined) numbers.reserve(number);
      }
    }
    return numbers;
  }
}

/** The number that `name` has in the place of the template's `%d`, written as the kernel would write it. */
function numberIn(template: string, name: string): number | undefined {
  const [before, after] = template.split('%d') as [string, string];
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined;
  const digits = name.slice(before.length, name.length - after.length);
  if (!/^(0|[1-9]\d{0,4})$/.test(digits) || Number(digits) >= TEMPLATE_NUMBERS) return undefined;
  return Number(digits);
}
