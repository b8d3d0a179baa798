/**
 * What must hold of cloners when nothing is under way (reference C.7): INV-C1, INV-C2 and, of what INV-C3 says, that
 * nothing is left of a create that failed; INV-C7 of whoever stands still.
 */
import type { Context } from '../../../sim/context.ts';
import { TunDevice } from '../cloners/tun-device.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Cloner } from './cloner.ts';

export interface Violation {
  readonly invariant: 'INV-C1' | 'INV-C2' | 'INV-C3' | 'INV-C7';
  readonly text: string;
}

/** Of all cloners of vnets that are on the list. Only where nobody is in the middle of a create or a destroy. */
export function cloneViolations(net: FreebsdNet): readonly Violation[] {
  const cloners = net.vnets.flatMap((vnet) => vnet.cloners.now);
  const listed = net.vnets.flatMap((vnet) => vnet.interfaces.now);
  return cloners.flatMap((cloner) => [
    ...unitsOf(cloner),
    ...referencesOf(net, cloner),
    ...leftoversOf(cloner, listed),
  ]);
}

/** INV-C7: a thread that has the DETACH lock waits for something that only user mode can do. */
export function waitsForUser(net: FreebsdNet): Violation | undefined {
  const holder: Context | undefined = net.detachLock.heldBy();
  const at = holder?.operation?.object;
  if (!(at instanceof TunDevice)) return undefined;
  return { invariant: 'INV-C7', text: `${holder?.name} waits for the last close of ${at.name} with the DETACH lock` };
}

/** A unit is taken as long as there is an interface with it, and no longer. */
function unitsOf({ units, interfaces, type }: Cloner): readonly Violation[] {
  const taken = units.now;
  const used = new Set(interfaces.now.flatMap(({ dunit }) => dunit ?? []));
  const lost = taken.filter((unit) => !used.has(unit));
  const unbacked = [...used].filter((unit) => !taken.includes(unit));
  return [
    ...lost.map((unit): Violation => ({ invariant: 'INV-C1', text: `unit ${unit} of ${type.name} is nobody's` })),
    ...unbacked.map((unit): Violation => ({ invariant: 'INV-C1', text: `${type.name}${unit} has a free unit` })),
  ];
}

/** One reference for the registration, one a unit. */
function referencesOf(net: FreebsdNet, { references, units, type }: Cloner): readonly Violation[] {
  const due = 1 + (fixed(net, 'unit-map-counted') ? units.now.length : 0);
  if (references.now === due) return [];
  return [{ invariant: 'INV-C2', text: `${references.now} references to the ${type.name} cloner, and not ${due}` }];
}

/** An interface of its driver that is on no list of a cloner cannot be destroyed: a create has left it behind. */
function leftoversOf({ interfaces, type, vnet }: Cloner, listed: readonly Ifnet[]): readonly Violation[] {
  const made = interfaces.now;
  const left = listed.filter((ifp) => ifp.dname === type.name && ifp.homeVnet === vnet && !made.includes(ifp));
  return left.map((ifp) => ({ invariant: 'INV-C3', text: `${ifp.name} is on the list, and no cloner's` }));
}
