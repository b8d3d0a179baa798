/** Every invariant there is. */
import { oneSwitchInFlight, pathAgrees, stopOnSynthetic } from './data-path.ts';
import { ejectCompleteOnce } from './ejecting.ts';
import { flaggedBeforeVisible, slaveMeansMaster } from './exposure.ts';
import type { Invariant } from './invariant.ts';
import { joinedEventually, pairing, syntheticFirst } from './joining.ts';
import { linksOnlyWhileRegistered, namesUnique, registerOrder } from './registry.ts';
import { oneLeasePerMac, stableName } from './user-mode.ts';

export const INVARIANTS: readonly Invariant[] = [
  flaggedBeforeVisible,
  oneLeasePerMac,
  syntheticFirst,
  joinedEventually,
  pairing,
  slaveMeansMaster,
  pathAgrees,
  stopOnSynthetic,
  oneSwitchInFlight,
  stableName,
  ejectCompleteOnce,
  registerOrder,
  linksOnlyWhileRegistered,
  namesUnique,
];
