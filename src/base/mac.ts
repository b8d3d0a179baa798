import { assert, InvariantError } from './assert.ts';
import type { Branded } from './brand.ts';

/** An Ethernet address, lower case with colons: `00:0d:3a:12:34:56`. */
export type MacAddress = Branded<string, 'MacAddress'>;

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff' as MacAddress;
/** `perm_addr` before the registry has copied `dev_addr` into it. */
export const ZERO_MAC = '00:00:00:00:00:00' as MacAddress;

/** Why a text is no unicast address, or the address. */
export function parseMac(text: string): MacAddress | { readonly problem: string } {
  const wanted = 'six hex pairs such as 00:0d:3a:12:34:56';
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return { problem: `is no MAC address: ${wanted}` };
  const mac = text.toLowerCase().replaceAll('-', ':') as MacAddress;
  if (mac === ZERO_MAC) return { problem: 'is the all-zero address, which no NIC has' };
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) return { problem: 'is a multicast address, which no NIC has' };
  return mac;
}

/** The address of a text that is known to be one. */
export function mac(text: string): MacAddress {
  const parsed = parseMac(text);
  assert(typeof parsed === 'string', `${text} is no MAC address`);
  return parsed;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Of a lower-case hexadecimal digit; written out because every frame has two addresses. */
const digit = (code: number): number => (code <= 0x39 ? code - 0x30 : code - 0x57);

/** Six bytes in wire order. */
export function macBytes(address: MacAddress): Uint8Array {
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) {
    bytes[i] = digit(address.charCodeAt(i * 3)) * 16 + digit(address.charCodeAt(i * 3 + 1));
  }
  return bytes;
}

/** The six bytes at `at`. */
export function macFromBytes(bytes: Uint8Array, at = 0): MacAddress {
  if (bytes.length < at + 6) throw new InvariantError(`six bytes at ${at} of ${bytes.length}`);
  const pair = (i: number): string => HEX[bytes[at + i] ?? 0] ?? '';
  return `${pair(0)}:${pair(1)}:${pair(2)}:${pair(3)}:${pair(4)}:${pair(5)}` as MacAddress;
}
