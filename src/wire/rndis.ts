import { InvariantError } from '../base/assert.ts';
import { type BlobOptions, blob, type Field, getU32, setU32, u32 } from './layout.ts';
import { type Malformed, type MessageOf, malformed, type Protocol, type Table, tableProtocol } from './message.ts';

/**
 * Remote NDIS, as the synthetic NIC carries it: control messages by table, packets by hand because they are many.
 * Source: linux/rndis.h and drivers/net/hyperv/hyperv_net.h, struct rndis_*; reference C.6 and C.10. Offsets inside a
 * message count from the end of its 8-byte header.
 * Leaves out: out-of-band data of packets, connection-oriented messages, and what the info buffers hold.
 */
const HEADER_SIZE = 8;
const INFO_MAX = 0xffff;
/** One version of the protocol was ever sent over VMBus: 1.0. */
const V1 = 0x10000;

type InfoFields = { readonly length: Field<number>; readonly offset: Field<number> };
const info = (at: number, { length, offset }: InfoFields): Field<Uint8Array> => {
  const options: BlobOptions = { max: INFO_MAX, length, offset, from: HEADER_SIZE };
  return blob(at, options);
};

const COMPLETE = 0x8000_0000;

export const RNDIS_CONTROL_MESSAGES = {
  /** struct rndis_initialize_request. */
  initialize: {
    type: 2,
    since: V1,
    from: 'guest',
    size: 24,
    fields: { requestId: u32(8), major: u32(12), minor: u32(16), maxTransferSize: u32(20) },
  },
  /** struct rndis_initialize_complete. */
  initializeComplete: {
    type: COMPLETE + 2,
    since: V1,
    from: 'host',
    size: 52,
    fields: {
      requestId: u32(8),
      status: u32(12),
      major: u32(16),
      minor: u32(20),
      deviceFlags: u32(24),
      medium: u32(28),
      maxPacketsPerMessage: u32(32),
      maxTransferSize: u32(36),
      /** A power of two: 3 asks for packets aligned to 8. */
      alignmentFactor: u32(40),
    },
  },
  /** struct rndis_halt_request. There is no answer. */
  halt: { type: 3, since: V1, from: 'guest', size: 12, fields: { requestId: u32(8) } },
  /** struct rndis_query_request. */
  query: {
    type: 4,
    since: V1,
    from: 'guest',
    size: 28,
    fields: { requestId: u32(8), oid: u32(12), info: info(28, { length: u32(16), offset: u32(20) }) },
  },
  /** struct rndis_query_complete. */
  queryComplete: {
    type: COMPLETE + 4,
    since: V1,
    from: 'host',
    size: 24,
    fields: { requestId: u32(8), status: u32(12), info: info(24, { length: u32(16), offset: u32(20) }) },
  },
  /** struct rndis_set_request. */
  set: {
    type: 5,
    since: V1,
    from: 'guest',
    size: 28,
    fields: { requestId: u32(8), oid: u32(12), info: info(28, { length: u32(16), offset: u32(20) }) },
  },
  /** struct rndis_set_complete. */
  setComplete: {
    type: COMPLETE + 5,
    since: V1,
    from: 'host',
    size: 16,
    fields: { requestId: u32(8), status: u32(12) },
  },
  /** struct rndis_reset_request: its one word is reserved. */
  reset: { type: 6, since: V1, from: 'guest', size: 12, fields: {} },
  /** struct rndis_reset_complete. */
  resetComplete: {
    type: COMPLETE + 6,
    since: V1,
    from: 'host',
    size: 16,
    fields: { status: u32(8), addressingReset: u32(12) },
  },
  /** struct rndis_indicate_status. */
  indicateStatus: {
    type: 7,
    since: V1,
    from: 'host',
    size: 20,
    fields: { status: u32(8), info: info(20, { length: u32(12), offset: u32(16) }) },
  },
  /** struct rndis_keepalive_request. */
  keepalive: { type: 8, since: V1, from: 'both', size: 12, fields: { requestId: u32(8) } },
  /** struct rndis_keepalive_complete. */
  keepaliveComplete: {
    type: COMPLETE + 8,
    since: V1,
    from: 'both',
    size: 16,
    fields: { requestId: u32(8), status: u32(12) },
  },
} as const satisfies Table;

export interface PerPacketInfo {
  readonly type: number;
  /** Of the network stack's own kinds, not of NDIS: bit 31 of the type word. */
  readonly internal: boolean;
  readonly data: Uint8Array;
}

export interface RndisPacket {
  readonly name: 'packet';
  /** The Ethernet frame. */
  readonly data: Uint8Array;
  readonly perPacketInfo: readonly PerPacketInfo[];
}

export type RndisControl = MessageOf<typeof RNDIS_CONTROL_MESSAGES>;
export type RndisMessage = RndisControl | RndisPacket;

const CONTROL = tableProtocol(RNDIS_CONTROL_MESSAGES, { name: 'rndis', padding: 7, lengthAt: 4 });

