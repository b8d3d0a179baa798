/**
 * Makes events of what the guest's kernel has recorded: the same kinds that the model has for the same things, so that
 * timelines, invariants and comparisons need not know whose guest it was.
 * Source: net/core/dev.c, register_netdevice() and unregister_netdevice_many() (reference A.1, A.5);
 * drivers/net/hyperv/netvsc_drv.c, netvsc_probe() and netvsc_remove(), which put a NIC on the driver's list and take it
 * off in the step behind its RTM_NEWLINK and RTM_DELLINK.
 * What this leaves out: who listens to a notifier chain and what they answer; when rtnetlink can be asked.
 */
import { flagNames } from '../../guest/uapi/linux.ts';
import type { Event, EventBody, EventKind } from '../../trace/event.ts';
import type { DeviceNames } from './devices.ts';
import type { DeviceNow, RecordEntry } from './guest-record.ts';
import { logLine, saidBy } from './kernel-log.ts';
import { managerSaid } from './manager.ts';
import { netdevEvent } from './netdev-cmd.ts';

/** The kinds of events that are made here. */
export const TOLD_BY_GUEST: readonly EventKind[] = [
  'notifier',
  'netdev.visible',
  'netdev.state',
  'netdev.flags',
  'netdev.renamed',
  'netdev.netns',
  'netdev.mtu',
  'netdev.carrier',
  'netdev.master',
  'uevent',
  'rtnetlink',
  'log',
  'module',
  'driver.bound',
  'guest.datapath',
  'netvsc.listed',
  'netvsc.vf',
  'manager',
  'lease',
];

/** What is known of a device from what was recorded of it. */
interface Known extends DeviceNow {
  readonly dev: string;
  state: string;
  carrier: boolean;
  master: string;
  netns: string;
  /** Where it moves, between the two halves of a move. */
  movesTo: string | undefined;
}

type Entry<W extends RecordEntry['what']> = Extract<RecordEntry, { readonly what: W }>;
type Teller = { readonly [W in RecordEntry['what']]?: (entry: Entry<W>) => readonly EventBody[] };

const HOME = 'init_net';
/** NOTIFY_DONE, NOTIFY_OK, NOTIFY_STOP_MASK, NOTIFY_BAD (include/linux/notifier.h). */
const VERDICTS: Readonly<Record<number, string>> = { 0: 'done', 1: 'ok', 32768: 'stop', 32770: 'bad' };

export interface GuestEventsParts {
  readonly devices: DeviceNames;
  /** As `uname -r` says it. */
  readonly release: string;
  /** What the namespace at an address of the kernel is called. */
  readonly netnsAt: (entry: Entry<'netns'>) => string;
}

export class GuestEvents {
  private readonly parts: GuestEventsParts;
  /** By the name of the moment. */
  private readonly known = new Map<string, Known>();
  private readonly listed = new Set<string>();
  private readonly tellers: Teller;

  constructor(parts: GuestEventsParts) {
    this.parts = parts;
    this.tellers = {
      notifier: (entry) => this.onNotifier(entry),
      answered: (entry) => this.onAnswered(entry),
      sysfs: (entry) => this.onSysfs(entry),
      listed: (entry) => this.onListed(entry),
      uevent: (entry) => this.onUevent(entry),
      rtnetlink: (entry) => this.onRtnetlink(entry),
      master: (entry) => this.onMaster(entry),
      renamed: (entry) => this.onRenamed(entry),
      netns: (entry) => this.onNetns(entry),
      carrier: (entry) => this.onCarrier(entry),
      freed: (entry) => this.onFreed(entry),
      bound: (entry) => this.onBound(entry),
      module: ({ module, loaded }) => [{ kind: 'module', module, loaded }],
      log: ({ text }) => this.onLog(text),
    };
  }

