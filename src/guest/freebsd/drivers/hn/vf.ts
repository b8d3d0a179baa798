/**
 * An hn and its VF in transparent mode: how they find each other, how the VF becomes ready and carries, how it leaves.
 * Source: if_hn.c (hn_ifnet_attevent(), hn_xpnt_vf_init_taskfunc(), hn_xpnt_vf_init(), hn_ifnet_detevent()); reference
 * E.3, E.4.
 * What this leaves out: RSS, and VFs that use if_start.
 */
import type { Task } from '../../../../sim/operation.ts';
import type { Errno } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import { tap } from '../../net/bpf.ts';
import { changeFlags } from '../../net/flags.ts';
import type { Ifnet, InputMethod } from '../../net/ifnet.ts';
import type { LinkState } from '../../net/ifnet-state.ts';
import { setLinkState } from '../../net/link.ts';
import { fixed, kernelAssert } from '../../net.ts';
import { giveCapabilitiesBack, narrowCapabilities } from './capabilities.ts';
import { resumeLink, suspendLink } from './link.ts';
import { isMyVf, isTransparent } from './matching.ts';
import { receiveByVf } from './non-transparent.ts';
import { setDatapath } from './nvs.ts';
import { type Hn, hnLog } from './softc.ts';

/** hn_ifnet_attevent(): in the context of the VF's driver, which has its address now. */
export function* pair(hn: Hn, vf: Ifnet): Task {
  yield* hn.lock.lock();
  if (hn.session.now !== undefined && isMyVf(hn, vf)) {
    const other = hn.vf.now;
    if (other === undefined) yield* take(hn, vf);
    else hnLog(hn, 'warn', `${other.name} was already attached as VF`);
  }
  yield* hn.lock.unlock();
}

function* take(hn: Hn, vf: Ifnet): Task {
  const { sim, net, latency } = hn.kernel;
  yield* hn.map.lock.lock();
  const before = hn.map.put(vf.index, hn);
  kernelAssert(net, before === undefined, vf.dev, `hn_ifnet_attevent: slot ${vf.index} of the VF map is taken`);
  yield* hn.map.lock.unlock();
  yield* hn.vfLock.lock();
  yield* hn.vf.set(vf);
  yield* hn.vfLock.unlock();
  sim.trace.emit({ kind: 'netvsc.vf', nic: hn.dev, dev: vf.dev, joined: true });
  if (!isTransparent(hn)) return;
  hn.vfInput = yield* vf.input.exchange(redirected(hn));
  yield* suspendLink(hn);
  const wait = latency.of('hn.vf-attach-wait');
  hn.vfReadyAt = sim.now + wait;
  yield* hn.readyTask.schedule(wait);
}

/**
 * hn_xpnt_vf_input(): what a paired VF receives is hn's. Nothing keeps the hn that stands in the map from going meanwhile,
 * but the epoch section in which a receiver is (G-37).
 */
function redirected({ map }: Hn): InputMethod {
  return function* (vf, frame) {
    yield* map.lock.lockShared();
    const hn = map.at(vf.index);
    yield* map.lock.unlockShared();
    if (hn === undefined) return;
    yield* tap(vf, frame);
    if (!(yield* hn.memory.use('hn_xpnt_vf_input'))) return;
    const input = yield* hn.ifp.input.get();
    yield* input(hn.ifp, frame);
  };
}

/** hn_xpnt_vf_init_taskfunc(), when drivers have had time to set their interface up. */
export function* readyTask(hn: Hn): Task {
  yield* hn.lock.lock();
  const vf = hn.vf.now;
  if (hn.session.now !== undefined && vf !== undefined) {
    if (hn.vfReadyAt !== undefined) yield* setReady(hn, vf);
    if (isRunning(hn) && !hn.vfEnabled.now) yield* enable(hn, vf);
  }
  yield* hn.lock.unlock();
}

/** hn_xpnt_vf_isready(): the VF, made ready if its time has come; with the HN lock. */
export function* readyVf(hn: Hn): Task<Ifnet | undefined> {
  const vf = hn.vf.now;
  if (vf === undefined || !isTransparent(hn)) return undefined;
  if (hn.vfReadyAt === undefined) return vf;
  if (hn.vfReadyAt > hn.kernel.sim.now) return undefined;
  yield* setReady(hn, vf);
  return vf;
}

const isRunning = (hn: Hn): boolean => (hn.ifp.drvFlags.now & IFF.RUNNING) !== 0;

/** hn_xpnt_vf_setready(): what both can, and the MTU of hn. */
function* setReady(hn: Hn, vf: Ifnet): Task {
  hn.vfReadyAt = undefined;
  narrowCapabilities(hn, vf);
  const { mtu } = hn.ifp;
  if (mtu === ETHERMTU) return;
  const failed = yield* setVfMtu(hn, vf, mtu);
  if (failed === undefined) return;
  hnLog(hn, 'warn', `${vf.name} change mtu to ${mtu} failed`);
  if (mtu < ETHERMTU) return;
  hn.ifp.mtu = ETHERMTU;
  hn.kernel.sim.trace.emit({ kind: 'netdev.mtu', dev: hn.dev, mtu: ETHERMTU });
}

const ETHERMTU = 1500;

