/**
 * The host's end of a VF's vPCI channel.
 * Source: drivers/pci/controller/pci-hyperv.c as the other end; reference C.7; openvmm for what a bad packet gets
 * (anchors 1.6: an answer with a failing status, and the channel lives).
 * What this leaves out: configuration blocks (refused), MSI address spaces of real machines (the translated interrupt
 * is made up), several functions on a bus.
 */

import { openPayload } from '../bus/memory.ts';
import { isPacket, type ReadPacket, RING_INDICES } from '../bus/packet.ts';
import { isMalformed } from '../wire/message.ts';
import { BARS, VPCI, VPCI_STATUS, VPCI_VERSIONS, type VpciMessage } from '../wire/vpci.ts';
import { VPCI_COMPLETIONS, type VpciCompletion, type VpciCompletionName } from '../wire/vpci-completion.ts';
import { describe } from './describe.ts';
import { failureOf, forgetWaiting } from './faults.ts';
import type { OpenChannel, RequestHead } from './item.ts';
import type { Nic } from './nic.ts';
import type { VpciSession } from './nic-state.ts';
import { ejected } from './vf-life.ts';
import { completeVpci, sayRelations, VF_SLOT } from './vpci-bus.ts';

/** The window into which a PC's MSI go (Intel SDM volume 3, 10.11.1). */
const MSI_ADDRESS = 0xfee0_0000n;

export function openVpci(nic: Nic, channel: OpenChannel): void {
  const { vf } = nic.state;
  // One that is on its way out already is not opened any more.
  if (vf.pci.at !== 'offered') return;
  vf.pci = { at: 'open', channel, version: 0, listed: false, power: 'd3' };
  nic.vfState('open');
}

export function closeVpci(nic: Nic): void {
  const { vf } = nic.state;
  forgetWaiting(nic.worker, nic.vf);
  if (vf.pci.at === 'open') {
    nic.worker.stopReading(vf.pci.channel.relid);
    vf.pci = { at: 'offered' };
    nic.vfState('closed');
  }
  // Its driver was unloaded in the middle of an eject: there is nobody left to complete it.
  ejected(nic);
}

/** One packet from the ring. */
export function receiveVpci(nic: Nic, channel: OpenChannel, packet: ReadPacket): void {
  if (!isPacket(packet)) {
    nic.malformed(packet, nic.vf);
    if (packet.protocol === RING_INDICES) nic.worker.stopReading(channel.relid);
    return;
  }
  if (packet.type === 'completion') return;
  const message = openPayload(VPCI, packet.payload);
  if (isMalformed(message)) {
    nic.malformed(message, nic.vf);
    const session = sessionOf(nic, channel.session);
    if (session !== undefined) completeVpci(nic, session, packet, failure('busD0Exit'));
    return;
  }
  nic.worker.emit({
    kind: 'vpci.message',
    from: 'guest',
    name: message.name,
    dev: nic.vf,
    detail: describe(nic.worker.around.sim.trace, 'vpci.message', message),
  });
  const { transactionId, completionRequested } = packet;
  const head = { transactionId, completionRequested };
  nic.later(nic.vf, message.name, { what: 'vpci-due', session: channel.session, head, message });
}

/** A message, after the time that an answer takes. */
export function answerVpci(nic: Nic, sessionNumber: number, head: RequestHead, message: VpciMessage): void {
  const session = sessionOf(nic, sessionNumber);
  if (session === undefined) return;
  const failing = failureOf(nic.worker, nic.vf, message.name);
  if (failing !== undefined && isAnswered(message.name)) {
    completeVpci(nic, session, head, failure(message.name, failing.status));
    return;
  }
  if (message.name === 'queryProtocolVersion') {
    completeVpci(nic, session, head, agree(nic, message.version));
    return;
  }
  const why = whyNot(session, message);
  if (why === undefined) {
    answerInSession(nic, session, head, message);
    return;
  }
  nic.refuse(message.name, why, nic.vf);
  if (isAnswered(message.name)) completeVpci(nic, session, head, failure(message.name));
}

function whyNot(session: VpciSession, message: VpciMessage): string | undefined {
  if (session.version === 0) return 'no version is agreed upon';
  if ('slot' in message && message.slot !== VF_SLOT) return `there is nothing in slot ${message.slot}`;
  return undefined;
}

