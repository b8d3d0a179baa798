/**
 * if_detach() and ether_ifdetach(), step by step, with what user mode sees after each. Source: net/if.c
 * (if_unlink_ifnet(), if_detach_internal(), if_dead()); reference A.9, A.15.
 * What this leaves out: ALTQ, and the protocols' own hooks for an interface that goes.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { enterState, type FreebsdNet, fixed, refuse } from '../net.ts';
import { purgeAddresses } from '../netinet/addresses.ts';
import { flushRoutes } from '../netinet/interface-routes.ts';
import { purgeMulticast } from '../netinet/multicast.ts';
import { leaveSockets } from '../netinet/multicast-socket.ts';
import { detachDomains } from '../vnet/domains.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { isShuttingDown } from '../vnet/vnets.ts';
import { leaveGroups, notify } from './attach.ts';
import { detachTap } from './bpf-tap.ts';
import { changeFlags, ifDown } from './flags.ts';
import type { IfMethods, Ifnet } from './ifnet.ts';

/** ether_ifdetach() and if_detach(). ENOENT when it is on no list: older kernels return silently then, newer ones panic (G-3). */
export function* detachIfnet(net: FreebsdNet, ifp: Ifnet): Task<Errno | undefined> {
  if (!(yield* ifp.memory.use('if_detach'))) return 'ENOENT';
  yield* net.ngEther.detach(ifp);
  yield* detachTap(net, ifp);
  const takesLockFirst = fixed(net, 'unlink-under-detach');
  if (takesLockFirst) yield* net.detachLock.lock();
  const vnet = yield* ifp.vnet.get();
  const errno = yield* net.curvnet.within(vnet, detachFrom(net, ifp, vnet, takesLockFirst));
  if (takesLockFirst) yield* net.detachLock.unlock();
  return errno;
}

function* detachFrom(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, hasLock: boolean): Task<Errno | undefined> {
  const locks = !hasLock && fixed(net, 'detach-lock');
  if (fixed(net, 'down-before-unlink')) yield* ifDown(net, ifp);
  if (!(yield* unlinkIfnet(net, ifp, vnet, 'unlinked'))) {
    if (hasLock) yield* net.panic.because(ifp.dev, `if_detach: ${ifp.name} is on no list`);
    return refuse(net, ifp.dev, 'if_detach', 'ENOENT');
  }
  if (locks) yield* net.detachLock.lock();
  yield* detachInternal(net, ifp, vnet, 'unlinked');
  if (locks) yield* net.detachLock.unlock();
  return undefined;
}

/** if_unlink_ifnet(): off the list; it is found by its number still. False when it was not there. */
export function* unlinkIfnet(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, why: 'unlinked' | 'moving'): Task<boolean> {
  yield* net.ifnetLock.lock();
  const found = yield* vnet.interfaces.remove(ifp);
  if (found && why === 'unlinked') yield* changeFlags(net, ifp, { set: IFF.DYING });
  if (found || !fixed(net, 'count-what-was-found')) vnet.count--;
  if (found) enterState(net, ifp, why);
  else
    net.sim.trace.emit({ kind: 'vnet.count', vnet: vnet.name, count: vnet.count, listed: vnet.interfaces.now.length });
  yield* net.ifnetLock.unlock();
  return found;
}

/** if_detach_internal(); numbers are those of reference A.9. */
export function* detachInternal(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, why: 'unlinked' | 'moving'): Task {
  const shuttingDown = isShuttingDown(vnet); // 4.1
  yield* net.epoch.wait(); // 4.2
  yield* net.epoch.drain();
  yield* leaveGroups(net, ifp, vnet); // 4.3
  yield* net.taskqueue.drain(ifp.linkTask); // 4.4
  yield* ifDown(net, ifp); // 4.5
  if (shuttingDown) {
    yield* net.events.raise('ifnet_departure_event', ifp); // 4.6
  } else {
    yield* purgeAddresses(net, ifp); // 4.8
    yield* leaveSockets(net, ifp, vnet); // 4.9
    yield* purgeMulticast(net, ifp); // 4.10
    yield* net.events.raise('ifnet_departure_event', ifp); // 4.11
    if (vnet === net.vnet0) notify(net, ifp, 'IFNET', 'DETACH');
    if (why === 'unlinked') yield* ifp.methods.set(DEAD);
    yield* flushRoutes(vnet, ifp);
  }
  yield* detachDomains(net, ifp); // 4.12
}

/** if_dead(): what a driver's methods are once the interface is gone (net/if_dead.c). */
const DEAD: IfMethods = {
  *ioctl() {
    return 'ENXIO';
  },
  *transmit() {
    return 'ENXIO';
  },
};
