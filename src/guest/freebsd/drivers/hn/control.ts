/**
 * Up, down and the other requests of the stack to hn. Source: if_hn.c (hn_init_locked(), hn_stop(), hn_suspend_data(),
 * hn_ioctl()); reference E.4.
 * What this leaves out: media, RSS keys, and every request that is not handed on to the VF anyway.
 */
import { ms } from '../../../../base/time.ts';
import type { Task } from '../../../../sim/operation.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import type { DriverRequest } from '../../net/ifnet.ts';
import { fixed } from '../../net.ts';
import { configureFilter } from './filter.ts';
import { resumeLink, suspendLink } from './link.ts';
import { setDatapath } from './nvs.ts';
import { setPacketFilter } from './rndis.ts';
import { giveTime, type Hn, hnLog } from './softc.ts';
import { attachSynthetic, detachSynthetic } from './synthetic.ts';
import { enable, passFlags, readyVf, setEnabled, setVfMtu } from './vf.ts';

export function* ioctl(hn: Hn, request: DriverRequest): Task<Errno | undefined> {
  yield* hn.lock.lock();
  const errno = hn.session.now === undefined ? undefined : yield* control(hn, request);
  yield* hn.lock.unlock();
  return errno;
}

function* control(hn: Hn, request: DriverRequest): Task<Errno | undefined> {
  switch (request.request) {
    case 'SIOCSIFFLAGS':
      return yield* takeFlags(hn);
    case 'SIOCSIFMTU':
      return yield* changeMtu(hn, request.mtu);
    case 'SIOCADDMULTI':
    case 'SIOCDELMULTI': {
      if (!isRunning(hn)) return undefined;
      yield* configureFilter(hn);
      const vf = yield* readyVf(hn);
      return vf === undefined || !hn.vfEnabled.now ? undefined : yield* passFlags(hn, vf, IFF.UP);
    }
  }
}

const isRunning = (hn: Hn): boolean => (hn.ifp.drvFlags.now & IFF.RUNNING) !== 0;

function* takeFlags(hn: Hn): Task<Errno | undefined> {
  const up = ((yield* hn.ifp.flags.get()) & IFF.UP) !== 0;
  if (up && !isRunning(hn)) yield* init(hn);
  else if (!up && isRunning(hn)) yield* stop(hn);
  else if (up) {
    yield* configureFilter(hn);
    const vf = yield* readyVf(hn);
    if (vf !== undefined && hn.vfEnabled.now) return yield* passFlags(hn, vf, IFF.UP);
  }
  return undefined;
}

/** hn_init_locked(). */
function* init(hn: Hn): Task {
  if (!(yield* configureFilter(hn))) hnLog(hn, 'err', 'cannot set the RX filter');
  yield* resumeData(hn);
  const vf = yield* readyVf(hn);
  if (vf !== undefined && !hn.vfEnabled.now) yield* enable(hn, vf);
}

function* resumeData(hn: Hn): Task {
  yield* hn.sends.open(hn.session.now?.chimney.sections ?? 0);
  yield* hn.ifp.drvFlags.update((flags) => flags | IFF.RUNNING);
}

/** hn_stop(): the path leaves the VF before that goes down. */
export function* stop(hn: Hn): Task {
  yield* hn.ifp.drvFlags.update((flags) => flags & ~IFF.RUNNING);
  const vf = hn.vf.now;
  if (hn.vfEnabled.now && vf !== undefined) {
    yield* setEnabled(hn, false);
    yield* setDatapath(hn, 'synthetic');
    yield* passFlags(hn, vf, 0);
  }
  yield* suspendData(hn);
  if (hn.receivesByVf.now) yield* configureFilter(hn);
}

/** hn_suspend_data(): what is on its way to the host is waited for; of what comes nobody can know when it ends. */
function* suspendData(hn: Hn): Task {
  const { sim } = hn.kernel;
  yield* hn.sends.destroy();
  while (hn.sends.onTheirWay > 0 && !hn.device.channel.rescinded.now) yield* sim.sleep(ms(1), 'frames on their way');
  yield* setPacketFilter(hn, 0);
  yield* giveTime(hn, 'frames that the host has sent');
}

/**
 * SIOCSIFMTU: the VF first; then the synthetic part is taken down and brought up again, and the host asked for the VF
 * anew. If it does not come up, hn stays without it, and the VF has the new MTU (G-49).
 */
function* changeMtu(hn: Hn, mtu: number): Task<Errno | undefined> {
  const before = hn.ifp.mtu;
  if (mtu === before) return undefined;
  const vf = yield* readyVf(hn);
  if (vf !== undefined) {
    const refused = yield* setVfMtu(hn, vf, mtu);
    if (refused !== undefined) return refused;
  }
  const wasRunning = isRunning(hn);
  yield* suspendLink(hn);
  if (wasRunning) yield* suspendData(hn);
  yield* detachSynthetic(hn);
  let failed = yield* attachSynthetic(hn, mtu);
  if (failed !== undefined && fixed(hn.kernel.net, 'hn-mtu-rollback')) {
    if (vf !== undefined) yield* setVfMtu(hn, vf, before);
    const error = failed;
    failed = yield* attachSynthetic(hn, before);
    if (failed === undefined) yield* resume(hn, wasRunning);
    return error;
  }
  if (failed !== undefined) return failed;
  yield* resume(hn, wasRunning);
  return undefined;
}

/** hn_resume(): the link is the VF's business while there is one. */
function* resume(hn: Hn, wasRunning: boolean): Task {
  if (wasRunning) {
    yield* configureFilter(hn);
    yield* resumeData(hn);
  }
  if (hn.vf.now === undefined) yield* resumeLink(hn);
  if (hn.vfEnabled.now || hn.receivesByVf.now) yield* setDatapath(hn, 'vf');
}
