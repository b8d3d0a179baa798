import { type MacAddress, macBytes, macFromBytes } from '../base/mac.ts';
import { type Ipv4Address, ipv4Bytes, ipv4FromBytes } from './ipv4.ts';
import { getU16n, setU16n } from './layout.ts';

/**
 * ARP for IPv4 over Ethernet.
 * Source: RFC 826. A gratuitous announcement (RFC 5227) is a request whose sender and target are one.
 * Leaves out: reverse ARP and other hardware or protocol types.
 */
export interface Arp {
  readonly operation: 'request' | 'reply';
  readonly senderMac: MacAddress;
  readonly senderIp: Ipv4Address;
  /** All zero in a request. */
  readonly targetMac: MacAddress;
  readonly targetIp: Ipv4Address;
}

const SIZE = 28;
const OPERATION = { request: 1, reply: 2 } as const;
/** Ethernet, IPv4, and the lengths of their addresses. */
const PREFIX = Uint8Array.of(0, 1, 0x08, 0x00, 6, 4);

export function encodeArp(arp: Arp): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  bytes.set(PREFIX, 0);
  setU16n(bytes, 6, OPERATION[arp.operation]);
  bytes.set(macBytes(arp.senderMac), 8);
  bytes.set(ipv4Bytes(arp.senderIp), 14);
  bytes.set(macBytes(arp.targetMac), 18);
  bytes.set(ipv4Bytes(arp.targetIp), 24);
  return bytes;
}

export function parseArp(bytes: Uint8Array): Arp | undefined {
  if (bytes.length < SIZE || PREFIX.some((value, i) => bytes[i] !== value)) return undefined;
  const code = getU16n(bytes, 6);
  const operation = code === OPERATION.request ? 'request' : code === OPERATION.reply ? 'reply' : undefined;
  if (operation === undefined) return undefined;
  return {
    operation,
    senderMac: macFromBytes(bytes, 8),
    senderIp: ipv4FromBytes(bytes, 14),
    targetMac: macFromBytes(bytes, 18),
    targetIp: ipv4FromBytes(bytes, 24),
  };
}
