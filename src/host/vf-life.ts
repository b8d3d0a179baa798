/**
 * The life of a VF: association, offer, revoke in one of three orders, return.
 * Source: reference C.8 (order of association and offer, openvmm and Azure), C.9 (the orders of a revoke), E.1 (times);
 * Linux Documentation/virt/hyperv/vpci.rst (60 s for EJECTION_COMPLETE).
 * What this leaves out: several VFs a NIC, a VF that moves between NICs, refusal by the guest.
 */
import { CLASS_GUIDS } from '../wire/vmbus.ts';
import type { RevokeOrder, VfChoice } from './action.ts';
import type { Nic } from './nic.ts';
import type { PciPhase, VpciSession } from './nic-state.ts';
import { movePath, settleSwitch } from './path.ts';
import { SERVICING, VMBUS, workerOf } from './plan.ts';
import { ASSOCIATION_TRANSACTION } from './receive-buffer.ts';
import { identityOf, sayVpci, VF_SLOT } from './vpci-bus.ts';

/** Why the host cannot do it, or nothing. */
export type Refusal = string | undefined;

/** The usual arrival: the association as soon as the guest can have it, then the PCI function. */
export function plug(nic: Nic, choice: VfChoice): Refusal {
  const { vf } = nic.state;
  const problem = whyNoVf(nic) ?? whyNotYet(nic);
  if (problem !== undefined) return problem;
  if (vf.associated || isThere(vf.pci)) return `${nic.name} has a VF already`;
  choose(nic, choice);
  vf.associated = true;
  vf.wanted = true;
  nic.vfState('assigned');
  announce(nic);
  return undefined;
}

/** Tells the guest of the VF that it is to have, if the session is far enough; nothing when there is none. */
export function announce(nic: Nic): void {
  const { vf } = nic.state;
  if (!vf.associated || !nic.canHaveVf) return;
  tellAssociation(nic, vf.serial);
  nic.vfState('announced');
  if (vf.wanted && vf.pci.at === 'none') {
    const token = nic.worker.after(nic.span('host.vf-offer', nic.model.timing.vfOffer), { what: 'vf-offer-due' });
    if (token !== 0) vf.pci = { at: 'due', token };
  }
}

/** The PCI function comes, after its delay or because the guest asked for the path. */
export function offerNow(nic: Nic): void {
  const { vf } = nic.state;
  if (vf.pci.at === 'due') nic.worker.disarm(vf.pci.token);
  else if (vf.pci.at !== 'none') return;
  const { worker, vf: dev } = nic;
  vf.pci = { at: 'offered' };
  worker.send({ to: 'plug', fn: dev, identity: identityOf(nic) });
  worker.send({ to: 'doorbell', fn: dev, open: true });
  const tell = { kind: 'vf.alive', dev, alive: true } as const;
  worker.send({ to: 'present', fn: dev, present: true, tell });
  if (nic.vfSlots === undefined) {
    const owner = workerOf(nic.name);
    const offer = { dev, owner, interfaceType: CLASS_GUIDS.pciPassThrough, instance: nic.instances.vf };
    worker.tell(VMBUS, { what: 'offer', offer });
  }
  nic.vfState('offered');
}

/** Only the PCI channel. */
export function offerAlone(nic: Nic, choice: VfChoice): Refusal {
  const { vf } = nic.state;
  const problem = whyNoVf(nic) ?? whyNotYet(nic);
  if (problem !== undefined) return problem;
  if (isThere(vf.pci)) return `${nic.vf} is offered already`;
  choose(nic, choice);
  vf.wanted = true;
  // While the guest has still to let go of the last one, the offer waits.
  if (vf.pci.at !== 'rescinded') offerNow(nic);
  return undefined;
}

/** Only the message. */
export function associate(nic: Nic, allocated: boolean): Refusal {
  const problem = whyNoVf(nic);
  if (problem !== undefined) return problem;
  if (!nic.canHaveVf) return `${nic.name} has no session that VF_ASSOCIATION can be sent in`;
  nic.state.vf.associated = allocated;
  tellAssociation(nic, allocated ? nic.state.vf.serial : 0);
  return undefined;
}

export function revoke(nic: Nic, order: RevokeOrder): Refusal {
  const { vf } = nic.state;
  const problem = whyNoVf(nic);
  if (problem !== undefined) return problem;
  if (vf.leaving !== undefined) return `${nic.vf} is on its way out already`;
  if (!vf.associated && !isThere(vf.pci)) return `${nic.name} has no VF now`;
  vf.associated = false;
  vf.wanted = false;
  vf.leaving = order === 'assoc-first' ? 'disassociated-before' : 'disassociate-after';
  // A switch that is under way is answered first, as openvmm does.
  settleSwitch(nic);
  switch (order) {
    case 'eject-first':
      eject(nic);
      break;
    case 'assoc-first':
      disassociateFirst(nic);
      eject(nic);
      break;
    case 'surprise':
      die(nic);
      break;
  }
  return undefined;
}

