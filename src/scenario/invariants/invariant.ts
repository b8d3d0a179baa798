/**
 * What an invariant is: one sentence, a source, and a monitor that looks at the events of one run. None knows a
 * particular bug. A monitor keeps what is (who is listed, who holds which lease) and never "the last violation", so
 * that its verdict depends on what happened and not on the order in which unrelated things did.
 */
import type { EventKind, EventOf, Stamp } from '../../trace/event.ts';

/** The earlier of the two moments that together break an invariant. */
export type Moment = Pick<Stamp, 'time' | 'step'>;

/** Where a monitor reports what it finds; the moment of the report is the later one. */
export interface Findings {
  violated(dev: string, found: string, since: Moment): void;
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
  /** Its number in the reference, and where it comes from. */
  readonly source: string;
  start(findings: Findings): Monitor;
}

/** Interface flags with which an event describes a device (uapi/linux/if.h). */
export const SLAVE = 0x800;

/** The synthetic NIC beside which a VF stands; undefined for a device that is no VF. */
export const nicOf = (dev: string): string | undefined => (dev.endsWith('.vf') ? dev.slice(0, -3) : undefined);

/** A device as the other events have described it so far. */
export interface Known {
  /** `reg_state`. */
  state: string;
  mac: string;
  flags: number;
  master: string;
  ifname: string;
  since: Moment;
}

/** Keeps what several monitors need to know of each device. */
export class Devices {
  readonly all = new Map<string, Known>();

  readonly on: Handlers = {
    'netdev.state': (event) => {
      const known = this.of(event.dev, event);
      if (event.state === 'post-init') Object.assign(known, { flags: 0, master: '' });
      Object.assign(known, { state: event.state, mac: event.mac, ifname: event.ifname, since: event });
    },
    'netdev.visible': (event) => {
      this.of(event.dev, event).flags = event.flags;
    },
    'netdev.flags': (event) => {
      this.of(event.dev, event).flags = event.flags;
    },
    'netdev.mac': (event) => {
      this.of(event.dev, event).mac = event.mac;
    },
    'netdev.master': (event) => {
      this.of(event.dev, event).master = event.master;
    },
    'netdev.renamed': (event) => {
      this.of(event.dev, event).ifname = event.to;
    },
  };

  private of(dev: string, since: Moment): Known {
    let known = this.all.get(dev);
    if (known === undefined) {
      known = { state: 'uninitialized', mac: '', flags: 0, master: '', ifname: '', since };
      this.all.set(dev, known);
    }
    return known;
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
