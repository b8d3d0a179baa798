/**
 * What an invariant is: one sentence, a source, and a monitor that looks at the events of one run. None knows a
 * particular bug. A monitor keeps what is (who is listed, who holds which lease) and never "the last violation", so
 * that its verdict depends on what happened and not on the order in which unrelated things did. It asks for as few kinds
 * of events as it can: whatever two steps tell one monitor, their order may matter to it.
 */
import type { GuestFamily } from '../../machine/guests.ts';
import type { EventKind, EventOf, Stamp } from '../../trace/event.ts';

/** The earlier of the two moments that together break an invariant. */
export type Moment = Pick<Stamp, 'time' | 'step'>;

/** Where a monitor reports what it finds; the moment of the report is the later one. */
export interface Findings {
  /** `dev`: the device, or the task where none is to blame. */
  violated(dev: string, found: string, since: Moment): void;
  /** The same where nothing but the time that it took is wrong: no finding where timers overtake what could run. */
  late(dev: string, found: string, since: Moment): void;
  /** The invariant would be broken, but for a reason that its source names. */
  exempt(dev: string, why: string): void;
}

/** What a watcher does at each kind of event that it looks at. */
export type Handlers = { readonly [K in EventKind]?: (event: EventOf<K>) => void };

export interface Monitor {
  /** Trackers that see an event before {@link on} does. */
  readonly knows?: readonly { readonly on: Handlers }[];
  readonly on: Handlers;
  /** Called when nothing more can happen: what must hold in the end is judged here. */
  rest?(): void;
}

export interface Invariant {
  readonly name: string;
  /** What must always hold, as one sentence. */
  readonly meaning: string;
  /** Why it matters and what a user sees when it is broken; what it leaves out, if anything. */
  readonly why: string;
  /** Its numbers in the reference's list (F.2); empty for one that is not there. */
  readonly covers: readonly string[];
  /** Where it comes from: kernel sources, commits, documents, reports. */
  readonly source: string;
  /** Known races and bugs that break it, by their numbers in the reference's catalogue (D). */
  readonly races: readonly string[];
  /** Guests that it does not bind, each with the reason: what it is about is not there, or is otherwise by design. */
  readonly notOn?: Readonly<Partial<Record<GuestFamily, string>>>;
  /** It compares NICs with each other; the others judge each NIC, with its VF, alone. */
  readonly across?: true;
  start(findings: Findings): Monitor;
}

/** The kinds of events that an invariant must be told of to be judged. */
export function watchedBy(invariant: Invariant): ReadonlySet<EventKind> {
  const { knows = [], on } = invariant.start({ violated() {}, late() {}, exempt() {} });
  return new Set(
    [...knows.map((tracker) => tracker.on), on].flatMap((handlers) => Object.keys(handlers) as EventKind[]),
  );
}

/** Interface flags with which an event describes a device (uapi/linux/if.h). */
export const UP = 0x1;
export const SLAVE = 0x800;

/** Where devices are registered. */
export const INIT_NET = 'init_net';

/** The synthetic NIC beside which a VF stands; undefined for a device that is no VF. */
export const nicOf = (dev: string): string | undefined => (dev.endsWith('.vf') ? dev.slice(0, -3) : undefined);

/** How far the registration of a device is, in Linux's words, with the address that it was registered with. */
export interface Registration extends Moment {
  readonly dev: string;
  readonly state: string;
  readonly ifname: string;
  readonly mac: string;
}

/** FreeBSD's words for it, as far as there is one of Linux's. */
const REGISTRATIONS: Readonly<Record<string, string>> = {
  attached: 'registered',
  unlinked: 'unregistering',
  'index-freed': 'unregistered',
};

/** The registration of each device; FreeBSD tells the address a moment later. */
export class Devices {
  readonly all = new Map<string, Registration>();

  readonly on: Handlers = {
    'netdev.state': (event) => {
      this.all.set(event.dev, event);
    },
    'ifnet.state': ({ dev, state, ifname, time, step }) => {
      const registration = REGISTRATIONS[state];
      if (registration === undefined) return;
      this.all.set(dev, { dev, state: registration, ifname, mac: this.all.get(dev)?.mac ?? '', time, step });
    },
    'netdev.mac': ({ dev, mac }) => {
      const known = this.all.get(dev);
      if (known?.mac === '') this.all.set(dev, { ...known, mac });
    },
  };

  stateOf(dev: string): string {
    return this.all.get(dev)?.state ?? 'uninitialized';
  }

  registered(): readonly Registration[] {
    return [...this.all.values()].filter(({ state }) => state === 'registered');
  }
}

/** Synthetic NICs that hv_netvsc has on its list, with the MAC by which a VF is matched. */
export class Listed {
  readonly macs = new Map<string, string>();

  readonly on: Handlers = {
    'netvsc.listed': (event) => {
      if (event.listed) this.macs.set(event.nic, event.mac);
      else this.macs.delete(event.nic);
    },
  };

  /** Who has this address. */
  withMac(mac: string): string | undefined {
    for (const [nic, address] of this.macs) if (address === mac) return nic;
    return undefined;
  }
}

/** The VF that each synthetic NIC has joined, since when. */
export class Joined {
  readonly vfs = new Map<string, EventOf<'netvsc.vf'>>();

  readonly on: Handlers = {
    'netvsc.vf': (event) => {
      if (event.joined) this.vfs.set(event.nic, event);
      else if (this.vfs.get(event.nic)?.dev === event.dev) this.vfs.delete(event.nic);
    },
  };

  has(dev: string): boolean {
    return [...this.vfs.values()].some((event) => event.dev === dev);
  }
}