/** The NIC itself is taken away. Its VF stays with the guest, and is associated anew when the NIC is back. */
export function withdraw(nic: Nic): void {
  nic.state.vf.told = 0;
  settleSwitch(nic);
  movePath(nic, 'synthetic', 'the NIC has gone');
}

/** EJECTION_COMPLETE has come, or the channel was closed instead: the function can go. */
export function ejected(nic: Nic): void {
  const { vf } = nic.state;
  if (vf.pci.at !== 'ejecting' && vf.pci.at !== 'unplugging') return;
  nic.worker.disarm(vf.pci.token);
  takeAway(nic);
}

/** The guest has let go of the slot: it was asked to, or its user wanted it, or what stands there has died. */
export function slotEjected(nic: Nic): void {
  switch (nic.state.vf.pci.at) {
    case 'unplugging':
      ejected(nic);
      break;
    case 'rescinded':
      empty(nic);
      break;
    case 'offered':
      nic.state.vf.wanted = false;
      leave(nic, 'absent');
      if (nic.state.path === 'vf') movePath(nic, 'synthetic', 'the VF has gone');
      break;
    default:
      nic.refuse('eject', 'there is nothing in the slot', nic.vf);
  }
}

/** The guest let the time for EJECTION_COMPLETE pass, or for letting go of the slot. */
export function ejectLimit(nic: Nic): void {
  const { at } = nic.state.vf.pci;
  if (at !== 'ejecting' && at !== 'unplugging') return;
  const after = nic.span('host.eject-timeout');
  const what = at === 'ejecting' ? 'EJECTION_COMPLETE' : 'eject of the slot';
  nic.worker.emit({ kind: 'host.timeout', dev: nic.vf, what, after });
  takeAway(nic);
}

/** The guest has let go of the VF's channel: what was waiting for that can be offered. */
export function vfReleased(nic: Nic): void {
  const { vf } = nic.state;
  if (vf.pci.at === 'rescinded') {
    vf.pci = { at: 'none' };
    nic.vfState('released');
  }
  if (!vf.wanted || vf.pci.at !== 'none') return;
  if (vf.associated && vf.told === 0) return;
  offerNow(nic);
}

/** The time until VF_ASSOCIATION(0) is over. */
export function disassociateDue(nic: Nic): void {
  if (nic.state.vf.leaving !== 'disassociate-after') return;
  // After a surprise the filter has stood on the dead VF until now, unless the guest moved it.
  movePath(nic, 'synthetic', 'the VF has gone');
  tellAssociation(nic, 0);
  gone(nic);
}

const isThere = (pci: PciPhase): boolean => pci.at !== 'none' && pci.at !== 'rescinded';

function whyNoVf(nic: Nic): Refusal {
  return nic.plan.vf === undefined ? `${nic.name} has no VF in the plan` : undefined;
}

function whyNotYet(nic: Nic): Refusal {
  return nic.state.vf.leaving === undefined ? undefined : `${nic.vf} is still on its way out`;
}

function choose(nic: Nic, { family, serial }: VfChoice): void {
  const { vf } = nic.state;
  if (family !== undefined) vf.family = family;
  if (serial === undefined) return;
  // A host that garbles serial numbers goes on to do so.
  vf.pciSerial = vf.pciSerial === vf.serial ? serial : vf.pciSerial;
  vf.serial = serial;
}

/** The number that goes with "no VF" is that of the association it takes back: Windows checks it (anchors 1.3). */
function tellAssociation(nic: Nic, serial: number): void {
  const { vf } = nic.state;
  const allocated = serial === 0 ? 0 : 1;
  if (nic.canHaveVf) {
    const named = allocated === 1 ? serial : vf.told === 0 ? vf.serial : vf.told;
    nic.say({ name: 'sendVfAssociation', allocated, serial: nic.numberOf(named) }, ASSOCIATION_TRANSACTION);
  }
  vf.told = serial;
}

/** `assoc-first`: the path goes back at once and the guest is told, before anything happens to the function. */
function disassociateFirst(nic: Nic): void {
  if (nic.state.path === 'vf') {
    movePath(nic, 'synthetic', 'the VF is revoked');
    nic.say({ name: 'switchDataPath', activeDataPath: 0 }, ASSOCIATION_TRANSACTION + 1n);
  }
  tellAssociation(nic, 0);
}

