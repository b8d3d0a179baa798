/**
 * The link state: a driver reports it, and a task tells of it later; changes in between are one. Source: net/if.c
 * (if_link_state_change(), do_link_state_change()); reference A.8.
 */
import type { Task } from '../../../sim/operation.ts';
import { IFF } from '../../uapi/freebsd.ts';
import type { DeferredTask } from '../kern/taskqueue.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { tellChange } from './announce.ts';
import type { Ifnet } from './ifnet.ts';
import type { LinkState } from './ifnet-state.ts';

/** if_link_state_change(). No reference is taken for the task (G-7). */
export function* setLinkState(net: FreebsdNet, ifp: Ifnet, state: LinkState): Task {
  const before = yield* ifp.link.exchange(state);
  if (before === state) return;
  net.sim.trace.emit({ kind: 'netdev.carrier', dev: ifp.dev, up: state === 'up' });
  if (fixed(net, 'no-late-link-event') && ((yield* ifp.flags.get()) & IFF.DYING) !== 0) return;
  yield* net.taskqueue.enqueue(ifp.linkTask);
}

export function linkTask(net: FreebsdNet, ifp: Ifnet): DeferredTask {
  return { name: `link task of ${ifp.dev}`, body: (pending) => tellLinkState(net, ifp, pending) };
}

/** do_link_state_change(): tells the latest state, whatever was between. */
function* tellLinkState(net: FreebsdNet, ifp: Ifnet, pending: number): Task {
  if (!(yield* ifp.memory.use('link task'))) return;
  const vnet = yield* ifp.vnet.get();
  yield* net.curvnet.within(vnet, tell(net, ifp, pending));
}

function* tell(net: FreebsdNet, ifp: Ifnet, pending: number): Task {
  const state = yield* ifp.link.get();
  const { dev, name } = ifp;
  tellChange(net, ifp);
  if (pending > 1) log(net, dev, `${name}: ${pending} link states coalesced`);
  if (state !== 'unknown' && net.curvnet.now === net.vnet0) {
    const type = state === 'up' ? 'LINK_UP' : 'LINK_DOWN';
    net.devctl.notify({ system: 'IFNET', subsystem: name, type, data: '', dev });
  }
  log(net, dev, `${name}: link state changed to ${state.toUpperCase()}`);
  yield* net.events.raise('ifnet_link_event', ifp, state);
}

function log(net: FreebsdNet, dev: string, text: string): void {
  net.sim.trace.emit({ kind: 'log', level: 'notice', dev, text });
}
