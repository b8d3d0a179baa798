import type { Task } from '../../../sim/operation.ts';
import type { Cloner } from './cloner.ts';

/** IF_CLONE_REMREF(): the last one frees it, and the map of its units with it. */
export function* dropCloner({ references, memory, unitMap }: Cloner): Task {
  if (!(yield* memory.use('if_clone_remref')) || !(yield* references.release())) return;
  if (!unitMap.isFreed) yield* unitMap.free('if_clone_free');
  yield* memory.free('if_clone_free');
}
