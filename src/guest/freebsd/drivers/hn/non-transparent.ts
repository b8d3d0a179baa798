/**
 * The other mode: hn only tells the host to send by the VF while that is up, and hands what comes by the old path to it;
 * what runs on the VF is user mode's business. Source: if_hn.c (hn_set_vf(), hn_ifnet_event(), hn_ifaddr_event());
 * reference E.5.
 * What this leaves out: RSS, and that each ring changes over in a task of its channel.
 */
import type { Task } from '../../../../sim/operation.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import type { IfnetEventCode } from '../../kern/eventhandler.ts';
import type { Ifnet } from '../../net/ifnet.ts';
import { setLinkState } from '../../net/link.ts';
import { configureFilter } from './filter.ts';
import { resumeLink, suspendLink } from './link.ts';
import { isMyVf } from './matching.ts';
import { setDatapath } from './nvs.ts';
import type { Hn } from './softc.ts';

/** hn_ifnet_event(). */
export function* onVfUpDown(hn: Hn, ifp: Ifnet, code: IfnetEventCode): Task {
  if (code === 'UP' || code === 'DOWN') yield* change(hn, ifp, code === 'UP');
}

/** hn_ifaddr_event(): by whether it is up now. */
export function* onVfAddress(hn: Hn, ifp: Ifnet): Task {
  yield* change(hn, ifp, ((yield* ifp.flags.get()) & IFF.UP) !== 0);
}

function* change(hn: Hn, ifp: Ifnet, isUp: boolean): Task {
  yield* hn.lock.lock();
  if (hn.session.now !== undefined && isMyVf(hn, ifp) && hn.receivesByVf.now !== isUp)
    yield* receiveByVf(hn, ifp, isUp);
  yield* hn.lock.unlock();
}

/** hn_set_vf(), with the HN lock. */
export function* receiveByVf(hn: Hn, vf: Ifnet, begins: boolean): Task {
  const { sim, net } = hn.kernel;
  yield* hn.receivesByVf.set(begins);
  yield* configureFilter(hn);
  yield* setDatapath(hn, begins ? 'vf' : 'synthetic');
  sim.trace.emit({ kind: 'guest.datapath', nic: hn.dev, path: begins ? 'vf' : 'synthetic' });
  if (begins) {
    yield* suspendLink(hn);
    yield* setLinkState(net, hn.ifp, 'down');
  } else {
    yield* resumeLink(hn);
  }
  const { name } = hn.ifp;
  const type = begins ? 'VF_UP' : 'VF_DOWN';
  net.devctl.notify({ system: 'HYPERV_NIC_VF', subsystem: name, type, data: '', dev: vf.dev });
}
