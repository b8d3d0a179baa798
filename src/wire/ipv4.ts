import { assert, InvariantError } from '../base/assert.ts';
import type { Branded } from '../base/brand.ts';
import { checkUnsigned, viewOf } from './layout.ts';

/**
 * IPv4 with what modelled stations speak on it: ICMP echo and UDP.
 * Source: RFC 791 (header), RFC 1071 (checksum), RFC 792 (echo), RFC 768 (UDP).
 * Leaves out: options, fragments (a fragment is no packet here), TCP and every ICMP message but echo.
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

export const ipv4Bytes = (address: Ipv4Address): Uint8Array => Uint8Array.from(address.split('.'), Number);
export const ipv4FromBytes = (bytes: Uint8Array, at = 0): Ipv4Address =>
  bytes.subarray(at, at + 4).join('.') as Ipv4Address;

export const IP_PROTOCOL = { icmp: 1, udp: 17 } as const;

export interface Ipv4Packet {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  readonly ttl: number;
  readonly identification: number;
  readonly payload: Uint8Array;
}

const HEADER_SIZE = 20;
const DONT_FRAGMENT = 0x4000;

export function encodeIpv4(packet: Ipv4Packet): Uint8Array {
  const length = HEADER_SIZE + packet.payload.length;
  checkUnsigned(length, 0xffff, 'IPv4 length', 2);
  checkUnsigned(packet.identification, 0xffff, 'IPv4 identification', 4);
  checkUnsigned(packet.ttl, 0xff, 'IPv4 TTL', 8);
  checkUnsigned(packet.protocol, 0xff, 'IPv4 protocol', 9);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint8(0, 0x45);
  view.setUint16(2, length);
  view.setUint16(4, packet.identification);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, packet.ttl);
  view.setUint8(9, packet.protocol);
  bytes.set(ipv4Bytes(packet.source), 12);
  bytes.set(ipv4Bytes(packet.destination), 16);
  view.setUint16(10, checksum(bytes.subarray(0, HEADER_SIZE)));
  bytes.set(packet.payload, HEADER_SIZE);
  return bytes;
}

/** Undefined for nonsense, a wrong checksum and fragments. Bytes behind the stated length are cut off. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const view = viewOf(bytes);
  const headerSize = (view.getUint8(0) & 0xf) * 4;
  const length = view.getUint16(2);
  const isVersion4 = view.getUint8(0) >> 4 === 4;
  if (!isVersion4 || headerSize < HEADER_SIZE || length < headerSize || length > bytes.length) return undefined;
  const isFragment = (view.getUint16(6) & 0x3fff) !== 0;
  if (isFragment || checksum(bytes.subarray(0, headerSize)) !== 0) return undefined;
  return {
    source: ipv4FromBytes(bytes, 12),
    destination: ipv4FromBytes(bytes, 16),
    protocol: view.getUint8(9),
    ttl: view.getUint8(8),
    identification: view.getUint16(4),
    payload: bytes.subarray(headerSize, length),
  };
}

/** RFC 1071: over bytes that hold their own checksum it gives 0. */
export function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0);
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
  const view = viewOf(bytes);
  view.setUint8(0, ECHO_TYPE[kind]);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  bytes.set(data, 8);
  view.setUint16(2, checksum(bytes));
  return bytes;
}

/** Undefined for any other ICMP message and a wrong checksum. */
export function parseIcmpEcho(bytes: Uint8Array): IcmpEcho | undefined {
  if (bytes.length < 8 || bytes[1] !== 0 || checksum(bytes) !== 0) return undefined;
  const kind = bytes[0] === ECHO_TYPE.request ? 'request' : bytes[0] === ECHO_TYPE.reply ? 'reply' : undefined;
  if (kind === undefined) return undefined;
  const view = viewOf(bytes);
  return { kind, identifier: view.getUint16(4), sequence: view.getUint16(6), data: bytes.subarray(8) };
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
  const pair = viewOf(Uint8Array.of(...ipv4Bytes(source), ...ipv4Bytes(destination)));
  const addresses = pair.getUint16(0) + pair.getUint16(2) + pair.getUint16(4) + pair.getUint16(6);
  return addresses + IP_PROTOCOL.udp + length;
}

export function encodeUdp({ sourcePort, destinationPort, payload }: UdpDatagram, between: Ipv4Pair): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  if (bytes.length > 0xffff) throw new InvariantError(`a datagram of ${bytes.length} bytes`);
  checkUnsigned(sourcePort, 0xffff, 'UDP source port', 0);
  checkUnsigned(destinationPort, 0xffff, 'UDP destination port', 2);
  const view = viewOf(bytes);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, 8);
  // A sum of zero is sent as all ones, because zero means that there is none.
  view.setUint16(6, checksum(bytes, pseudoHeader(between, bytes.length)) || 0xffff);
  return bytes;
}

/** Undefined for nonsense and a wrong checksum; a sender may have left the checksum out. */
export function parseUdp(bytes: Uint8Array, between: Ipv4Pair): UdpDatagram | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const length = view.getUint16(4);
  if (length < 8 || length > bytes.length) return undefined;
  const datagram = bytes.subarray(0, length);
  const summed = view.getUint16(6) !== 0;
  if (summed && checksum(datagram, pseudoHeader(between, length)) !== 0) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    payload: datagram.subarray(8),
  };
}
