import { type MacAddress, macBytes, macFromBytes } from '../base/mac.ts';

/**
 * Ethernet II frames.
 * Source: IEEE 802.3 clause 3 (type interpretation).
 * Leaves out: the frame check sequence (no NIC here shows it), padding to 60 bytes (a virtual switch does not need it),
 * VLAN tags (they travel beside the frame, as per-packet info) and 802.3 length frames.
 */
export const ETHERNET_HEADER_SIZE = 14;

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806 } as const;

export interface EthernetFrame {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export function encodeEthernet({ destination, source, etherType, payload }: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER_SIZE + payload.length);
  bytes.set(macBytes(destination), 0);
  bytes.set(macBytes(source), 6);
  bytes[12] = etherType >> 8;
  bytes[13] = etherType & 0xff;
  bytes.set(payload, ETHERNET_HEADER_SIZE);
  return bytes;
}

/** Undefined for what is no Ethernet II frame. The payload is a view of the bytes, padding included. */
export function parseEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  if (bytes.length < ETHERNET_HEADER_SIZE) return undefined;
  // Without a DataView, which costs more than all the rest of a look at a frame.
  const etherType = ((bytes[12] as number) << 8) | (bytes[13] as number);
  if (etherType < 0x600) return undefined;
  return {
    destination: macFromBytes(bytes, 0),
    source: macFromBytes(bytes, 6),
    etherType,
    payload: bytes.subarray(ETHERNET_HEADER_SIZE),
  };
}

/** The address bit that broadcast and multicast frames have. */
export function isGroupAddress(mac: MacAddress): boolean {
  // The low bit of the first byte is that of its second digit, and the codes of 0 and a differ in theirs.
  const code = mac.charCodeAt(1);
  return code <= 0x39 ? (code & 1) === 1 : (code & 1) === 0;
}
