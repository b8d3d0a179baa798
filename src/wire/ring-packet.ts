import { InvariantError } from '../base/assert.ts';
import { checkUnsigned, getU16, getU32, getU64, PFN_MAX, setU16, setU32, setU64 } from './layout.ts';
import { type Malformed, malformed } from './message.ts';

/**
 * Packets of a VMBus ring: a 16-byte descriptor, a header by type, the payload padded to 8, and the ring's own trailer.
 * Source: linux/hyperv.h, struct vmpacket_descriptor, vmtransfer_page_packet_header, vmdata_gpa_direct and
 * hv_page_buffer; reference C.2.
 * Leaves out: packet types that no driver here uses (1 to 5, 8, 10, 12, 13), and the exact length of a payload: a
 * descriptor counts in units of 8, so a payload comes back with up to 7 zeros behind it.
 */
export const RING_DESCRIPTOR_SIZE = 16;
/** The offset at which the packet began, in the upper half of a u64. */
export const RING_TRAILER_SIZE = 8;

/** linux/hyperv.h, enum vmbus_packet_type: VM_PKT_*. */
export const RING_PACKET_TYPES = { inband: 6, transferPages: 7, gpaDirect: 9, completion: 11 } as const;

/** linux/hyperv.h: VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED. */
const COMPLETION_REQUESTED = 1;
const PAGE_SIZE = 4096;
/** linux/hyperv.h: MAX_PAGE_BUFFER_COUNT is 32. Ours is a bound on hostile input: 16 MB in pages. */
const PAGES_MAX = 4096;
/** drivers/net/hyperv/hyperv_net.h: NVSP_RSC_MAX is 562. A bound on hostile input, again. */
const RANGES_MAX = 4096;

export interface TransferPageRange {
  readonly byteCount: number;
  /** Within the receive buffer. */
  readonly byteOffset: number;
}

/** Bytes within one page of guest memory. */
export interface PageRange {
  readonly len: number;
  readonly offset: number;
  readonly pfn: number;
}

interface Head {
  /** The completion of a packet has the same one; 0 is never completed. */
  readonly transactionId: bigint;
  readonly completionRequested: boolean;
}

/** A packet without its payload: what sizes depend on. */
export type RingPacketHead =
  | (Head & { readonly type: 'inband' | 'completion' })
  | (Head & {
      readonly type: 'transferPages';
      readonly transferPages: { readonly setId: number; readonly ranges: readonly TransferPageRange[] };
    })
  | (Head & { readonly type: 'gpaDirect'; readonly pages: readonly PageRange[] });

export type RingPacket = RingPacketHead & { readonly payload: Uint8Array };

const align8 = (size: number): number => Math.ceil(size / 8) * 8;

/** Descriptor and header by type: where the payload begins. */
export function packetHeaderSize(head: RingPacketHead): number {
  switch (head.type) {
    case 'inband':
    case 'completion':
      return RING_DESCRIPTOR_SIZE;
    case 'transferPages':
      return 24 + 8 * head.transferPages.ranges.length;
    case 'gpaDirect':
      return 24 + 16 * head.pages.length;
  }
}

/** Bytes that a packet takes in the ring, trailer and padding included. */
export const packetSize = (head: RingPacketHead, payloadSize: number): number =>
  packetHeaderSize(head) + align8(payloadSize) + RING_TRAILER_SIZE;

/** The length that a descriptor states, without the trailer; undefined with fewer than 8 bytes. */
export const packetLength = (bytes: Uint8Array): number | undefined =>
  bytes.length < 8 ? undefined : getU16(bytes, 4) * 8;

/** Everything but the trailer, which depends on where in the ring the packet is put. */
export function encodeRingPacket(packet: RingPacket): Uint8Array {
  const bytes = new Uint8Array(packetSize(packet, packet.payload.length) - RING_TRAILER_SIZE);
  writeRingPacket(packet, packet.payload, bytes, 0);
  return bytes;
}

/** The same, put where it is to be. */
export function writeRingPacket(head: RingPacketHead, payload: Uint8Array, bytes: Uint8Array, base: number): void {
  const headerSize = packetHeaderSize(head);
  const length = headerSize + align8(payload.length);
  if (length > 0xffff * 8) throw new InvariantError(`a packet of ${length} bytes`);
  setU16(bytes, base, RING_PACKET_TYPES[head.type]);
  setU16(bytes, base + 2, headerSize / 8);
  setU16(bytes, base + 4, length / 8);
  setU16(bytes, base + 6, head.completionRequested ? COMPLETION_REQUESTED : 0);
  setU64(bytes, base + 8, head.transactionId);
  if (head.type === 'transferPages') writeTransferPages(head.transferPages, bytes, base);
  if (head.type === 'gpaDirect') writePages(head.pages, bytes, base);
  bytes.set(payload, base + headerSize);
  for (let at = headerSize + payload.length; at < length; at++) bytes[base + at] = 0;
}

