/** Every invariant there is. */

import type { GuestFamily } from '../../machine/guests.ts';
import { capabilitiesComeBack } from './capabilities.ts';
import { oneSwitchInFlight, pathAgrees, stopOnSynthetic, unloadLeavesSynthetic } from './data-path.ts';
import { ejectCompleteOnce } from './ejecting.ts';
import { flaggedBeforeVisible, noIpv6OnVf, slaveMeansMaster } from './exposure.ts';
import { d0Alternates, noGhostDevice, slotIsSerial } from './functions.ts';
import { associationBeforeSwitch, framesBehindGate, gateAfterAnswer, vfPathNeedsRunningVf } from './gate.ts';
import {
  devdHearsOfItsOwn,
  dyingForGood,
  interfacesCounted,
  packetsKeepTheirVnet,
  referencesAttached,
} from './ifnet.ts';
import type { Invariant } from './invariant.ts';
import { joinedEventually, onlyVfsJoin, pairing, sameMtu, syntheticFirst } from './joining.ts';
import { kernelAssertsHold, locksInOrder, noMemoryFault } from './kernel.ts';
import { hostWaitsEnd, nothingUnread, rtnlHeldBriefly } from './liveness.ts';
import { noPanic, sameNamespace, ueventNamesDevice } from './namespaces.ts';
import {
  linksOnlyWhileRegistered,
  listenersHearInTurn,
  namesUnique,
  referencesDropped,
  registerOrder,
} from './registry.ts';
import { oneLeasePerMac, stableName } from './user-mode.ts';
import { completionsAskedFor, messagesWellFormed, releasedOnce } from './wire.ts';

export const INVARIANTS: readonly Invariant[] = [
  flaggedBeforeVisible,
  oneLeasePerMac,
  syntheticFirst,
  joinedEventually,
  pairing,
  onlyVfsJoin,
  slaveMeansMaster,
  noIpv6OnVf,
  sameMtu,
  sameNamespace,
  pathAgrees,
  associationBeforeSwitch,
  gateAfterAnswer,
  framesBehindGate,
  vfPathNeedsRunningVf,
  stopOnSynthetic,
  oneSwitchInFlight,
  unloadLeavesSynthetic,
  stableName,
  ejectCompleteOnce,
  d0Alternates,
  noGhostDevice,
  slotIsSerial,
  releasedOnce,
  completionsAskedFor,
  messagesWellFormed,
  nothingUnread,
  hostWaitsEnd,
  rtnlHeldBriefly,
  registerOrder,
  linksOnlyWhileRegistered,
  listenersHearInTurn,
  referencesDropped,
  namesUnique,
  ueventNamesDevice,
  noPanic,
  noMemoryFault,
  kernelAssertsHold,
  locksInOrder,
  capabilitiesComeBack,
  referencesAttached,
  interfacesCounted,
  dyingForGood,
  devdHearsOfItsOwn,
  packetsKeepTheirVnet,
];

/**
 * Which invariants are watched on a guest of this family, and which of the named ones are not, with the reason. Without
 * names all that bind it are. `isItsOwn`: the names were written for such a guest, so that each means what it says.
 */
export function bindingOn(
  family: GuestFamily,
  names: readonly string[] | undefined,
  isItsOwn: boolean,
): {
  readonly always: readonly string[];
  readonly exempt?: readonly { readonly invariant: string; readonly why: string }[];
} {
  if (names !== undefined && isItsOwn) return { always: names };
  const bound = INVARIANTS.filter(({ notOn }) => notOn?.[family] === undefined).map(({ name }) => name);
  if (names === undefined) return { always: bound };
  const exempt = names.flatMap((name) => {
    const why = INVARIANTS.find((invariant) => invariant.name === name)?.notOn?.[family];
    return why === undefined ? [] : [{ invariant: name, why }];
  });
  if (exempt.length === 0) return { always: names };
  return { always: names.filter((name) => !exempt.some(({ invariant }) => invariant === name)), exempt };
}
