/**
 * Flags: up and down, and what the driver hears of it. Source: net/if.c (if_up(), if_down(), ifhwioctl() for
 * SIOCSIFFLAGS); reference A.8.
 * What this leaves out: promiscuous mode, ALTQ, CARP.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF, IFF_CANTCHANGE } from '../../uapi/freebsd.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { tellChange } from './announce.ts';
import type { Ifnet } from './ifnet.ts';

/** Sets and clears flags of the stack: as a read and a write, between which another change is lost, or as one step. */
export function* changeFlags(net: FreebsdNet, ifp: Ifnet, { set = 0, clear = 0 }: FlagChange): Task {
  const before = ifp.flags.now;
  const change = (flags: number): number => (flags | set) & ~clear;
  if (fixed(net, 'atomic-flags')) yield* ifp.flags.update(change);
  else yield* ifp.flags.set(change(yield* ifp.flags.get()));
  tellFlags(net, ifp, before);
}

interface FlagChange {
  readonly set?: number;
  readonly clear?: number;
}

/** if_up(): the message comes before the event. */
export function* ifUp(net: FreebsdNet, ifp: Ifnet): Task {
  yield* changeFlags(net, ifp, { set: IFF.UP });
  tellChange(net, ifp);
  yield* net.events.raise('ifnet_event', ifp, 'UP');
}

/** if_down(): the event comes while the flag is set still, and the driver hears nothing. */
export function* ifDown(net: FreebsdNet, ifp: Ifnet): Task {
  yield* net.events.raise('ifnet_event', ifp, 'DOWN');
  yield* changeFlags(net, ifp, { clear: IFF.UP });
  tellChange(net, ifp);
}

/** SIOCSIFFLAGS: `wanted` are the flags as user mode gives them, of which some cannot be changed. */
export function* setFlags(net: FreebsdNet, ifp: Ifnet, wanted: number): Task<Errno | undefined> {
  const flags = yield* ifp.flags.get();
  const isUp = (flags & IFF.UP) !== 0;
  const shallBeUp = (wanted & IFF.UP) !== 0;
  if (isUp && !shallBeUp) yield* ifDown(net, ifp);
  const all = IFF.UP | IFF.NOARP;
  yield* changeFlags(net, ifp, { set: wanted & all & ~IFF_CANTCHANGE, clear: ~wanted & all & ~IFF_CANTCHANGE });
  const methods = yield* ifp.methods.get();
  const errno = yield* methods.ioctl({ request: 'SIOCSIFFLAGS' }); // its result is of no account when it goes down
  if (isUp || !shallBeUp) return undefined;
  yield* ifUp(net, ifp);
  return errno;
}

function tellFlags(net: FreebsdNet, { dev, flags }: Ifnet, before: number): void {
  const now = flags.now;
  if (now === before || !net.sim.trace.hears('netdev.flags')) return;
  net.sim.trace.emit({
    kind: 'netdev.flags',
    dev,
    flags: now,
    gained: namesOf(now & ~before),
    lost: namesOf(before & ~now),
  });
}

const namesOf = (flags: number): string =>
  Object.entries(IFF)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
    .join(' ');
