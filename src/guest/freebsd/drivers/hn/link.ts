/**
 * hn's link: what the host says of it, told by tasks that are at rest while a VF is paired, whose link it shows then.
 * Source: if_hn.c (hn_link_taskfunc(), hn_netchg_init_taskfunc(), hn_netchg_status_taskfunc(), hn_suspend_mgmt(),
 * hn_resume_mgmt()); reference E.4.
 * What this leaves out: that the three tasks have one thread.
 */
import type { Task } from '../../../../sim/operation.ts';
import { setLinkState } from '../../net/link.ts';
import { queryLink } from './rndis.ts';
import type { Hn } from './softc.ts';

/** hn_update_link_status(). */
export function* noteLink(hn: Hn): Task {
  if (yield* hn.managesLink.get()) yield* hn.linkTask.schedule();
}

/** hn_change_network(): remembered when nobody looks after the link. */
export function* noteNetworkChange(hn: Hn): Task {
  yield* hn.networkChanged.set(true);
  if (yield* hn.managesLink.get()) yield* hn.networkTask.schedule();
}

/** hn_link_taskfunc(): of a host that does not answer it is left as it is. */
export function* updateLink(hn: Hn): Task {
  if (yield* hn.networkChanged.get()) return;
  yield* showLink(hn);
}

/** hn_netchg_init_taskfunc(): the link is down for a while, so that whoever watches it asks for its address again. */
export function* changeNetwork(hn: Hn): Task {
  yield* setLinkState(hn.kernel.net, hn.ifp, 'down');
  yield* hn.networkOverTask.schedule(hn.kernel.latency.of('hn.network-change'));
}

/** hn_netchg_status_taskfunc(). */
export function* endFakeDown(hn: Hn): Task {
  yield* hn.networkChanged.set(false);
  yield* showLink(hn);
}

function* showLink(hn: Hn): Task {
  const up = yield* queryLink(hn);
  if (up !== undefined) yield* setLinkState(hn.kernel.net, hn.ifp, up ? 'up' : 'down');
}

/** hn_suspend_mgmt(): when it is over none of the tasks runs. */
export function* suspendLink(hn: Hn): Task {
  yield* hn.managesLink.set(false);
  for (const task of [hn.linkTask, hn.networkTask, hn.networkOverTask]) yield* task.cancelSync();
}

/** hn_resume_mgmt(): a change of the network that was not told to its end is told anew. */
export function* resumeLink(hn: Hn): Task {
  yield* hn.managesLink.set(true);
  if (yield* hn.networkChanged.get()) yield* hn.networkTask.schedule();
  else yield* hn.linkTask.schedule();
}