function answerInSession(nic: Nic, session: VpciSession, head: RequestHead, message: VpciMessage): void {
  switch (message.name) {
    case 'queryBusRelations':
      sayRelations(nic, session);
      change(nic, { listed: true });
      break;
    case 'queryResourceRequirements':
      completeVpci(nic, session, head, { name: message.name, status: VPCI_STATUS.success, probedBars: bars(nic) });
      break;
    case 'busD0Entry':
      // Fresh relations first: a second look at the bus, usually the same (openvmm).
      sayRelations(nic, session);
      change(nic, { listed: true, power: 'd0' });
      completeVpci(nic, session, head, { name: message.name, status: VPCI_STATUS.success });
      break;
    case 'busD0Exit':
      change(nic, { power: 'd3' });
      completeVpci(nic, session, head, { name: message.name, status: VPCI_STATUS.success });
      break;
    case 'resourcesAssigned':
    case 'resourcesAssigned2':
      completeVpci(nic, session, head, { name: message.name, status: VPCI_STATUS.success });
      break;
    case 'powerStateChange': {
      const { name, slot, powerState } = message;
      completeVpci(nic, session, head, { name, status: VPCI_STATUS.success, slot, resultantState: powerState });
      break;
    }
    case 'createInterrupt':
    case 'createInterrupt2':
    case 'createInterrupt3': {
      const { name, vector, vectorCount } = message;
      const interrupt = { vectorCount, data: vector, address: MSI_ADDRESS };
      completeVpci(nic, session, head, { name, status: VPCI_STATUS.success, interrupt });
      break;
    }
    case 'ejectionComplete':
      if (nic.state.vf.pci.at === 'ejecting') ejected(nic);
      else nic.refuse(message.name, 'no EJECT was sent', nic.vf);
      break;
    case 'resourcesReleased':
    case 'deleteInterrupt':
      break;
    default:
      nic.refuse(message.name, 'this is not modelled', nic.vf);
      if (isAnswered(message.name)) completeVpci(nic, session, head, failure(message.name));
  }
}

function agree(nic: Nic, version: number): VpciCompletion {
  const known: readonly number[] = Object.values(VPCI_VERSIONS);
  const accepted = known.includes(version) && version <= nic.model.versions.vpci;
  if (accepted) change(nic, { version });
  return {
    name: 'queryProtocolVersion',
    status: accepted ? VPCI_STATUS.success : VPCI_STATUS.revisionMismatch,
    version: accepted ? version : nic.model.versions.vpci,
  };
}

/** What a BAR reads after all ones were written to it (reference C.7). */
function bars(nic: Nic): readonly number[] {
  const sizes = nic.family.pci.barSizes;
  return Array.from({ length: BARS }, (_, i) => {
    const size = sizes[i];
    return size === undefined ? 0 : (0x1_0000_0000 - size) >>> 0;
  });
}

function sessionOf(nic: Nic, number: number): VpciSession | undefined {
  const { pci } = nic.state.vf;
  return 'channel' in pci && pci.channel.session === number ? pci : undefined;
}

function change(nic: Nic, what: Partial<Pick<VpciSession, 'version' | 'listed' | 'power'>>): void {
  const { vf } = nic.state;
  if (vf.pci.at !== 'open' && vf.pci.at !== 'ejecting') return;
  const { version = vf.pci.version, listed = vf.pci.listed, power = vf.pci.power } = what;
  vf.pci = { ...vf.pci, version, listed, power };
}

const isAnswered = (name: string): name is VpciCompletionName => Object.hasOwn(VPCI_COMPLETIONS, name);

/** An answer that says no, and has nothing else to say. */
function failure(name: VpciCompletionName, status: number = VPCI_STATUS.unsuccessful): VpciCompletion {
  const interrupt = { vectorCount: 0, data: 0, address: 0n };
  switch (name) {
    case 'queryProtocolVersion':
      return { name, status, version: 0 };
    case 'queryResourceRequirements':
      return { name, status, probedBars: Array.from({ length: BARS }, () => 0) };
    case 'powerStateChange':
      return { name, status, slot: VF_SLOT, resultantState: 0 };
    case 'createInterrupt':
    case 'createInterrupt2':
    case 'createInterrupt3':
      return { name, status, interrupt };
    case 'readBlock':
      return { name, status, bytes: new Uint8Array(0) };
    default:
      return { name, status };
  }
}
