/**
 * When a NIC had no path on which a frame could get through, told from the events alone. Sending follows what
 * netvsc_start_xmit() does: the VF if the guest's path is the VF and it runs with carrier, else the synthetic path; or
 * hn_transmit(), which does not look at the VF. Receiving follows the path on which the host sends.
 * What this leaves out: frames that are lost for other reasons (a full ring, a stopped queue): the frame ledgers
 * count those.
 */
import type { Nanoseconds } from '../base/time.ts';
import type { Event, Path } from '../trace/event.ts';
import type { Direction } from '../trace/frames.ts';

/** A span in which nothing could get through in one direction. `to` is infinite while it lasts. */
export interface Gap {
  readonly direction: Direction;
  readonly from: Nanoseconds;
  readonly to: Nanoseconds;
}

const IFF_UP = 0x1;
const DIRECTIONS: readonly Direction[] = ['tx', 'rx'];

export class PathMonitor {
  readonly nic: string;
  private readonly vf: string;
  /** Whether a guest that sends by the VF looks each time whether that runs. */
  private readonly looksAtVf: boolean;
  private readonly up = new Set<string>();
  private readonly carrier = new Set<string>();
  private alive = false;
  private guestPath: Path = 'synthetic';
  private hostPath: Path = 'synthetic';
  private readonly closed: Gap[] = [];
  /** Since when there is no path; a machine begins without one. */
  private readonly open = new Map<Direction, Nanoseconds>([
    ['tx', 0],
    ['rx', 0],
  ]);
  private readonly paths: { readonly from: Nanoseconds; readonly path: Path }[] = [{ from: 0, path: 'synthetic' }];

  constructor(nic: string, { looksAtVf }: { readonly looksAtVf: boolean }) {
    this.nic = nic;
    this.looksAtVf = looksAtVf;
    this.vf = `${nic}.vf`;
  }

  see(event: Event): void {
    if (!this.note(event)) return;
    for (const direction of DIRECTIONS) this.judge(direction, event.time);
    const path = this.sendsBy();
    if (path !== this.paths.at(-1)?.path) this.paths.push({ from: event.time, path });
  }

  /** The spans without a path that reach into `[from, to)`, whole. */
  gaps(from: Nanoseconds, to: Nanoseconds): readonly Gap[] {
    const open = [...this.open].map(([direction, since]) => ({ direction, from: since, to: Number.POSITIVE_INFINITY }));
    return [...this.closed, ...open].filter((gap) => gap.from < to && gap.to > from);
  }

  /** How much of `[from, to)` had no path. */
  without(direction: Direction, from: Nanoseconds, to: Nanoseconds): Nanoseconds {
    return this.gaps(from, to)
      .filter((gap) => gap.direction === direction)
      .reduce((sum, gap) => sum + Math.min(gap.to, to) - Math.max(gap.from, from), 0);
  }

  /** The paths that frames were sent by within `[from, to)`, in their order. */
  pathsWithin(from: Nanoseconds, to: Nanoseconds): readonly Path[] {
    return this.paths
      .filter((span, i) => span.from < to && (this.paths[i + 1]?.from ?? Number.POSITIVE_INFINITY) > from)
      .map((span) => span.path);
  }

  /** False for an event that says nothing of this NIC's paths. */
  private note(event: Event): boolean {
    switch (event.kind) {
      case 'guest.datapath':
        if (event.nic === this.nic) this.guestPath = event.path;
        return event.nic === this.nic;
      case 'host.datapath':
        if (event.nic === this.nic) this.hostPath = event.path;
        return event.nic === this.nic;
      case 'vf.alive':
        if (event.dev === this.vf) this.alive = event.alive;
        return event.dev === this.vf;
      case 'netdev.flags':
        return this.mark(this.up, event.dev, (event.flags & IFF_UP) !== 0);
      case 'netdev.carrier':
        return this.mark(this.carrier, event.dev, event.up);
      case 'netdev.state':
        if (event.state !== 'unregistered') return false;
        this.mark(this.carrier, event.dev, false);
        return this.mark(this.up, event.dev, false);
      default:
        return false;
    }
  }

  private mark(set: Set<string>, dev: string, on: boolean): boolean {
    if (dev !== this.nic && dev !== this.vf) return false;
    if (on) set.add(dev);
    else set.delete(dev);
    return true;
  }

  private get vfRuns(): boolean {
    return this.up.has(this.vf) && this.carrier.has(this.vf);
  }

  private sendsBy(): Path {
    return this.guestPath === 'vf' && (this.vfRuns || !this.looksAtVf) ? 'vf' : 'synthetic';
  }

  private usable(direction: Direction): boolean {
    if (!this.up.has(this.nic)) return false;
    if (direction === 'tx') {
      return this.sendsBy() === 'synthetic' || (this.vfRuns && this.alive && this.hostPath === 'vf');
    }
    return this.hostPath === 'synthetic' || (this.alive && (this.looksAtVf ? this.up.has(this.vf) : this.vfRuns));
  }

  private judge(direction: Direction, at: Nanoseconds): void {
    const since = this.open.get(direction);
    if (!this.usable(direction)) {
      if (since === undefined) this.open.set(direction, at);
    } else if (since !== undefined) {
      this.open.delete(direction);
      if (at > since) this.closed.push({ direction, from: since, to: at });
    }
  }
}
