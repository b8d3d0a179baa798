/** Addresses of IPv4 and IPv6 as text, and the prefixes of networks that contain them. Source: RFC 4632, RFC 4291 section 2.2. */
import type { Family } from './af-data.ts';

/** `10.0.0.7/24`: an address, and how many bits of it say which network it is in. */
export interface Prefix {
  readonly family: Family;
  /** The address as a number. */
  readonly bits: bigint;
  readonly length: number;
}

const WIDTH = { inet: 32, inet6: 128 } as const satisfies Record<Family, number>;

export const familyOf = (address: string): Family => (address.includes(':') ? 'inet6' : 'inet');

/** The address of `10.0.0.7/24`. */
export const addressOf = (text: string): string => text.split('/', 1)[0] as string;

/** `10.0.0.7`, `10.0.0.7/24`, `fe80::1/64`; without a length it is of the one address. Undefined: it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = familyOf(address);
  const bits = family === 'inet' ? parseInet(address) : parseInet6(address);
  const width = WIDTH[family];
  const bound = length === undefined ? width : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (bits === undefined || more.length > 0 || !(bound <= width)) return undefined;
  return { family, bits, length: bound };
}

/** The bits that say which network it is, the others 0. */
export function networkOf({ family, bits }: Prefix, length: number): bigint {
  const rest = BigInt(WIDTH[family] - length);
  return (bits >> rest) << rest;
}

/** What the routes of two addresses of one network have in common: `10.0.0.0/24` by family, number and length. */
export const networkKey = (prefix: Prefix, length = prefix.length): string =>
  `${prefix.family} ${networkOf(prefix, length).toString(16)}/${length}`;

export const contains = (network: Prefix, address: Prefix): boolean =>
  network.family === address.family &&
  network.length <= address.length &&
  networkOf(address, network.length) === networkOf(network, network.length);

/** 224.0.0.0/4, ff00::/8 (IN_MULTICAST(), IN6_IS_ADDR_MULTICAST()). */
export function isMulticast(address: string): boolean {
  const parsed = parsePrefix(address);
  if (parsed === undefined) return false;
  return parsed.family === 'inet' ? parsed.bits >> 28n === 0xen : parsed.bits >> 120n === 0xffn;
}

/** The link address of a group (RFC 1112 section 6.4, RFC 2464 section 7); undefined of what is no group of IP. */
export function linkGroupOf(group: string): string | undefined {
  const parsed = isMulticast(group) ? parsePrefix(group) : undefined;
  if (parsed === undefined) return undefined;
  const [prefix, low, digits] =
    parsed.family === 'inet' ? ['01005e', parsed.bits & 0x7fffffn, 6] : ['3333', parsed.bits & 0xffffffffn, 8];
  const all = prefix + low.toString(16).padStart(digits, '0');
  return all.replace(/(..)(?=.)/g, '$1:');
}

function parseInet(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function parseInet6(text: string): bigint | undefined {
  const [before = '', behind, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(before), groups(behind ?? '')];
  const absent = 8 - head.length - tail.length;
  if (behind === undefined ? absent !== 0 : absent < 1) return undefined;
  const all = [...head, ...Array.from({ length: absent }, () => '0'), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
