/**
 * RNDIS, the host's end: the adapter's life, queries and sets, and the frames that the guest sends.
 * Source: linux/rndis.h; drivers/net/hyperv/rndis_filter.c as the other end; reference C.6.
 * What this leaves out: RESET, checksum and segmentation on behalf of the guest (per-packet info is not looked at).
 */
import { type GuestMemory, NO_PAYLOAD, openPayload, PAGE_SIZE, type Payload } from '../bus/memory.ts';
import { isMalformed, type Malformed } from '../wire/message.ts';
import { NO_SEND_SECTION, NVSP_STATUS, type NvspMessage } from '../wire/nvsp.ts';
import { RNDIS_STATUS } from '../wire/oid.ts';
import type { PageRange, RingPacketHead } from '../wire/ring-packet.ts';
import { RNDIS, type RndisControl, type RndisMessage, splitRndis } from '../wire/rndis.ts';
import { describe } from './describe.ts';
import { failureOf } from './faults.ts';
import { egress } from './frames.ts';
import type { Nic } from './nic.ts';
import { querySupported, setSupported } from './oids.ts';
import { sayRndis } from './receive-buffer.ts';
import { announce } from './vf-life.ts';

/** openvmm's answers to INITIALIZE (reference C.6). */
const INITIALIZE = { maxPacketsPerMessage: 8, maxTransferSize: 0xefff_ffff, alignmentFactor: 3 } as const;
/** linux/rndis.h: RNDIS_DF_CONNECTIONLESS, RNDIS_MEDIUM_802_3. */
const CONNECTIONLESS = 1;
const MEDIUM_802_3 = 0;

/** An NVSP packet that carries RNDIS. */
export function receiveRndis(
  nic: Nic,
  packet: RingPacketHead,
  message: Extract<NvspMessage, { name: 'sendRndisPacket' }>,
): void {
  const frames: Uint8Array[] = [];
  let status: number = NVSP_STATUS.success;
  for (const one of messagesOf(nic, packet, message)) {
    if (isMalformed(one)) {
      nic.malformed(one, nic.name);
      status = NVSP_STATUS.fail;
    } else if (one.name === 'packet') {
      frames.push(one.data);
    } else {
      control(nic, one);
    }
  }
  if (frames.length > 0) egress(nic, frames, 'synthetic');
  nic.completeRndis(packet, status);
}

/** A control message, after the time that an answer takes. */
export function answerRndis(nic: Nic, message: RndisControl): void {
  const { nvsp } = nic.state;
  const failing = failureOf(nic.worker, nic.name, message.name);
  if (failing?.status !== undefined) {
    fail(nic, message, failing.status);
    return;
  }
  switch (message.name) {
    case 'initialize':
      sayInitialized(nic, message.requestId, RNDIS_STATUS.success);
      nvsp.operational = true;
      // Right behind the answer, as openvmm does (reference C.8).
      announce(nic);
      break;
    case 'halt':
      nvsp.operational = false;
      nvsp.filter = 0;
      break;
    case 'query':
      sayRndis(nic, { name: 'queryComplete', requestId: message.requestId, ...querySupported(nic, message) });
      break;
    case 'set':
      sayRndis(nic, { name: 'setComplete', requestId: message.requestId, status: setSupported(nic, message) });
      break;
    case 'keepalive':
      sayRndis(nic, { name: 'keepaliveComplete', requestId: message.requestId, status: RNDIS_STATUS.success });
      break;
    default:
      nic.refuse(message.name, 'a host does not do this');
  }
}

function control(nic: Nic, message: RndisControl): void {
  const { channel } = nic.state;
  if (channel === undefined) return;
  const detail = describe(nic.worker.around.sim.trace, 'rndis.message', message);
  nic.worker.emit({ kind: 'rndis.message', from: 'guest', name: message.name, nic: nic.name, detail });
  nic.later(nic.name, message.name, { what: 'rndis-due', session: channel.session, message });
}

/** Nothing is done, and the answer says so. */
function fail(nic: Nic, message: RndisControl, status: number): void {
  switch (message.name) {
    case 'initialize':
      sayInitialized(nic, message.requestId, status);
      break;
    case 'query':
      sayRndis(nic, { name: 'queryComplete', requestId: message.requestId, status, info: new Uint8Array(0) });
      break;
    case 'set':
      sayRndis(nic, { name: 'setComplete', requestId: message.requestId, status });
      break;
    case 'keepalive':
      sayRndis(nic, { name: 'keepaliveComplete', requestId: message.requestId, status });
      break;
    default:
  }
}

function sayInitialized(nic: Nic, requestId: number, status: number): void {
  sayRndis(nic, {
    name: 'initializeComplete',
    requestId,
    status,
    major: 1,
    minor: 0,
    deviceFlags: CONNECTIONLESS,
    medium: MEDIUM_802_3,
    ...INITIALIZE,
  });
}

function messagesOf(
  nic: Nic,
  packet: RingPacketHead,
  message: Extract<NvspMessage, { name: 'sendRndisPacket' }>,
): readonly (RndisMessage | Malformed)[] {
  const payload = payloadOf(nic, packet, message);
  if (payload === undefined) return [nonsense('what it names is not shown to the host')];
  if (!(payload instanceof Uint8Array)) return [openPayload(RNDIS, payload)];
  const pieces = splitRndis(payload);
  return isMalformed(pieces as Malformed) ? [pieces as Malformed] : (pieces as readonly Uint8Array[]).map(RNDIS.decode);
}

/** What lies in the send section, and behind it what lies in the pages. */
function payloadOf(
  nic: Nic,
  packet: RingPacketHead,
  { sendSectionIndex, sendSectionSize }: Extract<NvspMessage, { name: 'sendRndisPacket' }>,
): Payload | undefined {
  const { send } = nic.state.nvsp;
  const { bus } = nic.worker.around;
  let section: Payload = NO_PAYLOAD;
  if (sendSectionIndex !== NO_SEND_SECTION) {
    const { sectionBytes } = nic.model.sendBuffer;
    if (send === undefined || sendSectionSize > sectionBytes) return undefined;
    const found = bus.gpadls.load(send.gpadl, sendSectionIndex * sectionBytes, sendSectionSize);
    if (found === undefined) return undefined;
    section = found;
  }
  if (packet.type !== 'gpaDirect') return section === NO_PAYLOAD ? undefined : section;
  return section instanceof Uint8Array ? withPages(bus.memory, section, packet.pages) : section;
}

function withPages(memory: GuestMemory, section: Uint8Array, pages: readonly PageRange[]): Payload {
  const [first] = pages;
  if (first === undefined) return section;
  const length = pages.reduce((sum, page) => sum + page.len, 0);
  // Under `direct` the message as a whole is kept where it begins.
  const whole = memory.transport === 'direct' ? memory.load(first.pfn * PAGE_SIZE + first.offset, length) : undefined;
  if (whole !== undefined && !(whole instanceof Uint8Array)) return whole;
  const out = new Uint8Array(section.length + length);
  out.set(section);
  let at = section.length;
  for (const { pfn, offset, len } of pages) {
    out.set(memory.read(pfn * PAGE_SIZE + offset, len), at);
    at += len;
  }
  return out;
}

const nonsense = (what: string): Malformed => ({
  name: 'malformed',
  protocol: 'rndis',
  problem: 'invalid',
  type: undefined,
  size: 0,
  expected: undefined,
  what,
});
