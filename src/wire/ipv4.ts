import { assert, InvariantError } from '../base/assert.ts';
import type { Branded } from '../base/brand.ts';
import { checkUnsigned, getU16n, setU16n } from './layout.ts';

/**
 * IPv4 with what modelled stations speak on it: ICMP echo and UDP.
 * Source: RFC 791 (header), RFC 1071 (checksum), RFC 792 (echo), RFC 768 (UDP).
 * Leaves out: options, putting fragments together (one is written, and is no packet to whoever reads it), TCP and every
 * ICMP message but echo.
 */

/** Dotted decimal, as text. */
export type Ipv4Address = Branded<string, 'Ipv4Address'>;

/** The address of a text, or undefined. */
export function parseIpv4Address(text: string): Ipv4Address | undefined {
  const parts = text.split('.');
  const good = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return good ? (text as Ipv4Address) : undefined;
}

/** The address of a text that is known to be one. */
export function ipv4Address(text: string): Ipv4Address {
  const address = parseIpv4Address(text);
  assert(address !== undefined, `${text} is no IPv4 address`);
  return address;
}

/** The address with these four numbers. */
export function ipv4Of(...numbers: readonly [number, number, number, number]): Ipv4Address {
  for (const number of numbers) checkUnsigned(number, 0xff, 'a number of an IPv4 address', 0);
  const [a, b, c, d] = numbers;
  return `${a}.${b}.${c}.${d}` as Ipv4Address;
}

/** Four bytes in wire order. */
export function ipv4Bytes(address: Ipv4Address): Uint8Array {
  const bytes = new Uint8Array(4);
  let at = 0;
  // Written out because every packet has two addresses.
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === DOT) at++;
    else bytes[at] = (bytes[at] as number) * 10 + code - DIGIT_ZERO;
  }
  return bytes;
}

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;

/** The four bytes at `at`. */
export const ipv4FromBytes = (bytes: Uint8Array, at = 0): Ipv4Address =>
  `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}` as Ipv4Address;

export const IP_PROTOCOL = { icmp: 1, udp: 17 } as const;

export interface Ipv4Packet {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  readonly ttl: number;
  readonly identification: number;
  readonly payload: Uint8Array;
  /** It is the first fragment of a longer one. */
  readonly moreFragments?: true;
}

const HEADER_SIZE = 20;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
/** MORE_FRAGMENTS and the offset. */
const FRAGMENT = 0x3fff;

export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const length = HEADER_SIZE + packet.payload.length;
  checkUnsigned(length, 0xffff, 'IPv4 length', 2);
  checkUnsigned(packet.identification, 0xffff, 'IPv4 identification', 4);
  checkUnsigned(packet.ttl, 0xff, 'IPv4 TTL', 8);
  checkUnsigned(packet.protocol, 0xff, 'IPv4 protocol', 9);
  const bytes = new Uint8Array(length);
  bytes[0] = 0x45;
  setU16n(bytes, 2, length);
  setU16n(bytes, 4, packet.identification);
  setU16n(bytes, 6, packet.moreFragments === true ? MORE_FRAGMENTS : DONT_FRAGMENT);
  bytes[8] = packet.ttl;
  bytes[9] = packet.protocol;
  bytes.set(ipv4Bytes(packet.source), 12);
  bytes.set(ipv4Bytes(packet.destination), 16);
  setU16n(bytes, 10, checksum(bytes, 0, HEADER_SIZE));
  bytes.set(packet.payload, HEADER_SIZE);
  return bytes;
}

/** Undefined for nonsense, a wrong checksum and fragments. Bytes behind the stated length are cut off. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const first = bytes[0] as number;
  const headerSize = (first & 0xf) * 4;
  const length = getU16n(bytes, 2);
  const isVersion4 = first >> 4 === 4;
  if (!isVersion4 || headerSize < HEADER_SIZE || length < headerSize || length > bytes.length) return undefined;
  if (isIpv4Fragment(bytes) || checksum(bytes, 0, headerSize) !== 0) return undefined;
  return {
    source: ipv4FromBytes(bytes, 12),
    destination: ipv4FromBytes(bytes, 16),
    protocol: bytes[9] as number,
    ttl: bytes[8] as number,
    identification: getU16n(bytes, 4),
    payload: bytes.subarray(headerSize, length),
  };
}

/** Whether the bytes of a packet are a part of a longer one. */
export const isIpv4Fragment = (bytes: Uint8Array): boolean => (getU16n(bytes, 6) & FRAGMENT) !== 0;

