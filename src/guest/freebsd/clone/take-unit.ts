/**
 * Which unit a new interface gets. Source: net/if_clone.c (ifc_alloc_unit(), ifc_alloc_unit_specific(),
 * ifc_alloc_unit_next(), ifc_free_unit()); reference C.2, C.5; the two steps on the way there are those of seed 002.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Cloner } from './cloner.ts';
import { dropCloner } from './references.ts';

/** ifc_alloc_unit(): the wanted unit, or, where none is wanted, one that is free. Each has a reference to the cloner. */
export function* takeUnit(net: FreebsdNet, cloner: Cloner, wanted: number | undefined): Task<Result<number, Errno>> {
  const found = wanted === undefined ? yield* takeAny(net, cloner) : yield* takeOne(net, cloner, wanted);
  if (found.ok && fixed(net, 'unit-map-counted')) yield* cloner.references.acquire();
  return found;
}

/** ifc_free_unit(). */
export function* giveUnit(net: FreebsdNet, cloner: Cloner, unit: number): Task {
  if (!(yield* cloner.unitMap.use('ifc_free_unit'))) return;
  yield* cloner.units.give(unit);
  if (fixed(net, 'unit-map-counted')) yield* dropCloner(cloner);
}

/** ENOSPC: there is no such unit; EEXIST: it is taken, or there is an interface of its name all the same. */
function* takeOne(net: FreebsdNet, cloner: Cloner, unit: number): Task<Result<number, Errno>> {
  const { units } = cloner;
  if (unit > units.most && fixed(net, 'unit-range-checked')) return err('ENOSPC');
  if (!(yield* cloner.unitMap.use('ifc_alloc_unit')) || !(yield* units.take(unit))) return err('EEXIST');
  if (!(yield* isNameTaken(net, cloner, unit))) return ok(unit);
  if (fixed(net, 'unit-given-back')) yield* units.give(unit);
  return err('EEXIST');
}

/** The lowest that is free, or the next one whose name is free as well. ENOSPC when all are taken. */
function* takeAny(net: FreebsdNet, cloner: Cloner): Task<Result<number, Errno>> {
  const { units } = cloner;
  if (!(yield* cloner.unitMap.use('ifc_alloc_unit'))) return err('ENOSPC');
  if (!fixed(net, 'unit-given-back')) return yield* takeUntilNameIsFree(net, cloner);
  const lowest = yield* units.takeLowest();
  if (lowest === undefined) return err('ENOSPC');
  if (fixed(net, 'unit-kept') && !(yield* isNameTaken(net, cloner, lowest))) return ok(lowest);
  yield* units.give(lowest);
  for (let unit = lowest; unit <= units.most; unit++) {
    const taken = yield* takeOne(net, cloner, unit);
    if (taken.ok || taken.error !== 'EEXIST') return taken;
  }
  return err('ENOSPC');
}

/** As it was in 2011: a unit whose name is taken is kept for ever, and the next one tried (G-18). */
function* takeUntilNameIsFree(net: FreebsdNet, cloner: Cloner): Task<Result<number, Errno>> {
  for (;;) {
    const unit = yield* cloner.units.takeLowest();
    if (unit === undefined) return err('ENOSPC');
    if (!(yield* isNameTaken(net, cloner, unit))) return ok(unit);
  }
}

/** Before 2011 nobody looked (C5-a). */
function* isNameTaken(net: FreebsdNet, { type, vnet }: Cloner, unit: number): Task<boolean> {
  if (!fixed(net, 'clone-name-checked')) return false;
  return (yield* vnet.interfaces.find(`${type.name}${unit}`)) !== undefined;
}