function writeTransferPages(
  { setId, ranges }: { readonly setId: number; readonly ranges: readonly TransferPageRange[] },
  bytes: Uint8Array,
  base: number,
): void {
  checkUnsigned(setId, 0xffff, 'page set id', 16);
  setU32(bytes, base + 16, setId);
  setU32(bytes, base + 20, ranges.length);
  let at = base + 24;
  for (const { byteCount, byteOffset } of ranges) {
    checkUnsigned(byteCount, 0xffff_ffff, 'byte count', at);
    checkUnsigned(byteOffset, 0xffff_ffff, 'byte offset', at);
    setU32(bytes, at, byteCount);
    setU32(bytes, at + 4, byteOffset);
    at += 8;
  }
}

/** One range a page, as vmbus_sendpacket_pagebuffer() does (drivers/hv/channel.c). */
function writePages(pages: readonly PageRange[], bytes: Uint8Array, base: number): void {
  setU32(bytes, base + 16, 0);
  setU32(bytes, base + 20, pages.length);
  let at = base + 24;
  for (const { len, offset, pfn } of pages) {
    if (len < 1 || offset < 0 || offset + len > PAGE_SIZE)
      throw new InvariantError(`${len} bytes at ${offset} of a page`);
    checkUnsigned(pfn, PFN_MAX, 'page number', at);
    setU32(bytes, at, len);
    setU32(bytes, at + 4, offset);
    setU32(bytes, at + 8, pfn % 2 ** 32);
    setU32(bytes, at + 12, Math.floor(pfn / 2 ** 32));
    at += 16;
  }
}

/** The packet at the start of `bytes`. Its payload is a view of them. */
export function decodeRingPacket(bytes: Uint8Array): RingPacket | Malformed {
  const bad = (problem: Malformed['problem'], what: string, expected?: number): Malformed =>
    malformed('ring', bytes, problem, {
      expected,
      what,
      ...(bytes.length < 2 ? {} : { type: getU16(bytes, 0) }),
    });
  if (bytes.length < RING_DESCRIPTOR_SIZE) return bad('short', 'descriptor', RING_DESCRIPTOR_SIZE);
  const start = getU16(bytes, 2) * 8;
  const length = getU16(bytes, 4) * 8;
  if (length > bytes.length) return bad('short', 'packet', length);
  if (start < RING_DESCRIPTOR_SIZE || start > length) return bad('invalid', `a payload at ${start} of ${length}`);
  const head = {
    transactionId: getU64(bytes, 8),
    completionRequested: (getU16(bytes, 6) & COMPLETION_REQUESTED) !== 0,
    payload: bytes.subarray(start, length),
  };
  switch (getU16(bytes, 0)) {
    case RING_PACKET_TYPES.inband:
      return { type: 'inband', ...head };
    case RING_PACKET_TYPES.completion:
      return { type: 'completion', ...head };
    case RING_PACKET_TYPES.transferPages: {
      const transferPages = readTransferPages(bytes, start);
      return transferPages === undefined ? bad('invalid', 'ranges') : { type: 'transferPages', transferPages, ...head };
    }
    case RING_PACKET_TYPES.gpaDirect: {
      const pages = readPages(bytes, start);
      return pages === undefined ? bad('invalid', 'pages') : { type: 'gpaDirect', pages, ...head };
    }
    default:
      return bad('unknown', 'packet type');
  }
}

function readTransferPages(
  bytes: Uint8Array,
  end: number,
): { readonly setId: number; readonly ranges: readonly TransferPageRange[] } | undefined {
  if (end < 24) return undefined;
  const count = getU32(bytes, 20);
  if (count > RANGES_MAX || 24 + 8 * count > end) return undefined;
  const ranges = Array.from({ length: count }, (_, i) => ({
    byteCount: getU32(bytes, 24 + 8 * i),
    byteOffset: getU32(bytes, 28 + 8 * i),
  }));
  return { setId: getU16(bytes, 16), ranges };
}

/** A range may cover several pages (struct vmbus_packet_mpb_array): it comes back as one entry a page. */
function readPages(bytes: Uint8Array, end: number): readonly PageRange[] | undefined {
  if (end < 24) return undefined;
  const pages: PageRange[] = [];
  let at = 24;
  for (let ranges = getU32(bytes, 20); ranges > 0; ranges--) {
    if (at + 16 > end) return undefined;
    let left = getU32(bytes, at);
    let offset = getU32(bytes, at + 4);
    const count = Math.ceil((offset + left) / PAGE_SIZE);
    at += 8;
    if (left === 0 || offset >= PAGE_SIZE || pages.length + count > PAGES_MAX || at + 8 * count > end) return undefined;
    for (let page = 0; page < count; page++, at += 8) {
      const len = Math.min(left, PAGE_SIZE - offset);
      pages.push({ len, offset, pfn: getU32(bytes, at + 4) * 2 ** 32 + getU32(bytes, at) });
      left -= len;
      offset = 0;
    }
  }
  return pages;
}
