import { InvariantError } from '../base/assert.ts';
import { viewOf } from './layout.ts';
import { type Malformed, malformed } from './message.ts';

/**
 * The hypervisor's side of messages: 256-byte slots in the SynIC message page, and the input of the two hypercalls that
 * VMBus needs.
 * Source: struct hv_message and hv_input_post_message as in reference C.10; asm-generic/hyperv-tlfs.h for the codes;
 * Hypervisor Top Level Functional Specification, sections "Inter-partition communication" and "SynIC".
 * Leaves out: the synthetic timers' message (a type only), event flag pages (the bus has them) and nested partitions.
 */

/** drivers/hv/hyperv_vmbus.h: VMBUS_MESSAGE_SINT, VMBUS_MESSAGE_CONNECTION_ID, VMBUS_MESSAGE_CONNECTION_ID_4. */
export const VMBUS_MESSAGE_SINT = 2;
export const MESSAGE_CONNECTION = { beforeVersion5: 1, version5: 4 } as const;

/** hyperv-tlfs.h: HV_STATUS_*, in the low 16 bits of a hypercall's result. */
export const HV_STATUS = {
  success: 0x0,
  invalidHypercallCode: 0x2,
  invalidHypercallInput: 0x3,
  invalidAlignment: 0x4,
  invalidParameter: 0x5,
  accessDenied: 0x6,
  operationDenied: 0x8,
  insufficientMemory: 0xb,
  invalidPortId: 0x11,
  invalidConnectionId: 0x12,
  insufficientBuffers: 0x13,
} as const;

/** hyperv-tlfs.h, enum hv_message_type. VMBus posts its messages, in both directions, as type 1. */
export const HV_MESSAGE_TYPE = { none: 0, vmbus: 1, timerExpired: 0x8000_0010 } as const;

/** hyperv-tlfs.h: HV_MESSAGE_SIZE, HV_MESSAGE_PAYLOAD_BYTE_COUNT. */
export const MESSAGE_SLOT_SIZE = 256;
export const MESSAGE_PAYLOAD_MAX = 240;
const HEADER_SIZE = 16;

/** A filled slot of the message page; the receiver frees it by writing type 0. */
export interface HvMessage {
  readonly messageType: number;
  /** More waits behind this one: the receiver must write the end-of-message register. */
  readonly messagePending: boolean;
  /** The port, or the sending partition. */
  readonly sender: bigint;
  readonly payload: Uint8Array;
}

export function encodeHvMessage({ messageType, messagePending, sender, payload }: HvMessage): Uint8Array {
  checkPayload(payload);
  const bytes = new Uint8Array(MESSAGE_SLOT_SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, messageType, true);
  view.setUint8(4, payload.length);
  view.setUint8(5, messagePending ? 1 : 0);
  view.setBigUint64(8, sender, true);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

export function decodeHvMessage(bytes: Uint8Array): HvMessage | Malformed {
  if (bytes.length < HEADER_SIZE) return malformed('hv_message', bytes, 'short', { expected: HEADER_SIZE });
  const view = viewOf(bytes);
  const size = view.getUint8(4);
  const problem = payloadProblem('hv_message', bytes, size);
  return (
    problem ?? {
      messageType: view.getUint32(0, true),
      messagePending: (view.getUint8(5) & 1) !== 0,
      sender: view.getBigUint64(8, true),
      payload: bytes.subarray(HEADER_SIZE, HEADER_SIZE + size),
    }
  );
}

/** Input of HVCALL_POST_MESSAGE. */
export interface PostMessage {
  readonly connectionId: number;
  readonly messageType: number;
  readonly payload: Uint8Array;
}

export function encodePostMessage({ connectionId, messageType, payload }: PostMessage): Uint8Array {
  checkPayload(payload);
  const bytes = new Uint8Array(MESSAGE_SLOT_SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, connectionId, true);
  view.setUint32(8, messageType, true);
  view.setUint32(12, payload.length, true);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

export function decodePostMessage(bytes: Uint8Array): PostMessage | Malformed {
  if (bytes.length < HEADER_SIZE) return malformed('hv_input_post_message', bytes, 'short', { expected: HEADER_SIZE });
  const view = viewOf(bytes);
  const size = view.getUint32(12, true);
  const problem = payloadProblem('hv_input_post_message', bytes, size);
  return (
    problem ?? {
      connectionId: view.getUint32(0, true),
      messageType: view.getUint32(8, true),
      payload: bytes.subarray(HEADER_SIZE, HEADER_SIZE + size),
    }
  );
}

/** Input of HVCALL_SIGNAL_EVENT, which is passed in a register: connection below, flag number above. */
export const signalEventInput = {
  pack: (connectionId: number, flag = 0): bigint => (BigInt(flag) << 32n) | BigInt(connectionId),
  unpack: (input: bigint): { readonly connectionId: number; readonly flag: number } => ({
    connectionId: Number(input & 0xffff_ffffn),
    flag: Number((input >> 32n) & 0xffffn),
  }),
} as const;

function checkPayload(payload: Uint8Array): void {
  if (payload.length > MESSAGE_PAYLOAD_MAX) throw new InvariantError(`a message of ${payload.length} bytes`);
}

function payloadProblem(what: string, bytes: Uint8Array, size: number): Malformed | undefined {
  if (size > MESSAGE_PAYLOAD_MAX) return malformed(what, bytes, 'invalid', { what: `a payload of ${size} bytes` });
  if (HEADER_SIZE + size > bytes.length) return malformed(what, bytes, 'short', { expected: HEADER_SIZE + size });
  return undefined;
}
