/**
 * Cloners come and go with the vnets and with the modules that have them. Source: net/if_clone.c (if_clone_addif(),
 * if_clone_attach(), if_clone_detach()); reference C.1, C.4, C.6.
 */
import { assert } from '../../../base/assert.ts';
import type { Task } from '../../../sim/operation.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { VnetPart } from '../vnet/vnets.ts';
import { Cloner, type CloneType } from './cloner.ts';
import { createWith } from './create.ts';
import { destroyCloned } from './destroy.ts';
import { dropCloner } from './references.ts';

/** ifc_attach_cloner() takes names of at most so many characters (reference C.1). */
const KIND_CHARACTERS_MAX = 9;

/** A kind of interfaces, registered in each vnet that comes and taken away from each that goes. */
export function clonerPart(net: FreebsdNet, type: CloneType): VnetPart {
  assert(type.name.length <= KIND_CHARACTERS_MAX, `${type.name} is too long for a cloner`);
  return {
    name: `${type.name} cloner`,
    subsystem: 'PSEUDO',
    construct: (vnet) => attachCloner(net, type, vnet),
    *destruct(vnet) {
      const cloner = vnet.cloners.now.find((each) => each.type === type);
      if (cloner !== undefined) yield* detachCloner(net, cloner);
    },
  };
}

/** if_clone_attach(), and the interfaces that each vnet has from the start. */
function* attachCloner(net: FreebsdNet, type: CloneType, vnet: Vnet): Task {
  const cloner = new Cloner(net.sim, type, vnet);
  if (!(yield* vnet.cloners.add(cloner))) return; // EEXIST, of which the caller takes no notice
  yield* net.events.raise('if_clone_event', type.name);
  for (let unit = 0; unit < (type.mandatory ?? 0); unit++) yield* createWith(net, cloner, `${type.name}${unit}`);
}

/**
 * if_clone_detach(): the loop ends when the list is empty. An interface that refuses is put back at its head, and the
 * loop never ends [S-read].
 */
function* detachCloner(net: FreebsdNet, cloner: Cloner): Task {
  yield* cloner.vnet.cloners.remove(cloner);
  if (!fixed(net, 'unit-map-counted')) yield* cloner.unitMap.free('if_clone_detach'); // G-16
  for (;;) {
    const first = yield* cloner.interfaces.first();
    if (first === undefined) break;
    const errno = yield* destroyCloned(net, cloner, first, true);
    if (errno !== undefined && errno !== 'ENXIO')
      yield* net.panic.spin(first.dev, `if_clone_detach: ${first.name} refuses with ${errno}, and is asked for ever`);
  }
  yield* dropCloner(cloner);
}