  /** @returns the events of an account, in its order; `step` stands in all of them. */
  tell(entries: readonly RecordEntry[], stepAt: (entry: RecordEntry) => number): readonly Event[] {
    return entries.flatMap((entry, i) => {
      this.meet(entry, entries.slice(i));
      const bodies =
        (this.tellers[entry.what] as ((entry: RecordEntry) => readonly EventBody[]) | undefined)?.(entry) ?? [];
      const stamp = { time: entry.at, step: stepAt(entry), context: entry.task };
      return bodies.map((body) => ({ ...body, ...stamp }));
    });
  }

  /** What a line of the log says, also without a record. */
  onLog(text: string): readonly EventBody[] {
    const devOf = (ifname: string): string => this.known.get(ifname)?.dev ?? '';
    const managed = managerSaid(text, devOf);
    if (managed !== undefined) return [managed];
    const line = logLine(text, this.parts.devices);
    return [{ kind: 'log', level: 'info', dev: line.dev, text: line.text }, ...saidBy(line)];
  }

  /** A device is known from its first notification on, by the path that its uevent will have. */
  private meet(entry: RecordEntry, rest: readonly RecordEntry[]): void {
    if (entry.what !== 'notifier' || this.eventOf(entry) !== 'NETDEV_POST_INIT') return;
    const uevent = rest.find(
      (later): later is Entry<'uevent'> => later.what === 'uevent' && later.ifname === entry.ifname,
    );
    const dev = uevent === undefined ? undefined : this.devAt(uevent.path.split('/').at(-3) ?? '');
    if (dev === undefined) return;
    const { ifname, flags, ifindex, mtu } = entry;
    const fresh = { state: 'uninitialized', carrier: false, master: '', netns: HOME, movesTo: undefined };
    this.known.set(ifname, { dev, ifname, flags, ifindex, mtu, ...fresh });
  }

  /** The device of the plan with this name on its bus: a GUID, or a PCI address. */
  private devAt(name: string): string | undefined {
    const slot = /^[0-9a-f]{4}:[0-9a-f]{2}:([0-9a-f]{2})\.[0-7]$/.exec(name)?.[1];
    const { devices } = this.parts;
    return slot === undefined ? devices.nicOf(name) : devices.vfIn(Number.parseInt(slot, 16));
  }

  private eventOf({ event }: Entry<'notifier' | 'answered'>): string {
    return netdevEvent(event, this.parts.release);
  }

  /** Takes over what the device looks like now, and tells what of it is new. */
  private see(device: Known, now: DeviceNow): readonly EventBody[] {
    const before = device.flags;
    const { flags } = now;
    Object.assign(device, { flags, ifindex: now.ifindex });
    if (flags === before) return [];
    const [gained, lost] = [flagNames(flags & ~before), flagNames(before & ~flags)];
    return [{ kind: 'netdev.flags', dev: device.dev, flags, gained, lost }];
  }

