/**
 * SIOCIFCREATE2: an interface comes into being because somebody asks for it by name. From the look whether the name is
 * free to the moment at which the list has it nothing reserves it. Source: net/if_clone.c (if_clone_create(),
 * if_clone_createif(), if_clone_addif()); reference C.2, whose numbers the steps have here.
 * What this leaves out: privileges, and the parameters of single kinds.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { joinGroup } from '../net/attach.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { asIoctl } from '../net/ioctl.ts';
import { isTooLong } from '../net/rename.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import { isShuttingDown } from '../vnet/vnets.ts';
import type { Cloner } from './cloner.ts';
import { destroyCloned } from './destroy.ts';
import { dropCloner } from './references.ts';
import { giveUnit, takeUnit } from './take-unit.ts';
import { unitOfName } from './unit-name.ts';

/** What netlink sets on a new interface before it answers. */
export type Attributes = (ifp: Ifnet) => Task<Errno | undefined>;

/**
 * `ifconfig tap0 create`, or `tap` for any free unit; gives the name that came of it. ENAMETOOLONG is what ifconfig says
 * itself; EBUSY: the vnet ends; EINVAL: no cloner takes the name for its own, or the unit is none; EEXIST, ENOSPC: see
 * {@link takeUnit}. Other errors are those of the kind.
 */
export function* createClone(
  net: FreebsdNet,
  vnet: Vnet,
  name: string,
  attributes?: Attributes,
): Task<Result<string, Errno>> {
  const made = yield* asIoctl(net, net.curvnet.within(vnet, create(net, vnet, name, attributes)));
  return made.ok ? ok(made.value.name) : err(refuse(net, '', `SIOCIFCREATE2 ${name}`, made.error));
}

function* create(net: FreebsdNet, vnet: Vnet, name: string, attributes?: Attributes): Task<Result<Ifnet, Errno>> {
  if (isTooLong(name)) return err('ENAMETOOLONG');
  if (isShuttingDown(vnet)) return err('EBUSY');
  const refer = fixed(net, 'cloner-referenced');
  const cloner = yield* vnet.cloners.match(name, vnet, refer); // 2
  if (cloner === undefined) return err('EINVAL');
  const locks = fixed(net, 'naming-lock');
  if (locks) yield* net.namingLock.lock();
  const made = yield* createWith(net, cloner, name);
  if (locks) yield* net.namingLock.unlock();
  const errno = made.ok && attributes !== undefined ? yield* attributes(made.value) : undefined; // 7
  if (made.ok && errno !== undefined && fixed(net, 'create-undone'))
    yield* destroyCloned(net, cloner, made.value, true);
  if (refer) yield* dropCloner(cloner);
  return errno === undefined ? made : err(errno);
}

/** if_clone_createif(). */
export function* createWith(net: FreebsdNet, cloner: Cloner, name: string): Task<Result<Ifnet, Errno>> {
  const { type, vnet } = cloner;
  if (!(yield* cloner.memory.use('if_clone_createif'))) return err('EINVAL');
  if ((yield* vnet.interfaces.find(name)) !== undefined) return err('EEXIST'); // 3
  const unit = type.autoUnit ? yield* unitFor(net, cloner, name) : undefined; // 4
  if (unit !== undefined && !unit.ok) return unit;
  const full = unit === undefined ? name : `${type.name}${unit.value}`;
  if (isTooLong(full)) return yield* net.panic.because('', `if_clone_createif: no room for the unit of ${full}`);
  const made = yield* type.create(cloner, { name: full, unit: unit?.value }); // 5
  if (!made.ok) {
    if (unit !== undefined) yield* giveUnit(net, cloner, unit.value);
    return made;
  }
  yield* linkCloned(net, cloner, made.value); // 6
  return made;
}

function* unitFor(net: FreebsdNet, cloner: Cloner, name: string): Task<Result<number, Errno>> {
  const wanted = unitOfName(name);
  return wanted.ok ? yield* takeUnit(net, cloner, wanted.value) : wanted;
}

/** if_clone_addif(): only from here on it can be destroyed. */
export function* linkCloned(net: FreebsdNet, cloner: Cloner, ifp: Ifnet): Task {
  if (!(yield* ifp.memory.use('if_clone_addif'))) return;
  yield* joinGroup(net, ifp, yield* ifp.vnet.get(), cloner.type.name);
  yield* cloner.memory.use('if_clone_addif');
  yield* cloner.interfaces.insert(ifp);
}
