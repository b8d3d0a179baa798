import { assert } from '../base/assert.ts';
import { viewOf } from './layout.ts';

/**
 * What a frame of a measured flow carries, so that whoever sees it knows which frame of which flow it is.
 * Source: our own format, in an EtherType that IEEE 802 leaves for local experiments (88-B5), so that a flow needs no
 * address and no lease.
 * Leaves out: a checksum (nothing here flips bits).
 */
export const FLOW_ETHER_TYPE = 0x88b5;

/** Seen from the guest, as in the ledgers: an echo's request is `tx` and its reply `rx`. */
export interface FlowPayload {
  readonly flow: string;
  readonly kind: 'echo' | 'stream';
  readonly direction: 'tx' | 'rx';
  /** Counts from zero in each direction. */
  readonly id: number;
}

/** "NVSM". */
const MAGIC = 0x4e56534d;
const FIXED_SIZE = 11;
/** So that the smallest frame of a flow, 64 bytes, has room for it. */
export const FLOW_NAME_MAX = 32;
const KINDS = ['echo', 'stream'] as const;
const DIRECTIONS = ['tx', 'rx'] as const;

/** `size` bytes: the payload and zeros behind it. */
export function encodeFlowPayload({ flow, kind, direction, id }: FlowPayload, size: number): Uint8Array {
  assert(
    flow.length > 0 && flow.length <= FLOW_NAME_MAX,
    `a flow is named "${flow}": 1 to ${FLOW_NAME_MAX} characters`,
  );
  assert(size >= FIXED_SIZE + flow.length, `${size} bytes have no room for the flow ${flow}`);
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint8(4, KINDS.indexOf(kind));
  view.setUint8(5, DIRECTIONS.indexOf(direction));
  view.setUint32(6, id);
  view.setUint8(10, flow.length);
  for (let i = 0; i < flow.length; i++) bytes[FIXED_SIZE + i] = flow.charCodeAt(i) & 0x7f;
  return bytes;
}

/** Undefined for what is none of ours. */
export function parseFlowPayload(bytes: Uint8Array): FlowPayload | undefined {
  if (bytes.length < FIXED_SIZE || bytes[0] !== MAGIC >>> 24) return undefined;
  const view = viewOf(bytes);
  const kind = KINDS[view.getUint8(4)];
  const direction = DIRECTIONS[view.getUint8(5)];
  const length = view.getUint8(10);
  if (view.getUint32(0) !== MAGIC || kind === undefined || direction === undefined) return undefined;
  if (length === 0 || length > FLOW_NAME_MAX || FIXED_SIZE + length > bytes.length) return undefined;
  const flow = String.fromCharCode(...bytes.subarray(FIXED_SIZE, FIXED_SIZE + length));
  return { flow, kind, direction, id: view.getUint32(6) };
}

/** The flow's payload of an Ethernet frame, without a look at anything else in it. */
export function flowOfFrame(frame: Uint8Array): FlowPayload | undefined {
  const isFlow = frame.length > 14 && ((frame[12] as number) << 8) + (frame[13] as number) === FLOW_ETHER_TYPE;
  return isFlow ? parseFlowPayload(frame.subarray(14)) : undefined;
}
