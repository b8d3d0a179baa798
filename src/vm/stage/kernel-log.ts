/**
 * The guest's kernel log: which lines of its console are the kernel's, which device each is about, and what the drivers
 * say in it. Source: kernel/printk/printk.c (the stamp `[    1.234567] `); reference B.14 for the drivers' lines.
 */
import type { Nanoseconds } from '../../base/time.ts';
import type { EventBody } from '../../trace/event.ts';

/** One line of the kernel. */
export interface KernelLine {
  /** Virtual time. */
  readonly at: Nanoseconds;
  readonly text: string;
}

/** Who the devices of the log are. */
export interface LogNames {
  /** The synthetic NIC of a VMBus instance GUID; undefined when it is none of the plan's. */
  nicOf(guid: string): string | undefined;
  /** The VF in a slot of the machine's PCI bus. */
  vfIn(slot: number): string | undefined;
}

/** The kernel's own text in a line of the console, behind whatever else was being printed there. */
export const kernelText = (line: string): string | undefined => /\[ *\d+\.\d{6}\] (.*)$/.exec(line)?.[1];

/** A line with the prefixes of dev_printk() and netdev_printk() taken off. */
export interface LogLine {
  readonly dev: string;
  /** The interface that it names, with the state behind it as in `eth0 (unregistering)`. */
  readonly ifname: string;
  readonly text: string;
}

const NETVSC = /^hv_netvsc ([0-9a-f-]{36})(?: (.+?))?: (.*)$/;
const PCI = /^\S+ [0-9a-f]{4}:[0-9a-f]{2}:([0-9a-f]{2})\.[0-7](?: (\S+(?: \(.*?\))?))?: (.*)$/;

/** Whose line it is; `dev` is empty for what is about no device of the plan. */
export function logLine(text: string, names: LogNames): LogLine {
  const [, guid, ifname = '', said] = NETVSC.exec(text) ?? [];
  if (guid !== undefined && said !== undefined) return { dev: names.nicOf(guid) ?? '', ifname, text: said };
  const [, slot, name = '', rest] = PCI.exec(text) ?? [];
  const vf = slot === undefined ? undefined : names.vfIn(Number.parseInt(slot, 16));
  if (vf !== undefined && rest !== undefined) return { dev: vf, ifname: name, text: rest };
  return { dev: '', ifname: '', text };
}

/** What a driver's line says beside itself: the events that the model has for the same. */
export function saidBy({ dev, text }: LogLine): readonly EventBody[] {
  const switched = /^Data path switched (to|from) VF: /.exec(text)?.[1];
  if (switched !== undefined)
    return [{ kind: 'guest.datapath', nic: dev, path: switched === 'to' ? 'vf' : 'synthetic' }];
  const joined = /^joined to /.test(text);
  if (joined && dev.endsWith('.vf')) return [{ kind: 'netvsc.vf', nic: dev.slice(0, -'.vf'.length), dev, joined }];
  if (/^VF unregistering: /.test(text)) return [{ kind: 'netvsc.vf', nic: dev, dev: `${dev}.vf`, joined: false }];
  return [];
}