function eject(nic: Nic): void {
  const { vf } = nic.state;
  const { pci } = vf;
  switch (pci.at) {
    case 'none':
    case 'rescinded':
      finish(nic);
      break;
    case 'due':
      nic.worker.disarm(pci.token);
      vf.pci = { at: 'none' };
      finish(nic);
      break;
    case 'offered':
      if (nic.vfSlots !== undefined) askToUnplug(nic);
      else takeAway(nic);
      break;
    case 'open':
      // A guest that was told of no function yet has none to give back.
      if (pci.listed) askToEject(nic, pci);
      else takeAway(nic);
      break;
    case 'ejecting':
    case 'unplugging':
      break;
  }
}

function askToUnplug(nic: Nic): void {
  nic.worker.send({ to: 'ejecting', fn: nic.vf, asked: true });
  nic.vfState('ejecting');
  const token = nic.worker.after(nic.span('host.eject-timeout'), { what: 'eject-limit' });
  nic.state.vf.pci = { at: 'unplugging', token };
}

function askToEject(nic: Nic, pci: VpciSession): void {
  const { channel, version, listed, power } = pci;
  sayVpci(nic, pci, { name: 'eject', slot: VF_SLOT });
  nic.vfState('ejecting');
  const token = nic.worker.after(nic.span('host.eject-timeout'), { what: 'eject-limit' });
  nic.state.vf.pci = { at: 'ejecting', token, channel, version, listed, power };
}

/** `surprise`: it is dead before anybody hears of it. */
function die(nic: Nic): void {
  const { vf } = nic.state;
  const { pci } = vf;
  if (pci.at === 'due') nic.worker.disarm(pci.token);
  if (pci.at === 'none' || pci.at === 'rescinded' || pci.at === 'due') {
    if (pci.at === 'due') vf.pci = { at: 'none' };
    finish(nic);
    return;
  }
  leave(nic, 'dead');
  finish(nic);
}

/** The function leaves in good order: its windows can be read until here. */
function takeAway(nic: Nic): void {
  leave(nic, 'absent');
  // A filter that still stands on the VF would lose everything from now on.
  if (nic.state.path === 'vf') movePath(nic, 'synthetic', 'the VF has gone');
  finish(nic);
}

function leave(nic: Nic, state: 'dead' | 'absent'): void {
  const { worker, vf: fn } = nic;
  const { pci } = nic.state.vf;
  const tell = { kind: 'vf.alive', dev: fn, alive: false } as const;
  worker.send({ to: 'silence', fn, state, tell });
  worker.send({ to: 'doorbell', fn, open: false });
  if ('channel' in pci) worker.stopReading(pci.channel.relid);
  nic.state.vf.pci = { at: 'rescinded' };
  // A device that dies is missed only after a while; until then both sides send into nothing.
  if (state === 'dead') worker.after(nic.span('host.surprise-rescind'), { what: 'rescind-due' });
  if (nic.vfSlots !== undefined) {
    // What is dead stands in its slot until the guest lets go of it.
    if (state === 'absent') empty(nic);
    return;
  }
  worker.send({ to: 'present', fn, present: false });
  if (state === 'absent') rescindVf(nic);
  nic.vfState('rescinded');
}

/** Takes the VF's channel back, or asks the guest to let go of the slot of what has died. */
export function rescindVf(nic: Nic): void {
  if (nic.vfSlots === undefined) nic.worker.tell(VMBUS, { what: 'rescind', dev: nic.vf });
  else if (nic.state.vf.pci.at === 'rescinded') nic.worker.send({ to: 'ejecting', fn: nic.vf, asked: true });
}

/** Nothing is in the slot any more. */
function empty(nic: Nic): void {
  const { worker, vf: fn } = nic;
  worker.send({ to: 'silence', fn, state: 'absent' });
  worker.send({ to: 'present', fn, present: false });
  worker.send({ to: 'ejecting', fn, asked: false });
  vfReleased(nic);
}

function finish(nic: Nic): void {
  const { vf } = nic.state;
  if (vf.leaving === 'disassociated-before') gone(nic);
  else if (vf.leaving === 'disassociate-after') {
    nic.worker.after(nic.span('host.disassociate', nic.model.timing.disassociate), { what: 'disassociate-due' });
  }
}

function gone(nic: Nic): void {
  const { vf } = nic.state;
  vf.leaving = undefined;
  nic.vfState('gone');
  if (!vf.reporting) return;
  vf.reporting = false;
  nic.worker.tell(SERVICING, { what: 'vf-gone', nic: nic.name });
}