/** RFC 1071: over bytes that hold their own checksum it gives 0. */
export function checksum(bytes: Uint8Array, initial = 0, length = bytes.length): number {
  let sum = initial;
  for (let i = 0; i + 1 < length; i += 2) sum += getU16n(bytes, i);
  if (length % 2 === 1) sum += (bytes[length - 1] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export interface IcmpEcho {
  readonly kind: 'request' | 'reply';
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

const ECHO_TYPE = { reply: 0, request: 8 } as const;

export function encodeIcmpEcho({ kind, identifier, sequence, data }: IcmpEcho): Uint8Array {
  checkUnsigned(identifier, 0xffff, 'echo identifier', 4);
  checkUnsigned(sequence, 0xffff, 'echo sequence', 6);
  const bytes = new Uint8Array(8 + data.length);
  bytes[0] = ECHO_TYPE[kind];
  setU16n(bytes, 4, identifier);
  setU16n(bytes, 6, sequence);
  bytes.set(data, 8);
  setU16n(bytes, 2, checksum(bytes));
  return bytes;
}

/** Undefined for any other ICMP message and a wrong checksum. */
export function parseIcmpEcho(bytes: Uint8Array): IcmpEcho | undefined {
  if (bytes.length < 8 || bytes[1] !== 0 || checksum(bytes) !== 0) return undefined;
  const kind = bytes[0] === ECHO_TYPE.request ? 'request' : bytes[0] === ECHO_TYPE.reply ? 'reply' : undefined;
  if (kind === undefined) return undefined;
  return { kind, identifier: getU16n(bytes, 4), sequence: getU16n(bytes, 6), data: bytes.subarray(8) };
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** The addresses that a UDP checksum covers besides the datagram. */
export interface Ipv4Pair {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
}

function pseudoHeader({ source, destination }: Ipv4Pair, length: number): number {
  const [from, to] = [ipv4Bytes(source), ipv4Bytes(destination)];
  return getU16n(from, 0) + getU16n(from, 2) + getU16n(to, 0) + getU16n(to, 2) + IP_PROTOCOL.udp + length;
}

export function encodeUdp({ sourcePort, destinationPort, payload }: UdpDatagram, between: Ipv4Pair): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  if (bytes.length > 0xffff) throw new InvariantError(`a datagram of ${bytes.length} bytes`);
  checkUnsigned(sourcePort, 0xffff, 'UDP source port', 0);
  checkUnsigned(destinationPort, 0xffff, 'UDP destination port', 2);
  setU16n(bytes, 0, sourcePort);
  setU16n(bytes, 2, destinationPort);
  setU16n(bytes, 4, bytes.length);
  bytes.set(payload, 8);
  // A sum of zero is sent as all ones, because zero means that there is none.
  setU16n(bytes, 6, checksum(bytes, pseudoHeader(between, bytes.length)) || 0xffff);
  return bytes;
}

/** Undefined for nonsense and a wrong checksum; a sender may have left the checksum out. */
export function parseUdp(bytes: Uint8Array, between: Ipv4Pair): UdpDatagram | undefined {
  if (bytes.length < 8) return undefined;
  const length = getU16n(bytes, 4);
  if (length < 8 || length > bytes.length) return undefined;
  const datagram = bytes.subarray(0, length);
  const summed = getU16n(bytes, 6) !== 0;
  if (summed && checksum(datagram, pseudoHeader(between, length)) !== 0) return undefined;
  return {
    sourcePort: getU16n(bytes, 0),
    destinationPort: getU16n(bytes, 2),
    payload: datagram.subarray(8),
  };
}
