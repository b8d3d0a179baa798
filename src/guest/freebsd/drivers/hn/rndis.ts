/**
 * RNDIS requests from the guest: initialise, query, set, halt. Source: sys/dev/hyperv/netvsc/hn_rndis.c.
 * What this leaves out: offloads and RSS (the model's hosts have none).
 */
import { type MacAddress, macFromBytes } from '../../../../base/mac.ts';
import { PAGE_SIZE } from '../../../../bus/memory.ts';
import type { Task } from '../../../../sim/operation.ts';
import { WaitCell } from '../../../../sim/wait-cell.ts';
import { setU32 } from '../../../../wire/layout.ts';
import { NO_SEND_SECTION, RNDIS_CHANNEL } from '../../../../wire/nvsp.ts';
import { MEDIA_STATE, OID, RNDIS_STATUS } from '../../../../wire/oid.ts';
import { RNDIS, type RndisControl, type RndisMessage } from '../../../../wire/rndis.ts';
import { nvs } from './nvs-out.ts';
import type { Hn } from './softc.ts';

const NOTHING = new Uint8Array(0);
/** HN_RNDIS_XFER_SIZE. */
const MAX_TRANSFER = 0x4000;

/** A request before it has its id. */
type Request =
  Extract<RndisControl, { name: 'initialize' | 'query' | 'set' }> extends infer R
    ? R extends { requestId: number }
      ? Omit<R, 'requestId'>
      : never
    : never;

/** hn_rndis_attach(). */
export function* initializeRndis(hn: Hn): Task<boolean> {
  const init = yield* request(hn, { name: 'initialize', major: 1, minor: 0, maxTransferSize: MAX_TRANSFER });
  return init?.name === 'initializeComplete' && init.status === RNDIS_STATUS.success;
}

/** hn_rndis_get_eaddr(). */
export function* queryAddress(hn: Hn): Task<MacAddress | undefined> {
  const address = yield* query(hn, OID.permanentAddress);
  return address === undefined || address.length < 6 ? undefined : macFromBytes(address);
}

/** hn_rndis_get_linkstatus(): undefined when the host does not say. */
export function* queryLink(hn: Hn): Task<boolean | undefined> {
  const media = yield* query(hn, OID.mediaConnectStatus);
  return media === undefined ? undefined : media[0] === MEDIA_STATE.connected;
}

/** hn_set_rxfilter(). */
export function* setPacketFilter(hn: Hn, filter: number): Task<boolean> {
  if (filter === hn.filter) return true;
  const info = new Uint8Array(4);
  setU32(info, 0, filter);
  const answer = yield* request(hn, { name: 'set', oid: OID.currentPacketFilter, info });
  const done = answer?.name === 'setComplete' && answer.status === RNDIS_STATUS.success;
  if (done) hn.filter = filter;
  return done;
}

/** hn_rndis_halt(): there is no answer to wait for. */
export function* haltRndis(hn: Hn): Task {
  hn.requests.write();
  yield* sendControl(hn, { name: 'halt', requestId: hn.nextRndisRequest++ });
  hn.filter = 0;
}

/** An answer came in: hands it to whoever waits for it. */
export function* answerRndis(hn: Hn, message: RndisMessage & { readonly requestId: number }): Task {
  hn.requests.write();
  const waiting = hn.rndisRequests.get(message.requestId);
  hn.rndisRequests.delete(message.requestId);
  if (waiting !== undefined) yield* waiting.resolve(message);
}

function* query(hn: Hn, oid: number): Task<Uint8Array | undefined> {
  const answer = yield* request(hn, { name: 'query', oid, info: NOTHING });
  return answer?.name === 'queryComplete' && answer.status === RNDIS_STATUS.success ? answer.info : undefined;
}

/** hn_rndis_xact_execute(): undefined when no answer can come any more. */
function* request(hn: Hn, body: Request): Task<RndisMessage | undefined> {
  hn.requests.write();
  const requestId = hn.nextRndisRequest++;
  const answer = new WaitCell<RndisMessage | 'rescinded'>(hn.kernel.sim, `${hn.dev} rndis ${body.name}`);
  hn.rndisRequests.set(requestId, answer);
  const sent = yield* sendControl(hn, { requestId, ...body } as RndisControl);
  const got = sent ? yield* hn.device.channel.untilRescinded(answer) : 'rescinded';
  hn.requests.write();
  hn.rndisRequests.delete(requestId);
  return got === 'rescinded' ? undefined : got;
}

/** Control messages travel in a page of their own that the packet points at; the host completes when it has read it. */
function* sendControl(hn: Hn, message: RndisControl): Task<boolean> {
  const { bus } = hn.kernel;
  const { channel } = hn.device;
  const pfn = bus.memory.allocate(1);
  const len = bus.memory.store(pfn * PAGE_SIZE, RNDIS, message);
  const packet = {
    name: 'sendRndisPacket',
    channelType: RNDIS_CHANNEL.control,
    sendSectionIndex: NO_SEND_SECTION,
    sendSectionSize: 0,
  } as const;
  const { result, answer } = yield* channel.request(nvs(packet, [{ pfn, offset: 0, len }]), message.name);
  if (result === 'sent') yield* channel.untilRescinded(answer); // the page is ours again
  bus.memory.free(pfn, 1);
  return result === 'sent';
}
