/**
 * if_alloc() and if_free(): an interface has its number from the one to the other, on whatever list it is meanwhile.
 * Source: net/if.c (if_alloc_domain(), ifindex_alloc(), if_free(), if_free_deferred()); reference A.5, A.10.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { giantMethods } from '../kern/giant.ts';
import { enterState, type FreebsdNet, fixed, kernelAssert, refuse } from '../net.ts';
import { freeDomains } from '../vnet/domains.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { changeFlags } from './flags.ts';
import { Ifnet, type IfnetOptions } from './ifnet.ts';
import { linkTask } from './link.ts';

/**
 * if_alloc() and if_initname(). It fails where the kernel knows that it has no number left (ENOSPC), and where nobody takes
 * the lock any more that the driver needs (EOPNOTSUPP, invented: such drivers were not built any more).
 */
export function* allocateIfnet(net: FreebsdNet, given: IfnetOptions): Task<Result<Ifnet, Errno>> {
  const vnet = net.curvnet.must;
  if (given.needsGiant === true && fixed(net, 'giant-drivers-refused'))
    return err(refuse(net, given.dev, 'if_alloc', 'EOPNOTSUPP'));
  const options =
    given.needsGiant === true ? { ...given, methods: giantMethods(net, given.dev, given.methods) } : given;
  const ifp = new Ifnet(net.sim, net.witness, vnet, options, (made) => linkTask(net, made));
  const errno = yield* takeIndex(net, ifp, vnet);
  if (errno !== undefined) return err(refuse(net, ifp.dev, 'if_alloc', errno));
  enterState(net, ifp, 'allocated');
  return ok(ifp);
}

/** ifindex_alloc(): a growing table waits for all readers, and everybody who wants the IFNET lock waits for that. */
export function* takeIndex(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task<Errno | undefined> {
  const { indices } = vnet;
  yield* net.ifnetLock.lock();
  const free = indices.findFree();
  if (free === 'looks for ever') {
    return yield* net.panic.spin(ifp.dev, 'ifindex_alloc: all numbers are taken, and the search wraps for ever');
  }
  if (free === 'ENOSPC') {
    yield* net.ifnetLock.unlock();
    return free;
  }
  const { index } = free;
  if (indices.isBeyond(index)) {
    yield* indices.grow();
    yield* net.epoch.wait();
  }
  ifp.numbered(index, yield* indices.publish(index, ifp));
  vnet.owns(index);
  tellIndex(net, ifp, vnet, true);
  yield* net.ifnetLock.unlock();
  return undefined;
}

/** ifindex_free(): the number can be given out again. */
export function* giveIndexBack(net: FreebsdNet, ifp: Ifnet, vnet: Vnet): Task {
  yield* net.ifnetLock.lock();
  const isOwn = yield* vnet.indices.clear(ifp.index, ifp);
  kernelAssert(net, isOwn, ifp.dev, `if_free: slot ${ifp.index} is not its own`);
  vnet.disowns(ifp.index);
  if (isOwn) tellIndex(net, ifp, vnet, false);
  yield* net.ifnetLock.unlock();
}

/** if_free(). The memory goes when the last reference is gone and all readers have left. */
export function* freeIfnet(net: FreebsdNet, ifp: Ifnet): Task {
  if (!(yield* ifp.memory.use('if_free'))) return;
  yield* changeFlags(net, ifp, { set: IFF.DYING });
  const vnet = yield* ifp.vnet.get();
  yield* giveIndexBack(net, ifp, vnet);
  enterState(net, ifp, 'index-freed');
  if (!(yield* releaseIfnet(net, ifp))) enterState(net, ifp, 'zombie');
}

/** if_rele(): true when it was the last reference. */
export function* releaseIfnet(net: FreebsdNet, ifp: Ifnet): Task<boolean> {
  const isLast = yield* ifp.references.release();
  if (isLast) yield* net.epoch.call(`free ${ifp.dev}`, () => freeDeferred(net, ifp));
  return isLast;
}

/** if_free_deferred(): nobody looks again whether there is a reference. */
function* freeDeferred(net: FreebsdNet, ifp: Ifnet): Task {
  const dying = ((yield* ifp.flags.get()) & IFF.DYING) !== 0;
  kernelAssert(net, dying, ifp.dev, 'if_free_deferred: not dying');
  kernelAssert(net, ifp.references.now === 0, ifp.dev, 'if_free_deferred: it is referred to again');
  yield* freeDomains(net, ifp);
  yield* ifp.memory.free('if_free_deferred');
  enterState(net, ifp, 'freed');
}

function tellIndex(net: FreebsdNet, ifp: Ifnet, vnet: Vnet, visible: boolean): void {
  const { dev, name: ifname, index: ifindex } = ifp;
  net.sim.trace.emit({ kind: 'ifnet.visible', dev, channel: 'index', visible, ifname, ifindex, vnet: vnet.name });
}
