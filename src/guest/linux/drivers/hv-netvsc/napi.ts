/**
 * What the host sends on a NIC's channel, taken in the NAPI context: completions, VF associations, RNDIS messages.
 * Source: drivers/net/hyperv/netvsc.c (netvsc_poll(), netvsc_receive(), netvsc_send_completion()),
 * rndis_filter.c (reference B.10, B.11, C.5).
 * What this leaves out: budgets and polling, receive-side coalescing, the queue of completions that found the ring full
 * (here the context waits for room), the one channel_init_wait of all NVSP requests (there an answer that comes twice lets
 * the next request through with what stands in its buffer; here each answer is known by its transaction).
 */
import { openPayload } from '../../../../bus/memory.ts';
import { isPacket, type ReadPacket } from '../../../../bus/packet.ts';
import type { Task } from '../../../../sim/operation.ts';
import { isMalformed, type Malformed } from '../../../../wire/message.ts';
import { NVSP, NVSP_STATUS, type NvspMessage } from '../../../../wire/nvsp.ts';
import { RNDIS_STATUS } from '../../../../wire/oid.ts';
import { RNDIS, type RndisMessage } from '../../../../wire/rndis.ts';
import { logAbout } from '../../kernel.ts';
import { receive } from '../../packets.ts';
import type { LinkEvent, NetvscNic } from './nic.ts';
import { nvsp } from './nvsp-out.ts';
import { answerRndis } from './rndis.ts';

type Packet = Exclude<ReadPacket, Malformed>;

/** The body of the NIC's NAPI context, until its channel is closed. */
export const serveNic = (nic: NetvscNic): Task => nic.device.channel.serve((packet) => taskFor(nic, packet));

/** What is to be done with a packet; the task itself, because each that only waits for another one costs at every step. */
function taskFor(nic: NetvscNic, packet: ReadPacket): Task | undefined {
  if (!isPacket(packet)) {
    reportMalformed(nic, packet);
    return undefined;
  }
  switch (packet.type) {
    case 'completion':
      return onCompletion(nic, packet);
    case 'transferPages':
      return onTransferPages(nic, packet);
    default:
      return onInband(nic, packet);
  }
}

/** Frames free their send section; everything else has somebody waiting. */
function* onCompletion(nic: NetvscNic, packet: Packet): Task {
  if (yield* nic.sends.end(packet.transactionId)) return;
  const known = yield* nic.device.channel.resolve(packet);
  if (!known) {
    const id = packet.transactionId.toString(16);
    logAbout(nic.kernel, nic.netdev, 'err', `Invalid transaction ID ${id}`);
  }
}

/** Linux never answers an in-band packet of the host's, even where it asks for it. */
function* onInband(nic: NetvscNic, packet: Packet): Task {
  const message = openPayload<NvspMessage>(NVSP, packet.payload);
  if (isMalformed(message)) return reportMalformed(nic, message);
  switch (message.name) {
    case 'sendVfAssociation': {
      const { allocated, serial } = message;
      yield* nic.vfAlloc.set(allocated);
      yield* nic.vfSerial.set(serial);
      if (allocated !== 0) yield* nic.vfAdd.complete();
      logAbout(nic.kernel, nic.netdev, 'info', `VF slot ${serial} ${allocated !== 0 ? 'added' : 'removed'}`);
      break;
    }
    case 'switchDataPath': // no case for it in netvsc_receive_inband(): ignored without a word
    case 'sendIndirectionTable':
      break;
    default:
      logAbout(
        nic.kernel,
        nic.netdev,
        'err',
        `unhandled packet type ${packet.type}, tid ${packet.transactionId.toString(16)}`,
      );
  }
}

function* onTransferPages(nic: NetvscNic, packet: Packet): Task {
  const { kernel } = nic;
  const session = yield* nic.session.get();
  let status: number = NVSP_STATUS.success;
  for (const range of packet.type === 'transferPages' ? packet.transferPages.ranges : []) {
    const { byteOffset, byteCount } = range;
    const payload =
      session === undefined ? undefined : kernel.bus.gpadls.load(session.receive.gpadl, byteOffset, byteCount);
    if (payload === undefined) {
      status = NVSP_STATUS.fail;
      continue;
    }
    const message = openPayload<RndisMessage>(RNDIS, payload);
    if (isMalformed(message)) {
      reportMalformed(nic, message);
      status = NVSP_STATUS.fail;
    } else {
      yield* onRndis(nic, message);
    }
  }
  if (!packet.completionRequested) return;
  yield* nic.device.channel.complete(packet.transactionId, nvsp({ name: 'sendRndisPacketComplete', status }));
}

function* onRndis(nic: NetvscNic, message: RndisMessage): Task {
  switch (message.name) {
    case 'packet':
      yield* receive(nic.netdev, message.data);
      break;
    case 'initializeComplete':
    case 'queryComplete':
    case 'setComplete':
      yield* answerRndis(nic, message);
      break;
    case 'indicateStatus':
      yield* onIndication(nic, message.status);
      break;
    default:
      break; // what a host does not send
  }
}

const LINK_EVENTS = new Map<number, LinkEvent>([
  [RNDIS_STATUS.mediaConnect, 'connect'],
  [RNDIS_STATUS.mediaDisconnect, 'disconnect'],
  [RNDIS_STATUS.networkChange, 'network-change'],
]);

/** netvsc_linkstatus_callback(): queued for the link work; dropped when the device is not registered. */
function* onIndication(nic: NetvscNic, status: number): Task {
  const event = LINK_EVENTS.get(status);
  if (event === undefined || nic.netdev.state !== 'registered') return;
  yield* nic.linkEvents.update((events) => [...events, event]);
  yield* nic.linkChange.schedule();
}

function reportMalformed(nic: NetvscNic, { protocol, problem, what = '' }: Malformed): void {
  nic.kernel.sim.trace.emit({ kind: 'wire.malformed', from: 'host', protocol, problem, dev: nic.dev, detail: what });
}
