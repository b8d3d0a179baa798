/**
 * RNDIS requests from the guest: initialise, query, set, halt. All waits are without a limit, as in the kernel.
 * Source: drivers/net/hyperv/rndis_filter.c (reference C.6).
 * What this leaves out: what is made of offloads and of RSS (the model's hosts have none).
 */
import { type MacAddress, macFromBytes } from '../../../../base/mac.ts';
import { PAGE_SIZE } from '../../../../bus/memory.ts';
import type { Task } from '../../../../sim/operation.ts';
import { WaitCell } from '../../../../sim/wait-cell.ts';
import { getU16, setU16, setU32 } from '../../../../wire/layout.ts';
import { NO_SEND_SECTION, NVSP_VERSIONS, RNDIS_CHANNEL } from '../../../../wire/nvsp.ts';
import { MEDIA_STATE, OID, RNDIS_STATUS } from '../../../../wire/oid.ts';
import { RNDIS, type RndisControl, type RndisMessage } from '../../../../wire/rndis.ts';
import type { NetvscNic } from './nic.ts';
import { nvsp } from './nvsp-out.ts';
import type { NvspSession } from './session.ts';

const NOTHING = new Uint8Array(0);
/** struct ndis_object_header: type, revision, size (drivers/net/hyperv/hyperv_net.h, NDIS_OBJECT_TYPE_*). */
const NDIS_OBJECT = { default: 0x80, receiveScale: 0x88, offload: 0xa7 } as const;
const NDIS_HEADER_SIZE = 4;
const NDIS_REVISION = 3;
/** Sizes of struct ndis_offload up to `ipsecv2`, up to `rsc` and whole, by the revision that an NVSP version has. */
const OFFLOAD_SIZES = { 1: 112, 2: 144, 3: 156 } as const;
/** sizeof(struct ndis_offload_params), and VERSION_4_OFFLOAD_SIZE. */
const OFFLOAD_PARAMETERS_SIZE = 28;
const OFFLOAD_PARAMETERS_SIZE_LEGACY = 22;
/** NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED, in the first field behind the header: Linux makes IPv4's checksums itself. */
const OFFLOAD_DISABLED = 1;
/** sizeof(struct ndis_recv_scale_cap), and its NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2. */
const RECEIVE_SCALE_SIZE = 18;
const RECEIVE_SCALE_REVISION = 2;
/** What the guest says that a transfer may have (rndis_filter_init_device()). */
const MAX_TRANSFER = 0x4000;

/** A request before it has its id. */
type Request =
  Extract<RndisControl, { name: 'initialize' | 'query' | 'set' }> extends infer R
    ? R extends { requestId: number }
      ? Omit<R, 'requestId'>
      : never
    : never;

/** What the host said of the NIC at the start. */
export interface RndisDevice {
  readonly mac: MacAddress;
  readonly linkUp: boolean;
}

/** rndis_filter_device_add(): the queries in the kernel's order; undefined when the host refuses or vanishes. */
export function* initializeRndis(nic: NetvscNic, session: NvspSession): Task<RndisDevice | undefined> {
  const init = yield* request(nic, { name: 'initialize', major: 1, minor: 0, maxTransferSize: MAX_TRANSFER });
  if (init?.name !== 'initializeComplete' || init.status !== RNDIS_STATUS.success) return undefined;
  yield* query(nic, OID.maximumFrameSize);
  const address = yield* query(nic, OID.permanentAddress);
  if (address === undefined || address.length < 6) return undefined;
  yield* query(nic, OID.friendlyName);
  if (!(yield* agreeOnOffloads(nic, session))) return undefined;
  const media = yield* query(nic, OID.mediaConnectStatus);
  if (session.version >= NVSP_VERSIONS['5']) {
    yield* query(nic, OID.linkSpeed);
    const capabilities = ndisObject(NDIS_OBJECT.receiveScale, RECEIVE_SCALE_REVISION, RECEIVE_SCALE_SIZE);
    yield* query(nic, OID.receiveScaleCapabilities, capabilities);
  }
  return { mac: macFromBytes(address), linkUp: media === undefined || media[0] === MEDIA_STATE.connected };
}

