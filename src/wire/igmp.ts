/**
 * IGMP, as far as a router asks who is in a group.
 * Source: RFC 2236, 2 (version 2; a version 1 query has a maximum response time of zero).
 * Leaves out: reports, which no station here listens for, queries for one group, and version 3.
 */
import { checksum } from './ipv4.ts';
import { setU16n } from './layout.ts';

export const IGMP_PROTOCOL = 2;

const QUERY = 0x11;
const SIZE = 8;

/** A general query; `tenths` of a second to answer in. */
export function encodeIgmpQuery(tenths: number): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  bytes[0] = QUERY;
  bytes[1] = tenths;
  setU16n(bytes, 2, checksum(bytes));
  return bytes;
}

export const isIgmpQuery = (bytes: Uint8Array): boolean => bytes.length >= SIZE && bytes[0] === QUERY;
