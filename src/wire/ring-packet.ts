import { InvariantError } from '../base/assert.ts';
import { checkUnsigned, PFN_MAX, viewOf } from './layout.ts';
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
  bytes.length < 8 ? undefined : viewOf(bytes).getUint16(4, true) * 8;

/** Everything but the trailer, which depends on where in the ring the packet is put. */
export function encodeRingPacket(packet: RingPacket): Uint8Array {
  const headerSize = packetHeaderSize(packet);
  const length = headerSize + align8(packet.payload.length);
  if (length > 0xffff * 8) throw new InvariantError(`a packet of ${length} bytes`);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint16(0, RING_PACKET_TYPES[packet.type], true);
  view.setUint16(2, headerSize / 8, true);
  view.setUint16(4, length / 8, true);
  view.setUint16(6, packet.completionRequested ? COMPLETION_REQUESTED : 0, true);
  view.setBigUint64(8, packet.transactionId, true);
  if (packet.type === 'transferPages') writeTransferPages(packet.transferPages, view);
  if (packet.type === 'gpaDirect') writePages(packet.pages, view);
  bytes.set(packet.payload, headerSize);
  return bytes;
}

function writeTransferPages(
  { setId, ranges }: { readonly setId: number; readonly ranges: readonly TransferPageRange[] },
  view: DataView,
): void {
  checkUnsigned(setId, 0xffff, 'page set id', 16);
  view.setUint16(16, setId, true);
  view.setUint32(20, ranges.length, true);
  ranges.forEach(({ byteCount, byteOffset }, i) => {
    checkUnsigned(byteCount, 0xffff_ffff, 'byte count', i);
    checkUnsigned(byteOffset, 0xffff_ffff, 'byte offset', i);
    view.setUint32(24 + 8 * i, byteCount, true);
    view.setUint32(28 + 8 * i, byteOffset, true);
  });
}

/** One range a page, as vmbus_sendpacket_pagebuffer() does (drivers/hv/channel.c). */
function writePages(pages: readonly PageRange[], view: DataView): void {
  view.setUint32(20, pages.length, true);
  pages.forEach(({ len, offset, pfn }, i) => {
    if (len < 1 || offset < 0 || offset + len > PAGE_SIZE)
      throw new InvariantError(`${len} bytes at ${offset} of a page`);
    checkUnsigned(pfn, PFN_MAX, 'page number', i);
    const at = 24 + 16 * i;
    view.setUint32(at, len, true);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, pfn % 2 ** 32, true);
    view.setUint32(at + 12, Math.floor(pfn / 2 ** 32), true);
  });
}

/** The packet at the start of `bytes`. Its payload is a view of them. */
export function decodeRingPacket(bytes: Uint8Array): RingPacket | Malformed {
  const bad = (problem: Malformed['problem'], what: string, expected?: number): Malformed =>
    malformed('ring', bytes, problem, {
      expected,
      what,
      ...(bytes.length < 2 ? {} : { type: viewOf(bytes).getUint16(0, true) }),
    });
  if (bytes.length < RING_DESCRIPTOR_SIZE) return bad('short', 'descriptor', RING_DESCRIPTOR_SIZE);
  const view = viewOf(bytes);
  const start = view.getUint16(2, true) * 8;
  const length = view.getUint16(4, true) * 8;
  if (length > bytes.length) return bad('short', 'packet', length);
  if (start < RING_DESCRIPTOR_SIZE || start > length) return bad('invalid', `a payload at ${start} of ${length}`);
  const head = {
    transactionId: view.getBigUint64(8, true),
    completionRequested: (view.getUint16(6, true) & COMPLETION_REQUESTED) !== 0,
    payload: bytes.subarray(start, length),
  };
  switch (view.getUint16(0, true)) {
    case RING_PACKET_TYPES.inband:
      return { type: 'inband', ...head };
    case RING_PACKET_TYPES.completion:
      return { type: 'completion', ...head };
    case RING_PACKET_TYPES.transferPages: {
      const transferPages = readTransferPages(view, start);
      return transferPages === undefined ? bad('invalid', 'ranges') : { type: 'transferPages', transferPages, ...head };
    }
    case RING_PACKET_TYPES.gpaDirect: {
      const pages = readPages(view, start);
      return pages === undefined ? bad('invalid', 'pages') : { type: 'gpaDirect', pages, ...head };
    }
    default:
      return bad('unknown', 'packet type');
  }
}

function readTransferPages(
  view: DataView,
  end: number,
): { readonly setId: number; readonly ranges: readonly TransferPageRange[] } | undefined {
  if (end < 24) return undefined;
  const count = view.getUint32(20, true);
  if (count > RANGES_MAX || 24 + 8 * count > end) return undefined;
  const ranges = Array.from({ length: count }, (_, i) => ({
    byteCount: view.getUint32(24 + 8 * i, true),
    byteOffset: view.getUint32(28 + 8 * i, true),
  }));
  return { setId: view.getUint16(16, true), ranges };
}

/** A range may cover several pages (struct vmbus_packet_mpb_array): it comes back as one entry a page. */
function readPages(view: DataView, end: number): readonly PageRange[] | undefined {
  if (end < 24) return undefined;
  const pages: PageRange[] = [];
  let at = 24;
  for (let ranges = view.getUint32(20, true); ranges > 0; ranges--) {
    if (at + 16 > end) return undefined;
    let left = view.getUint32(at, true);
    let offset = view.getUint32(at + 4, true);
    const count = Math.ceil((offset + left) / PAGE_SIZE);
    at += 8;
    if (left === 0 || offset >= PAGE_SIZE || pages.length + count > PAGES_MAX || at + 8 * count > end) return undefined;
    for (let page = 0; page < count; page++, at += 8) {
      const len = Math.min(left, PAGE_SIZE - offset);
      pages.push({ len, offset, pfn: view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true) });
      left -= len;
      offset = 0;
    }
  }
  return pages;
}
