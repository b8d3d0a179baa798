/**
 * NVSP, the host's end of the synthetic NIC's channel: versions, buffers, packets, association, data path.
 * Source: drivers/net/hyperv/netvsc.c and hyperv_net.h as the other end; reference C.5, B.8; openvmm's netvsp for what
 * a host does with nonsense (anchors 1.6: a bad data packet is completed with failure, and the channel lives).
 * What this leaves out: sub-channels (granted: none), chimney, VMQ, packet direct, the indirection table (there is one
 * queue).
 */
import { openPayload } from '../bus/memory.ts';
import { isPacket, type ReadPacket, RING_INDICES } from '../bus/packet.ts';
import { isMalformed } from '../wire/message.ts';
import { NVSP, NVSP_STATUS, NVSP_VERSIONS, type NvspCompletion, type NvspMessage } from '../wire/nvsp.ts';
import { askForPath } from './data-path.ts';
import { describe } from './describe.ts';
import { failureOf, forgetWaiting } from './faults.ts';
import type { OpenChannel, RequestHead } from './item.ts';
import type { Nic } from './nic.ts';
import { newNvsp } from './nic-state.ts';
import { giveBack, newReceiveBuffer } from './receive-buffer.ts';
import { receiveRndis } from './rndis.ts';

type Received<N extends NvspMessage['name']> = Extract<NvspMessage, { name: N }>;

/** What a message chain may be long. openvmm's answer. */
const MAX_MDL_CHAIN = 34;

/** The guest has opened the channel: a session begins with nothing agreed upon. */
export function openNetvsp(nic: Nic, channel: OpenChannel): void {
  nic.state.channel = channel;
  nic.state.nvsp = newNvsp();
  nic.state.vf.told = 0;
}

/** The guest has closed it. The data path stays as it is: DPDK relies on that (reference B.9). */
export function closeNetvsp(nic: Nic): void {
  const { channel } = nic.state;
  if (channel !== undefined) nic.worker.stopReading(channel.relid);
  forgetWaiting(nic.worker, nic.name);
  nic.state.channel = undefined;
  nic.state.nvsp = newNvsp();
  nic.state.vf.told = 0;
}

/** One packet from the ring. */
export function receiveNetvsp(nic: Nic, channel: OpenChannel, packet: ReadPacket): void {
  if (!isPacket(packet)) {
    nic.malformed(packet, nic.name);
    // Nothing behind it can be read: the channel is dead until the guest opens it anew.
    if (packet.protocol === RING_INDICES) nic.worker.stopReading(channel.relid);
    return;
  }
  if (packet.type === 'completion') {
    giveBack(nic, packet.transactionId);
    return;
  }
  const message = openPayload(NVSP, packet.payload);
  if (isMalformed(message)) {
    nic.malformed(message, nic.name);
    nic.completeRndis(packet, NVSP_STATUS.fail);
    return;
  }
  if (message.name === 'sendRndisPacket') {
    receiveRndis(nic, packet, message);
    return;
  }
  nic.worker.emit({
    kind: 'nvsp.message',
    from: 'guest',
    name: message.name,
    nic: nic.name,
    detail: describe(nic.worker.around.sim.trace, 'nvsp.message', message),
  });
  const { transactionId, completionRequested } = packet;
  const head = { transactionId, completionRequested };
  nic.later(nic.name, message.name, { what: 'nvsp-due', session: channel.session, head, message });
}

/** A control message, after the time that an answer takes. */
export function answerNvsp(nic: Nic, head: RequestHead, message: NvspMessage): void {
  const { nvsp } = nic.state;
  const failing = failureOf(nic.worker, nic.name, message.name);
  if (failing !== undefined) {
    nic.complete(head, failed(message, failing.status));
    return;
  }
  if (message.name === 'init') {
    nic.complete(head, initialize(nic, message));
    return;
  }
  const since = OLDEST[message.name];
  if (nvsp.version === 0 || (since !== undefined && nvsp.version < since)) {
    nic.refuse(message.name, nvsp.version === 0 ? 'no version is agreed upon' : 'the version does not have it');
    nic.complete(head, failed(message));
    return;
  }
  answerInSession(nic, head, message);
}

/** Messages that came with a later version. */
const OLDEST: Readonly<Partial<Record<NvspMessage['name'], number>>> = {
  sendNdisConfig: NVSP_VERSIONS['2'],
  switchDataPath: NVSP_VERSIONS['4'],
  subchannelRequest: NVSP_VERSIONS['5'],
};

