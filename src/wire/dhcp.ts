import { InvariantError } from '../base/assert.ts';
import { type MacAddress, macBytes, macFromBytes } from '../base/mac.ts';
import { type Ipv4Address, ipv4Address, ipv4Bytes, ipv4FromBytes } from './ipv4.ts';
import { checkUnsigned, getU32n, setU16n, setU32n } from './layout.ts';

/**
 * DHCP as far as a lease needs it: discover, offer, request, ack, nak and release.
 * Source: RFC 2131 (message), RFC 2132 (options 1, 3, 12, 50, 51, 53, 54).
 * Leaves out: relays, option overload, the parameter request list, renewal times and every other option, which is
 * skipped when read.
 */
export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

const KINDS = { discover: 1, offer: 2, request: 3, ack: 5, nak: 6, release: 7 } as const;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];
const ANY = ipv4Address('0.0.0.0');

export interface Dhcp {
  readonly kind: keyof typeof KINDS;
  readonly transactionId: number;
  readonly clientMac: MacAddress;
  /** The address that the client has already, `ciaddr`. */
  readonly clientIp?: Ipv4Address;
  /** The address that the server gives, `yiaddr`. */
  readonly yourIp?: Ipv4Address;
  readonly requestedIp?: Ipv4Address;
  readonly serverId?: Ipv4Address;
  readonly subnetMask?: Ipv4Address;
  readonly router?: Ipv4Address;
  readonly leaseSeconds?: number;
  readonly hostName?: string;
}

const FIXED_SIZE = 236;
const COOKIE = 0x6382_5363;
const BOOT_REQUEST = 1;
const BOOT_REPLY = 2;
const ETHERNET = 1;
const BROADCAST_FLAG = 0x8000;

const OPTION = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  hostName: 12,
  requestedIp: 50,
  leaseSeconds: 51,
  kind: 53,
  serverId: 54,
  end: 255,
} as const;
const ADDRESS_OPTIONS = ['requestedIp', 'serverId', 'subnetMask', 'router'] as const;

export function encodeDhcp(message: Dhcp): Uint8Array {
  checkUnsigned(message.transactionId, 0xffff_ffff, 'DHCP transaction', 4);
  const options = encodeOptions(message);
  const bytes = new Uint8Array(FIXED_SIZE + 4 + options.length);
  const isReply = message.kind === 'offer' || message.kind === 'ack' || message.kind === 'nak';
  bytes[0] = isReply ? BOOT_REPLY : BOOT_REQUEST;
  bytes[1] = ETHERNET;
  bytes[2] = 6;
  setU32n(bytes, 4, message.transactionId);
  setU16n(bytes, 10, BROADCAST_FLAG);
  bytes.set(ipv4Bytes(message.clientIp ?? ANY), 12);
  bytes.set(ipv4Bytes(message.yourIp ?? ANY), 16);
  bytes.set(macBytes(message.clientMac), 28);
  setU32n(bytes, FIXED_SIZE, COOKIE);
  bytes.set(options, FIXED_SIZE + 4);
  return bytes;
}

function encodeOptions(message: Dhcp): number[] {
  const options: number[] = [OPTION.kind, 1, KINDS[message.kind]];
  for (const name of ADDRESS_OPTIONS) {
    const address = message[name];
    if (address !== undefined) options.push(OPTION[name], 4, ...ipv4Bytes(address));
  }
  const { leaseSeconds, hostName } = message;
  if (leaseSeconds !== undefined) {
    checkUnsigned(leaseSeconds, 0xffff_ffff, 'DHCP lease time', 0);
    const lease = new Uint8Array(4);
    setU32n(lease, 0, leaseSeconds);
    options.push(OPTION.leaseSeconds, 4, ...lease);
  }
  if (hostName !== undefined) {
    if (!/^[\x21-\x7e]{1,255}$/.test(hostName)) throw new InvariantError(`${hostName} is no host name for DHCP`);
    options.push(OPTION.hostName, hostName.length, ...Array.from(hostName, (char) => char.charCodeAt(0)));
  }
  options.push(OPTION.end);
  return options;
}

/** Undefined for BOOTP, nonsense and message types that are not modelled. */
export function parseDhcp(bytes: Uint8Array): Dhcp | undefined {
  if (bytes.length < FIXED_SIZE + 4) return undefined;
  if (bytes[1] !== ETHERNET || bytes[2] !== 6 || getU32n(bytes, FIXED_SIZE) !== COOKIE) return undefined;
  const options = parseOptions(bytes.subarray(FIXED_SIZE + 4));
  const code = options?.get(OPTION.kind)?.[0];
  const kind = KIND_NAMES.find((name) => KINDS[name] === code);
  if (options === undefined || kind === undefined) return undefined;
  const clientIp = ipv4FromBytes(bytes, 12);
  const yourIp = ipv4FromBytes(bytes, 16);
  return {
    kind,
    transactionId: getU32n(bytes, 4),
    clientMac: macFromBytes(bytes, 28),
    ...(clientIp === ANY ? {} : { clientIp }),
    ...(yourIp === ANY ? {} : { yourIp }),
    ...addressOptions(options),
    ...otherOptions(options),
  };
}

function parseOptions(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const options = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.length && bytes[at] !== OPTION.end) {
    const code = bytes[at] ?? 0;
    const length = code === OPTION.pad ? -1 : bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) return undefined;
    if (code !== OPTION.pad && !options.has(code)) options.set(code, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

function addressOptions(options: ReadonlyMap<number, Uint8Array>): Partial<Dhcp> {
  const found: { -readonly [N in (typeof ADDRESS_OPTIONS)[number]]?: Ipv4Address } = {};
  for (const name of ADDRESS_OPTIONS) {
    const value = options.get(OPTION[name]);
    // A router list has the preferred one first; the others are single addresses.
    if (value !== undefined && value.length >= 4) found[name] = ipv4FromBytes(value);
  }
  return found;
}

function otherOptions(options: ReadonlyMap<number, Uint8Array>): Partial<Dhcp> {
  const lease = options.get(OPTION.leaseSeconds);
  const name = options.get(OPTION.hostName);
  return {
    ...(lease === undefined || lease.length !== 4 ? {} : { leaseSeconds: getU32n(lease, 0) }),
    ...(name === undefined || name.length === 0 ? {} : { hostName: String.fromCharCode(...name) }),
  };
}
