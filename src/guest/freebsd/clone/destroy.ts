/**
 * SIOCIFDESTROY: the cloner that made an interface takes it away again, whatever it is called and wherever it is by then.
 * Source: net/if_clone.c (if_clone_destroy(), if_clone_destroyif_flags()), net/if.c (ifioctl(), which has the DETACH lock
 * meanwhile since r368237); reference C.3, whose numbers the steps have here.
 * What this leaves out: privileges.
 */
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { releaseIfnet } from '../net/allocate.ts';
import { joinGroup, leaveGroup } from '../net/attach.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { asIoctl } from '../net/ioctl.ts';
import { byNameReferenced } from '../net/lookup.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { isShuttingDown } from '../vnet/vnets.ts';
import type { Cloner } from './cloner.ts';
import { dropCloner } from './references.ts';
import { giveUnit } from './take-unit.ts';

/**
 * `ifconfig tap0 destroy`. EBUSY: the vnet ends; ENXIO: there is no such interface, or somebody else destroys it, or it is
 * not all made yet; EINVAL: nobody has cloned it, or it cannot be done without; EOPNOTSUPP: its kind cannot be destroyed.
 */
export function* destroyClone(net: FreebsdNet, vnet: Vnet, name: string): Task<Errno | undefined> {
  const errno = yield* asIoctl(net, destroyNamed(net, vnet, name));
  return errno === undefined ? undefined : refuse(net, '', `SIOCIFDESTROY ${name}`, errno);
}

function* destroyNamed(net: FreebsdNet, vnet: Vnet, name: string): Task<Errno | undefined> {
  if (isShuttingDown(vnet)) return 'EBUSY';
  const locks = fixed(net, 'detach-lock');
  if (locks) yield* net.detachLock.lock(); // 1
  const ifp = yield* byNameReferenced(net, vnet, name); // 2
  let errno: Errno | undefined = 'ENXIO';
  if (ifp !== undefined) {
    errno = yield* destroyByCloner(net, ifp);
    yield* releaseIfnet(net, ifp);
  }
  if (locks) yield* net.detachLock.unlock();
  return errno;
}

function* destroyByCloner(net: FreebsdNet, ifp: Ifnet): Task<Errno | undefined> {
  const refer = fixed(net, 'cloner-referenced');
  const cloner = yield* ifp.homeVnet?.cloners.named(ifp.dname, refer) ?? none(); // 3
  if (cloner === undefined) return 'EINVAL';
  const errno = yield* destroyCloned(net, cloner, ifp, false);
  if (refer) yield* dropCloner(cloner);
  return errno;
}

/** if_clone_destroyif_flags(). When the kind refuses, all is as it was before, but its place on the list. */
export function* destroyCloned(net: FreebsdNet, cloner: Cloner, ifp: Ifnet, force: boolean): Task<Errno | undefined> {
  const locks = fixed(net, 'cloner-locks-detach');
  if (locks) yield* net.detachLock.lock();
  const vnet = yield* ifp.vnet.get();
  const errno = yield* net.curvnet.within(vnet, destroyIn(net, cloner, ifp, { vnet, force }));
  if (locks) yield* net.detachLock.unlock();
  return errno;
}

function* destroyIn(
  net: FreebsdNet,
  cloner: Cloner,
  ifp: Ifnet,
  { vnet, force }: { readonly vnet: Vnet; readonly force: boolean },
): Task<Errno | undefined> {
  const { type } = cloner;
  if (!(yield* cloner.memory.use('if_clone_destroyif'))) return 'ENXIO';
  if (!(yield* cloner.interfaces.remove(ifp))) return 'ENXIO'; // 4
  yield* leaveGroup(net, ifp, vnet, type.name);
  const errno = yield* destroyByType(cloner, ifp, force); // 5
  if (errno !== undefined) {
    yield* joinGroup(net, ifp, vnet, type.name);
    yield* cloner.interfaces.insert(ifp);
    return errno;
  }
  if (type.autoUnit && ifp.dunit !== undefined) yield* giveUnit(net, cloner, ifp.dunit);
  return undefined;
}

function* destroyByType(cloner: Cloner, ifp: Ifnet, force: boolean): Task<Errno | undefined> {
  const { destroy, mandatory = 0 } = cloner.type;
  if (destroy === undefined) return 'EOPNOTSUPP';
  if (!force && (ifp.dunit ?? mandatory) < mandatory) return 'EINVAL';
  return yield* destroy(cloner, ifp, force);
}

function* none(): Task<undefined> {}