function answerInSession(nic: Nic, head: RequestHead, message: NvspMessage): void {
  const { nvsp } = nic.state;
  switch (message.name) {
    case 'sendNdisConfig':
      nvsp.capabilities = message.capabilities;
      nvsp.frameMax = message.mtu;
      break;
    case 'sendNdisVersion':
      break;
    case 'sendReceiveBuffer':
      nic.complete(head, takeReceiveBuffer(nic, message));
      break;
    case 'sendSendBuffer':
      nic.complete(head, takeSendBuffer(nic, message));
      break;
    case 'revokeReceiveBuffer':
      nvsp.receive = undefined;
      break;
    case 'revokeSendBuffer':
      nvsp.send = undefined;
      break;
    case 'switchDataPath':
      askForPath(nic, head, message.activeDataPath);
      break;
    case 'subchannelRequest':
      nic.complete(head, { name: 'subchannelComplete', status: NVSP_STATUS.success, count: 0 });
      break;
    default:
      nic.refuse(message.name, 'a guest does not send this');
      nic.complete(head, failed(message));
  }
}

function initialize(nic: Nic, { minVersion, maxVersion }: Received<'init'>): NvspCompletion {
  const { nvsp } = nic.state;
  const answer = (status: number, version: number): NvspCompletion => ({
    name: 'initComplete',
    version,
    maxMdlChain: MAX_MDL_CHAIN,
    status,
  });
  if (nvsp.version !== 0) {
    nic.refuse('init', 'a version is agreed upon already');
    return answer(NVSP_STATUS.fail, nvsp.version);
  }
  const known: readonly number[] = Object.values(NVSP_VERSIONS);
  const fitting = known.filter((one) => one >= minVersion && one <= maxVersion && one <= nic.model.versions.nvsp);
  const [version] = fitting;
  if (version === undefined) {
    const tooNew = minVersion > nic.model.versions.nvsp;
    return answer(tooNew ? NVSP_STATUS.protocolTooNew : NVSP_STATUS.protocolUnsupported, 0);
  }
  nvsp.version = version;
  return answer(NVSP_STATUS.success, version);
}

function takeReceiveBuffer(nic: Nic, { gpadl, id }: Received<'sendReceiveBuffer'>): NvspCompletion {
  const { sectionBytes } = nic.model.receiveBuffer;
  const size = nic.worker.around.bus.gpadls.sizeOf(gpadl) ?? 0;
  const count = Math.floor(size / sectionBytes);
  const ok = count > 0 && nic.state.nvsp.receive === undefined;
  if (ok) nic.state.nvsp.receive = newReceiveBuffer(gpadl, id, count);
  else nic.refuse('sendReceiveBuffer', count > 0 ? 'there is one already' : 'its GPADL is unknown or too small');
  const subAllocSize = ok ? sectionBytes : 0;
  const subAllocCount = ok ? count : 0;
  return {
    name: 'sendReceiveBufferComplete',
    status: ok ? NVSP_STATUS.success : NVSP_STATUS.fail,
    sectionCount: ok ? 1 : 0,
    sectionOffset: 0,
    subAllocSize,
    subAllocCount,
    endOffset: subAllocSize * subAllocCount,
  };
}

function takeSendBuffer(nic: Nic, { gpadl }: Received<'sendSendBuffer'>): NvspCompletion {
  const bytes = nic.worker.around.bus.gpadls.sizeOf(gpadl) ?? 0;
  const ok = bytes > 0 && nic.state.nvsp.send === undefined;
  if (ok) nic.state.nvsp.send = { gpadl, bytes };
  else nic.refuse('sendSendBuffer', bytes > 0 ? 'there is one already' : 'its GPADL is unknown');
  return {
    name: 'sendSendBufferComplete',
    status: ok ? NVSP_STATUS.success : NVSP_STATUS.fail,
    sectionSize: ok ? nic.model.sendBuffer.sectionBytes : 0,
  };
}

/** The answer that says no to a request; one that has no status of its own gets an empty one. */
function failed(message: NvspMessage, status: number = NVSP_STATUS.fail): NvspCompletion | undefined {
  switch (message.name) {
    case 'init':
      return { name: 'initComplete', version: 0, maxMdlChain: 0, status };
    case 'sendReceiveBuffer':
      return {
        name: 'sendReceiveBufferComplete',
        status,
        sectionCount: 0,
        sectionOffset: 0,
        subAllocSize: 0,
        subAllocCount: 0,
        endOffset: 0,
      };
    case 'sendSendBuffer':
      return { name: 'sendSendBufferComplete', status, sectionSize: 0 };
    case 'subchannelRequest':
      return { name: 'subchannelComplete', status, count: 0 };
    default:
      return undefined;
  }
}