/** rndis_netdev_set_hwcaps(): false when the host's answer is none of the kind, or it refuses what is set. */
function* agreeOnOffloads(nic: NetvscNic, { version }: NvspSession): Task<boolean> {
  const revision = version >= NVSP_VERSIONS['5'] ? NDIS_REVISION : version >= NVSP_VERSIONS['4'] ? 2 : 1;
  const asked = ndisObject(NDIS_OBJECT.offload, revision, OFFLOAD_SIZES[revision]);
  const capabilities = yield* query(nic, OID.tcpOffloadHardwareCapabilities, asked);
  if (capabilities === undefined || !isOffload(capabilities)) return false;
  const size = version <= NVSP_VERSIONS['4'] ? OFFLOAD_PARAMETERS_SIZE_LEGACY : OFFLOAD_PARAMETERS_SIZE;
  const parameters = ndisObject(NDIS_OBJECT.default, NDIS_REVISION, size);
  parameters[NDIS_HEADER_SIZE] = OFFLOAD_DISABLED;
  return yield* set(nic, OID.tcpOffloadParameters, parameters);
}

/** What rndis_query_hwcaps() looks at. */
function isOffload(answer: Uint8Array): boolean {
  if (answer.length < NDIS_HEADER_SIZE || answer[0] !== NDIS_OBJECT.offload || answer[1] === 0) return false;
  const size = getU16(answer, 2);
  return size <= answer.length && size >= OFFLOAD_SIZES[1];
}

function ndisObject(type: number, revision: number, size: number): Uint8Array {
  const object = new Uint8Array(size);
  object[0] = type;
  object[1] = revision;
  setU16(object, 2, size);
  return object;
}

/** rndis_filter_set_packet_filter(). */
export function* setPacketFilter(nic: NetvscNic, filter: number): Task<boolean> {
  if (filter === nic.filter) return true;
  const value = new Uint8Array(4);
  setU32(value, 0, filter);
  const done = yield* set(nic, OID.currentPacketFilter, value);
  if (done) nic.filter = filter;
  return done;
}

/** rndis_filter_halt_device(): there is no answer to wait for. */
export function* haltRndis(nic: NetvscNic): Task {
  yield* sendControl(nic, { name: 'halt', requestId: nic.nextRndisRequest++ });
}

/** An answer came in: hands it to whoever waits for it; false when nobody does. */
export function* answerRndis(nic: NetvscNic, message: RndisMessage & { readonly requestId: number }): Task<boolean> {
  const waiting = nic.rndisRequests.get(message.requestId);
  if (waiting === undefined) return false;
  nic.rndisRequests.delete(message.requestId);
  yield* waiting.resolve(message);
  return true;
}

function* query(nic: NetvscNic, oid: number, info: Uint8Array = NOTHING): Task<Uint8Array | undefined> {
  const answer = yield* request(nic, { name: 'query', oid, info });
  return answer?.name === 'queryComplete' && answer.status === RNDIS_STATUS.success ? answer.info : undefined;
}

function* set(nic: NetvscNic, oid: number, info: Uint8Array): Task<boolean> {
  const answer = yield* request(nic, { name: 'set', oid, info });
  return answer?.name === 'setComplete' && answer.status === RNDIS_STATUS.success;
}

function* request(nic: NetvscNic, body: Request): Task<RndisMessage | undefined> {
  const requestId = nic.nextRndisRequest++;
  const answer = new WaitCell<RndisMessage>(nic.kernel.sim, `${nic.dev} rndis ${body.name}`);
  nic.rndisRequests.set(requestId, answer);
  const sent = yield* sendControl(nic, { requestId, ...body } as RndisControl);
  if (!sent) {
    nic.rndisRequests.delete(requestId);
    return undefined;
  }
  return yield* answer.wait();
}

/** Control messages travel in a page of their own that the packet points at; the host completes when it has read it. */
function* sendControl(nic: NetvscNic, message: RndisControl): Task<boolean> {
  const { bus } = nic.kernel;
  const pfn = bus.memory.allocate(1);
  const len = bus.memory.store(pfn * PAGE_SIZE, RNDIS, message);
  const packet = {
    name: 'sendRndisPacket',
    channelType: RNDIS_CHANNEL.control,
    sendSectionIndex: NO_SEND_SECTION,
    sendSectionSize: 0,
  } as const;
  const pages = [{ pfn, offset: 0, len }];
  const { result, answer } = yield* nic.device.channel.request(nvsp(packet, pages), message.name);
  if (result !== 'sent') {
    bus.memory.free(pfn, 1);
    return false;
  }
  yield* answer.wait(); // the page is ours again
  bus.memory.free(pfn, 1);
  return true;
}
