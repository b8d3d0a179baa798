/**
 * The receive buffer: guest memory in equal sections, into which the host puts RNDIS messages and from which the guest
 * gives them back by completing the packet that named them.
 * Source: drivers/net/hyperv/netvsc.c, netvsc_init_buf(); reference C.5. Sections kept back for control messages: 16,
 * as openvmm does (anchors 1.2).
 * What this leaves out: messages over several sections (a longer one is lost), several messages a packet.
 */
import { NO_SEND_SECTION, type NvspMessage, RECEIVE_BUFFER_ID, RNDIS_CHANNEL } from '../wire/nvsp.ts';
import { RNDIS, type RndisControl, type RndisMessage } from '../wire/rndis.ts';
import { describe } from './describe.ts';
import { carry, type Fate, fateOf, isSilent } from './faults.ts';
import type { HostPacket } from './item.ts';
import type { Nic } from './nic.ts';
import type { ReceiveBuffer } from './nic-state.ts';

const KEPT_FOR_CONTROL = 16;

export const newReceiveBuffer = (gpadl: number, id: number, sections: number): ReceiveBuffer => ({
  gpadl,
  id,
  sections,
  untouched: 0,
  returned: [],
  busy: new Map(),
});

/** Sends an RNDIS control message; one that comes twice lies in two sections. */
export function sayRndis(nic: Nic, message: RndisControl): void {
  const fate = fateOf(nic.worker, nic.name, message.name, 'host');
  if (fate === 'lost') return;
  if (fate === 'twice') putRndis(nic, message, 'goes');
  putRndis(nic, message, fate === 'twice' ? 'goes' : fate);
}

function putRndis(nic: Nic, message: RndisControl, fate: Fate): void {
  const { channel } = nic.state;
  const section = takeSection(nic, 0);
  if (channel === undefined || section === undefined) {
    nic.refuse(message.name, 'no section of the receive buffer is free');
    return;
  }
  const packet = putIn(nic, section, message, RNDIS_CHANNEL.control);
  if (packet === undefined) return;
  const detail = describe(nic.worker.around.sim.trace, 'rndis.message', message);
  const tell = { kind: 'rndis.message', from: 'host', name: message.name, nic: nic.name, detail } as const;
  carry(nic.worker, nic.name, fate, { to: 'ring', channel, packet, tell });
}

/** Sends a frame by the synthetic path; it is lost when there is no room for it. */
export function sayFrame(nic: Nic, frame: Uint8Array): void {
  const why = trySayFrame(nic, frame);
  if (why === undefined) nic.state.carried.synthetic.toGuest++;
  else nic.lose(frame, 'synthetic', why);
}

function trySayFrame(nic: Nic, frame: Uint8Array): string | undefined {
  const { channel, nvsp } = nic.state;
  if (channel === undefined || nvsp.receive === undefined) return 'no session';
  if (isSilent(nic.worker, nic.name)) return 'host is silent';
  const section = takeSection(nic, Math.min(KEPT_FOR_CONTROL, nvsp.receive.sections >> 1));
  if (section === undefined) return 'receive buffer full';
  const packet = putIn(nic, section, { name: 'packet', data: frame, perPacketInfo: [] }, RNDIS_CHANNEL.data);
  if (packet === undefined) return 'longer than a section';
  nic.worker.send({ to: 'ring', channel, packet, frame: { section, bytes: frame } });
  return undefined;
}

/** The guest has completed a packet: its section is free again. */
export function giveBack(nic: Nic, transactionId: bigint): void {
  const receive = nic.state.nvsp.receive;
  const section = receive?.busy.get(Number(transactionId));
  if (receive === undefined || section === undefined) {
    // The one that the guest may send for an association is expected and means nothing.
    if (transactionId < ASSOCIATION_TRANSACTION) nic.refuse('completion', `nothing waits for ${transactionId}`);
    return;
  }
  receive.busy.delete(Number(transactionId));
  receive.returned.push(section);
}

/** openvmm vmswitch, and so ours: completions for these are asked for, and never come from Linux (reference C.8). */
export const ASSOCIATION_TRANSACTION = 0x8000_0000_0000_0000n;

function takeSection(nic: Nic, keep: number): number | undefined {
  const receive = nic.state.nvsp.receive;
  if (receive === undefined) return undefined;
  if (receive.returned.length + receive.sections - receive.untouched <= keep) return undefined;
  return receive.returned.pop() ?? (receive.untouched < receive.sections ? receive.untouched++ : undefined);
}

/** Puts the message into the section and gives the packet that says so; the section goes back when it does not fit. */
function putIn(nic: Nic, section: number, message: RndisMessage, channelType: number): HostPacket | undefined {
  const { nvsp } = nic.state;
  const receive = nvsp.receive as ReceiveBuffer;
  const { sectionBytes } = nic.model.receiveBuffer;
  const { gpadls } = nic.worker.around.bus;
  const byteOffset = section * sectionBytes;
  const byteCount = RNDIS.size(message);
  if (byteCount > sectionBytes || gpadls.store(receive.gpadl, byteOffset, RNDIS, message) === undefined) {
    receive.returned.push(section);
    return undefined;
  }
  const transaction = nvsp.nextTransaction++;
  const sendSectionIndex = NO_SEND_SECTION;
  const payload: NvspMessage = { name: 'sendRndisPacket', channelType, sendSectionIndex, sendSectionSize: 0 };
  receive.busy.set(transaction, section);
  return {
    type: 'transferPages',
    transactionId: BigInt(transaction),
    completionRequested: true,
    transferPages: { setId: RECEIVE_BUFFER_ID, ranges: [{ byteCount, byteOffset }] },
    payload,
    codec: 'nvsp',
  };
}

/** A frame's packet did not fit the ring: its section is free as if it had never been used. */
export function takeBack(nic: Nic, packet: HostPacket, section: number): void {
  const receive = nic.state.nvsp.receive;
  if (receive?.busy.delete(Number(packet.transactionId)) === true) receive.returned.push(section);
}
