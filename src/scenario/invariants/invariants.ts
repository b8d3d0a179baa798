/** Every invariant there is. */
import { oneSwitchInFlight, pathAgrees, stopOnSynthetic, unloadLeavesSynthetic } from './data-path.ts';
import { ejectCompleteOnce } from './ejecting.ts';
import { flaggedBeforeVisible, noIpv6OnVf, slaveMeansMaster } from './exposure.ts';
import { d0Alternates, noGhostDevice, slotIsSerial } from './functions.ts';
import { associationBeforeSwitch, framesBehindGate, gateAfterAnswer, vfPathNeedsRunningVf } from './gate.ts';
import type { Invariant } from './invariant.ts';
import { joinedEventually, onlyVfsJoin, pairing, sameMtu, syntheticFirst } from './joining.ts';
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
];
