/**
 * What the host says on a VF's vPCI channel.
 * Source: drivers/pci/controller/pci-hyperv.c; reference C.7. The function stands in slot 2, as on Azure, whose VFs are
 * `....:00:02.0` (from memory).
 */
import type { PciIdentity } from '../bus/pci-function.ts';
import { slotOf, VPCI_VERSIONS, type VpciFunction, type VpciMessage } from '../wire/vpci.ts';
import type { VpciCompletion } from '../wire/vpci-completion.ts';
import { describe } from './describe.ts';
import { completionOf } from './fault-points.ts';
import { sendMessage } from './faults.ts';
import type { RequestHead } from './item.ts';
import type { Nic } from './nic.ts';
import type { VpciSession } from './nic-state.ts';

export const VF_SLOT = slotOf(2);
/** PCI Code and ID Assignment Specification: network controller, Ethernet. */
const CLASS = { base: 0x02, sub: 0x00, interface: 0x00 } as const;

export function sayVpci(nic: Nic, session: VpciSession, message: VpciMessage): void {
  sendMessage(nic.worker, nic.vf, message.name, {
    to: 'ring',
    channel: session.channel,
    packet: { type: 'inband', transactionId: 0n, completionRequested: false, payload: message, codec: 'vpci' },
    tell: {
      kind: 'vpci.message',
      from: 'host',
      name: message.name,
      dev: nic.vf,
      detail: describe(nic.worker.around.sim.trace, 'vpci.message', message),
    },
  });
}

/** Answers a request, if it asked for an answer. */
export function completeVpci(nic: Nic, session: VpciSession, request: RequestHead, answer: VpciCompletion): void {
  if (!request.completionRequested) return;
  const { transactionId } = request;
  sendMessage(nic.worker, nic.vf, completionOf(answer.name), {
    to: 'ring',
    channel: session.channel,
    packet: { type: 'completion', transactionId, completionRequested: false, payload: answer, codec: 'vpciCompletion' },
    tell: {
      kind: 'vpci.message',
      from: 'host',
      name: `${answer.name} completion`,
      dev: nic.vf,
      detail: describe(nic.worker.around.sim.trace, 'vpci.message', answer),
    },
  });
}

/** Everything that is on the bus: the function, while it is there. */
export function sayRelations(nic: Nic, session: VpciSession): void {
  const functions = nic.fn?.alive === true ? [functionOf(nic)] : [];
  const isSecond = session.version >= VPCI_VERSIONS['1.3'];
  sayVpci(nic, session, { name: isSecond ? 'busRelations2' : 'busRelations', functions });
}

export function identityOf(nic: Nic): PciIdentity {
  const { vendor, device, revision, barSizes } = nic.family.pci;
  const classCode = (CLASS.base << 16) | (CLASS.sub << 8) | CLASS.interface;
  const serial = nic.numberOf(nic.state.vf.pciSerial);
  return { vendor, device, revision, classCode, barSizes, mac: nic.plan.mac, serial };
}

function functionOf(nic: Nic): VpciFunction {
  const { vendor, device, revision } = nic.family.pci;
  return {
    vendor,
    device,
    revision,
    progIf: CLASS.interface,
    subclass: CLASS.sub,
    baseClass: CLASS.base,
    subsystem: ((device << 16) | vendor) >>> 0,
    slot: VF_SLOT,
    serial: nic.state.vf.pciSerial,
    flags: 0,
    numaNode: 0,
  };
}
