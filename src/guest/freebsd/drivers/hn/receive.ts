/**
 * What the host sends on a NIC's channel. Source: if_hn.c (hn_chan_callback(), hn_nvs_handle_notify(), hn_nvs_handle_rxbuf(),
 * hn_rndis_rxpkt()), hn_rndis.c.
 * What this leaves out: RSS, LRO, and the buffer in which messages for other threads wait.
 */
import { openPayload } from '../../../../bus/memory.ts';
import { isPacket, type ReadPacket } from '../../../../bus/packet.ts';
import type { Task } from '../../../../sim/operation.ts';
import { isMalformed, type Malformed } from '../../../../wire/message.ts';
import { NVSP, NVSP_STATUS, type NvspMessage } from '../../../../wire/nvsp.ts';
import { RNDIS_STATUS } from '../../../../wire/oid.ts';
import { RNDIS, type RndisMessage } from '../../../../wire/rndis.ts';
import { IFF } from '../../../uapi/freebsd.ts';
import { tap } from '../../net/bpf.ts';
import { handUp } from '../../net/ether-input.ts';
import { noteLink, noteNetworkChange } from './link.ts';
import { nvs } from './nvs-out.ts';
import { answerRndis } from './rndis.ts';
import { type Hn, hnLog } from './softc.ts';

type Packet = Exclude<ReadPacket, Malformed>;

/** The body of the channel's thread, until the channel is closed. */
export function serveChannel(hn: Hn): Task {
  return hn.device.channel.serve((packet) => onPacket(hn, packet));
}

function* onPacket(hn: Hn, packet: ReadPacket): Task {
  if (!isPacket(packet)) return report(hn, packet);
  switch (packet.type) {
    case 'completion':
      // Frames free their section; everything else has somebody waiting.
      if (!(yield* hn.sends.end(packet.transactionId))) yield* hn.device.channel.resolve(packet);
      break;
    case 'transferPages':
      yield* onTransferPages(hn, packet);
      break;
    default:
      onNotify(hn, packet);
  }
}

/** hn_nvs_handle_notify(): the association of a VF is nothing that it knows. */
function onNotify(hn: Hn, packet: Packet): void {
  const message = openPayload<NvspMessage>(NVSP, packet.payload);
  if (isMalformed(message)) report(hn, message);
  else if (message.name !== 'sendIndirectionTable')
    hnLog(hn, 'info', `got notify, nvs type ${NVS_TYPES[message.name] ?? 0}`);
}

/** Numbers of what a host says on its own (if_hnreg.h). */
const NVS_TYPES: Readonly<Partial<Record<NvspMessage['name'], number>>> = {
  sendVfAssociation: 128,
  switchDataPath: 129,
};

function* onTransferPages(hn: Hn, packet: Packet): Task {
  const { gpadls } = hn.kernel.bus;
  const session = yield* hn.session.get();
  for (const { byteOffset, byteCount } of packet.type === 'transferPages' ? packet.transferPages.ranges : []) {
    const payload = session === undefined ? undefined : gpadls.load(session.receive.gpadl, byteOffset, byteCount);
    if (payload === undefined) continue;
    const message = openPayload<RndisMessage>(RNDIS, payload);
    if (isMalformed(message)) report(hn, message);
    else yield* onRndis(hn, message);
  }
  if (!packet.completionRequested) return;
  const done = nvs({ name: 'sendRndisPacketComplete', status: NVSP_STATUS.success });
  yield* hn.device.channel.complete(packet.transactionId, done);
}

function* onRndis(hn: Hn, message: RndisMessage): Task {
  switch (message.name) {
    case 'packet':
      yield* handUp(hn.kernel.net, receive(hn, message.data));
      break;
    case 'initializeComplete':
    case 'queryComplete':
    case 'setComplete':
      yield* answerRndis(hn, message);
      break;
    case 'indicateStatus':
      if (message.status === RNDIS_STATUS.networkChange) yield* noteNetworkChange(hn);
      else if (LINK.includes(message.status)) yield* noteLink(hn);
      break;
    default:
      break; // what a host does not send
  }
}

const LINK: readonly number[] = [RNDIS_STATUS.mediaConnect, RNDIS_STATUS.mediaDisconnect];

/** hn_rxpkt(): to hn, or without transparent mode to the VF that the host sends by, whether hn is up or not. */
function* receive(hn: Hn, frame: Uint8Array): Task {
  const vf = yield* hn.vf.get();
  if (vf !== undefined && (yield* hn.receivesByVf.get()) && (yield* vf.memory.use('hn_rxpkt'))) {
    yield* tap(hn.ifp, frame);
    yield* hn.kernel.etherInput(vf, frame);
  } else if (((yield* hn.ifp.drvFlags.get()) & IFF.RUNNING) !== 0) {
    const input = yield* hn.ifp.input.get();
    yield* input(hn.ifp, frame);
  }
}

function report({ kernel, dev }: Hn, { protocol, problem, what = '' }: Malformed): void {
  kernel.sim.trace.emit({ kind: 'wire.malformed', from: 'host', protocol, problem, dev, detail: what });
}