export const RNDIS: Protocol<RndisMessage> = {
  name: 'rndis',
  size: (message) => (message.name === 'packet' ? packetSize(message) : CONTROL.size(message)),
  encode: (message) => (message.name === 'packet' ? encodePacket(message) : CONTROL.encode(message)),
  encodeInto(message, bytes, at) {
    if (message.name === 'packet') writePacket(message, bytes, at);
    else bytes.set(CONTROL.encode(message), at);
  },
  decode(bytes) {
    const isPacket =
      bytes.length >= 4 && bytes[0] === PACKET && (bytes[1] ?? 0) + (bytes[2] ?? 0) + (bytes[3] ?? 0) === 0;
    return isPacket ? decodePacket(bytes) : CONTROL.decode(bytes);
  },
};

/**
 * The messages that stand one behind another in a send section: Linux batches packets there
 * (drivers/net/hyperv/netvsc.c, netvsc_copy_to_send_buf()). Each piece is one message with its padding.
 */
export function splitRndis(bytes: Uint8Array): readonly Uint8Array[] | Malformed {
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (bytes.length - at > 7) {
    const length = getU32(bytes, at + 4);
    if (length < HEADER_SIZE || length > bytes.length - at) {
      return malformed('rndis', bytes, 'short', {
        type: getU32(bytes, at),
        expected: at + length,
        what: 'batch',
      });
    }
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

const PACKET = 1;
/** struct rndis_packet behind the header. */
const PACKET_SIZE = 44;
/** struct rndis_per_packet_info. */
const PPI_SIZE = 12;
const INTERNAL = 0x8000_0000;

function perPacketInfoSize(entries: readonly PerPacketInfo[]): number {
  let size = 0;
  for (const { data } of entries) size += PPI_SIZE + data.length;
  return size;
}

const packetSize = (packet: RndisPacket): number =>
  PACKET_SIZE + perPacketInfoSize(packet.perPacketInfo) + packet.data.length;

function encodePacket(packet: RndisPacket): Uint8Array {
  const bytes = new Uint8Array(packetSize(packet));
  writePacket(packet, bytes, 0);
  return bytes;
}

function writePacket({ data, perPacketInfo }: RndisPacket, bytes: Uint8Array, base: number): void {
  const infoSize = perPacketInfoSize(perPacketInfo);
  bytes.fill(0, base, base + PACKET_SIZE);
  setU32(bytes, base, PACKET);
  setU32(bytes, base + 4, PACKET_SIZE + infoSize + data.length);
  setU32(bytes, base + 8, PACKET_SIZE - HEADER_SIZE + infoSize);
  setU32(bytes, base + 12, data.length);
  if (infoSize > 0) {
    setU32(bytes, base + 28, PACKET_SIZE - HEADER_SIZE);
    setU32(bytes, base + 32, infoSize);
    writePerPacketInfo(perPacketInfo, bytes, base + PACKET_SIZE);
  }
  bytes.set(data, base + PACKET_SIZE + infoSize);
}

function writePerPacketInfo(entries: readonly PerPacketInfo[], bytes: Uint8Array, from: number): void {
  let at = from;
  for (const { type, internal, data } of entries) {
    if (type < 0 || type >= INTERNAL) throw new InvariantError(`per-packet info of type ${type}`);
    setU32(bytes, at, PPI_SIZE + data.length);
    setU32(bytes, at + 4, type + (internal ? INTERNAL : 0));
    setU32(bytes, at + 8, PPI_SIZE);
    bytes.set(data, at + PPI_SIZE);
    at += PPI_SIZE + data.length;
  }
}

function decodePacket(bytes: Uint8Array): RndisPacket | Malformed {
  const bad = (problem: Malformed['problem'], what: string, expected?: number): Malformed =>
    malformed('rndis', bytes, problem, { type: PACKET, expected, what });
  if (bytes.length < PACKET_SIZE) return bad('short', 'packet', PACKET_SIZE);
  const length = getU32(bytes, 4);
  if (length < PACKET_SIZE || length > bytes.length) return bad('short', 'packet', Math.max(length, PACKET_SIZE));
  if (bytes.length > length + 7) return bad('overlong', 'packet', length);
  const start = HEADER_SIZE + getU32(bytes, 8);
  const size = getU32(bytes, 12);
  if (start < PACKET_SIZE || start + size > length) return bad('invalid', `data of ${size} bytes at ${start}`);
  const infoSize = getU32(bytes, 32);
  const data = bytes.subarray(start, start + size);
  if (infoSize === 0) return { name: 'packet', data, perPacketInfo: [] };
  const infoAt = HEADER_SIZE + getU32(bytes, 28);
  if (infoAt < PACKET_SIZE || infoAt + infoSize > length)
    return bad('invalid', `${infoSize} bytes of info at ${infoAt}`);
  const perPacketInfo = readPerPacketInfo(bytes, infoAt, infoAt + infoSize);
  return perPacketInfo === undefined ? bad('invalid', 'per-packet info') : { name: 'packet', data, perPacketInfo };
}

function readPerPacketInfo(bytes: Uint8Array, from: number, end: number): PerPacketInfo[] | undefined {
  const entries: PerPacketInfo[] = [];
  let at = from;
  while (at < end) {
    if (end - at < PPI_SIZE) return undefined;
    const size = getU32(bytes, at);
    const word = getU32(bytes, at + 4);
    const offset = getU32(bytes, at + 8);
    if (size < PPI_SIZE || size > end - at || offset < PPI_SIZE || offset > size) return undefined;
    entries.push({
      type: word % INTERNAL,
      internal: word >= INTERNAL,
      data: bytes.subarray(at + offset, at + size),
    });
    at += size;
  }
  return entries;
}