/** SIOCSIFMTU of the VF, by its driver's own method. */
export function* setVfMtu({ kernel }: Hn, vf: Ifnet, mtu: number): Task<Errno | undefined> {
  const methods = yield* vf.methods.get();
  const errno = yield* methods.ioctl({ request: 'SIOCSIFMTU', mtu });
  if (errno !== undefined) return errno;
  vf.mtu = mtu;
  kernel.sim.trace.emit({ kind: 'netdev.mtu', dev: vf.dev, mtu });
  return undefined;
}

/** hn_xpnt_vf_init(): the host may send by the VF only when that is up. A VF that fails is not tried again. */
export function* enable(hn: Hn, vf: Ifnet): Task {
  const failed = yield* passFlags(hn, vf, IFF.UP);
  if (failed !== undefined) {
    hnLog(hn, 'warn', `bring up ${vf.name} failed: ${failed}`);
    return;
  }
  yield* setDatapath(hn, 'vf');
  yield* setEnabled(hn, true);
}

/** The flags that hn may mean to change; the rest of the word is not its business (G-34). */
const MEANT = IFF.UP | IFF.PROMISC | IFF.ALLMULTI;

/**
 * hn_xpnt_vf_saveifflags() and hn_xpnt_vf_iocsetflags(): hn's flags become the VF's, with all multicast groups where hn has
 * any, and its driver is told. `up`: whether UP is among them, whatever hn has.
 */
export function* passFlags(hn: Hn, vf: Ifnet, up: typeof IFF.UP | 0): Task<Errno | undefined> {
  const { net } = hn.kernel;
  const multicast = hn.ifp.multicast.length > 0 ? IFF.ALLMULTI : 0;
  const word = ((yield* hn.ifp.flags.get()) & ~IFF.UP) | multicast | up;
  if (!(yield* vf.memory.use('hn_xpnt_vf_saveifflags'))) return 'ENXIO';
  const meant = fixed(net, 'hn-copies-selected-flags') ? MEANT : ~0;
  yield* changeFlags(net, vf, { set: word & meant, clear: ~word & meant });
  const methods = yield* vf.methods.get();
  return yield* methods.ioctl({ request: 'SIOCSIFFLAGS' });
}

/** hn_xpnt_vf_setenable() and hn_xpnt_vf_setdisable(). */
export function* setEnabled(hn: Hn, isEnabled: boolean): Task {
  if (hn.vfEnabled.now === isEnabled) return;
  yield* hn.vfLock.lock();
  yield* hn.vfEnabled.set(isEnabled);
  yield* hn.vfLock.unlock();
  hn.kernel.sim.trace.emit({ kind: 'guest.datapath', nic: hn.dev, path: isEnabled ? 'vf' : 'synthetic' });
}

/** hn_ifnet_detevent(): of whatever has the address of hn, or of the very VF that it has. */
export function* unpair(hn: Hn, vf: Ifnet): Task {
  const { net, sim } = hn.kernel;
  if (fixed(net, 'hn-heeds-renaming') && ((yield* vf.flags.get()) & IFF.RENAMING) !== 0) return;
  yield* hn.lock.lock();
  const isIts = fixed(net, 'hn-knows-its-vf') ? hn.vf.now === vf : hn.vf.now !== undefined && isMyVf(hn, vf);
  if (isIts) {
    if (isTransparent(hn)) yield* leave(hn, vf);
    else if (hn.receivesByVf.now) yield* receiveByVf(hn, vf, false);
    yield* hn.vfLock.lock();
    yield* hn.vf.set(undefined);
    yield* hn.vfLock.unlock();
    yield* hn.map.lock.lock();
    const was = hn.map.clear(vf.index);
    kernelAssert(net, was === hn, vf.dev, `hn_ifnet_detevent: slot ${vf.index} of the VF map is not its own`);
    yield* hn.map.lock.unlock();
    sim.trace.emit({ kind: 'netvsc.vf', nic: hn.dev, dev: vf.dev, joined: false });
  }
  yield* hn.lock.unlock();
}

/** The transparent part of it: what is sent goes to the VF until the end. */
function* leave(hn: Hn, vf: Ifnet): Task {
  yield* hn.lock.unlock();
  yield* hn.readyTask.cancelSync();
  yield* hn.lock.lock();
  if (hn.vfInput !== undefined) yield* vf.input.set(hn.vfInput);
  hn.vfInput = undefined;
  if (hn.session.now !== undefined && hn.vfEnabled.now) yield* setDatapath(hn, 'synthetic');
  if (hn.vfReadyAt === undefined) giveCapabilitiesBack(hn, vf);
  hn.vfReadyAt = undefined;
  yield* resumeLink(hn);
  yield* setEnabled(hn, false);
}

/** hn_ifnet_lnkevent(): the link of hn is that of its VF. */
export function* followVfLink(hn: Hn, vf: Ifnet, state: LinkState): Task {
  if ((yield* hn.vf.get()) === vf) yield* setLinkState(hn.kernel.net, hn.ifp, state);
}

/** What no hn does in this mode: hear that its VF goes down, or comes up, by the hand of somebody else. */
export function* followVfUpDown(hn: Hn, vf: Ifnet, isUp: boolean): Task {
  yield* hn.lock.lock();
  if (hn.vf.now === vf && hn.session.now !== undefined) {
    if (!isUp && hn.vfEnabled.now) {
      yield* setDatapath(hn, 'synthetic');
      yield* setEnabled(hn, false);
    } else if (isUp && isRunning(hn) && !hn.vfEnabled.now && (yield* readyVf(hn)) !== undefined) {
      yield* enable(hn, vf);
    }
  }
  yield* hn.lock.unlock();
}
