import type { Malformed } from '../wire/message.ts';
import type { RingPacketHead } from '../wire/ring-packet.ts';
import type { AnyProtocol, Payload } from './memory.ts';

/**
 * What is written to a ring and read from it. In `bytes` the payload of a packet that was read is bytes, padded to 8;
 * in `direct` it is what was written.
 */
export type RingPacket = RingPacketHead & {
  readonly payload: Payload;
  /** Says how a message is encoded; needed for writing only. */
  readonly protocol?: AnyProtocol;
};

/** A packet that was read, or what stood in its place. */
export type ReadPacket = (RingPacketHead & { readonly payload: Payload }) | Malformed;

/** The name of the protocol in a Malformed that says that the ring itself is broken: nothing behind it can be read. */
export const RING_INDICES = 'ring indices';

export const isPacket = (read: ReadPacket): read is RingPacketHead & { readonly payload: Payload } =>
  'type' in read && !('problem' in read);