  private onNotifier(entry: Entry<'notifier'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device === undefined) return [];
    const event = this.eventOf(entry);
    const { dev } = device;
    const told: EventBody[] = [...this.see(device, entry)];
    if (event === 'NETDEV_POST_INIT') told.push(this.enter(device, 'post-init'));
    if (event === 'NETDEV_REGISTER') device.movesTo = undefined;
    if (event === 'NETDEV_CHANGEMTU' && entry.mtu !== device.mtu) {
      Object.assign(device, { mtu: entry.mtu });
      told.push({ kind: 'netdev.mtu', dev, mtu: entry.mtu });
    }
    return [...told, { kind: 'notifier', event, dev, notifier: 'netdev chain', verdict: '' }];
  }

  private enter(device: Known, state: string): EventBody {
    device.state = state;
    const { dev, ifname, ifindex } = device;
    return { kind: 'netdev.state', dev, state, ifname, ifindex, mac: this.parts.devices.macOf(dev) };
  }

  private visible(device: Known, channel: string, visible: boolean): EventBody {
    const { dev, ifname, ifindex, flags } = device;
    return { kind: 'netdev.visible', dev, channel, visible, ifname, ifindex, flags };
  }

  private onSysfs(entry: Entry<'sysfs'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device === undefined) return [];
    return [...this.see(device, entry), this.visible(device, 'sysfs', entry.present)];
  }

  private onListed(entry: Entry<'listed'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device === undefined) return [];
    const told = [...this.see(device, entry)];
    const { movesTo } = device;
    if (movesTo !== undefined) return entry.present ? [...told, this.arrive(device, movesTo)] : told;
    told.push(this.visible(device, 'ioctl', entry.present));
    told.push(this.enter(device, entry.present ? 'registered' : 'unregistering'));
    return told;
  }

  private arrive(device: Known, to: string): EventBody {
    const { dev, netns: from, ifname, ifindex } = device;
    device.netns = to;
    return { kind: 'netdev.netns', dev, from, to, ifname, ifindex };
  }

  private onUevent({ action, ifname }: Entry<'uevent'>): readonly EventBody[] {
    const device = this.known.get(ifname);
    if (device === undefined) return [];
    const { dev, ifindex, flags } = device;
    return [{ kind: 'uevent', action, dev, ifname, ifindex, flags }];
  }

  private onAnswered(entry: Entry<'answered'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device === undefined) return [];
    const verdict = VERDICTS[entry.verdict] ?? `0x${entry.verdict.toString(16)}`;
    return [{ kind: 'notifier', event: this.eventOf(entry), dev: device.dev, notifier: 'hv_netvsc', verdict }];
  }

  private onRtnetlink(entry: Entry<'rtnetlink'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device === undefined) return [];
    const told = [...this.see(device, entry)];
    const { dev, ifname, ifindex, master } = device;
    const { message, event } = entry;
    const flags = entry.reported ?? entry.flags;
    told.push({
      kind: 'rtnetlink',
      message,
      dev,
      ifname,
      ifindex,
      flags,
      master,
      cause: event === 0 ? '' : `IFLA_EVENT ${event}`,
    });
    const isNic = this.parts.devices.isNic(dev);
    const leaves = message === 'RTM_DELLINK' && device.state === 'unregistering';
    if (isNic && this.listed.has(dev) === leaves) told.push(this.list(dev, !leaves));
    return told;
  }

  private list(nic: string, listed: boolean): EventBody {
    if (listed) this.listed.add(nic);
    else this.listed.delete(nic);
    return { kind: 'netvsc.listed', nic, mac: this.parts.devices.macOf(nic), listed };
  }

  private onMaster({ ifname, master, linked }: Entry<'master'>): readonly EventBody[] {
    const device = this.known.get(ifname);
    if (device === undefined) return [];
    device.master = linked ? (this.known.get(master)?.dev ?? master) : '';
    return [{ kind: 'netdev.master', dev: device.dev, master: device.master }];
  }

  /** What is recorded is that it is asked for; a name that is taken is not given. */
  private onRenamed({ ifname: from, to }: Entry<'renamed'>): readonly EventBody[] {
    const device = this.known.get(from);
    if (device === undefined || from === to || this.known.has(to)) return [];
    this.known.delete(from);
    this.known.set(to, Object.assign(device, { ifname: to }));
    return [{ kind: 'netdev.renamed', dev: device.dev, from, to }];
  }

  private onNetns(entry: Entry<'netns'>): readonly EventBody[] {
    const device = this.known.get(entry.ifname);
    if (device !== undefined) device.movesTo = this.parts.netnsAt(entry);
    return [];
  }

  private onCarrier({ ifname, up }: Entry<'carrier'>): readonly EventBody[] {
    const device = this.known.get(ifname);
    if (device === undefined || device.carrier === up) return [];
    device.carrier = up;
    return [{ kind: 'netdev.carrier', dev: device.dev, up }];
  }

  private onFreed({ ifname }: Entry<'freed'>): readonly EventBody[] {
    const device = this.known.get(ifname);
    if (device === undefined) return [];
    this.known.delete(ifname);
    return [this.enter(device, 'unregistered')];
  }

  private onBound({ device: name, bound }: Entry<'bound'>): readonly EventBody[] {
    const dev = this.devAt(name);
    if (dev === undefined) return [];
    const driver = this.parts.devices.isNic(dev) ? 'hv_netvsc' : 'ne2k-pci';
    return [{ kind: 'driver.bound', dev, driver, bound }];
  }
}
