/** What can stand for a `<word>` of a verb's usage: how it is read, and an example for tests and help. */
import { type MacAddress, parseMac } from '../base/mac.ts';
import { type Nanoseconds, parseDuration } from '../base/time.ts';
import { FALLIBLE_CALLS, type FallibleCall } from '../guest/linux/faults.ts';
import { ERRNO_NAMES, type Errno, isErrno } from '../guest/uapi/errno.ts';
import { REVOKE_ORDERS, type RevokeOrder } from '../host/action.ts';
import { FAILURES, FAULT_POINTS, requestsOf } from '../host/fault-points.ts';
import type { CloudInitOutcome } from '../user/cloud-init-rules.ts';
import { FLOW_NAME_MAX } from '../wire/flow-payload.ts';
import { nearest, unknownName } from './problem.ts';
import { devicesOf, type Names } from './vocabulary.ts';

/** A value, or why the word is none. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

export interface Placeholder<T> {
  readonly meaning: string;
  readonly example: string;
  /** Every word that it can be, where these are few. */
  words?(names: Names): readonly string[];
  read(word: string, names: Names): Reading<T>;
}

/** An interface name's length is below IFNAMSIZ (uapi/linux/if.h). */
export const IFNAME_LONGEST = 15;

const OUTCOMES = [
  'ok',
  'vf-ignored',
  'vf-candidate',
  'fallback-vf',
  'duplicate-mac',
  'no-nic',
] as const satisfies readonly CloudInitOutcome[];

const MESSAGES = once(Object.values(FAULT_POINTS).flatMap((points) => points.map(({ message }) => message)));
const REQUESTS = once([...requestsOf('nic'), ...requestsOf('vf')]);
const STATUSES = once(Object.values(FAILURES).flatMap((statuses) => Object.keys(statuses)));

export const PLACEHOLDERS = {
  nic: named('NIC', 'a synthetic NIC of the scenario', 'nic1', (names) => names.nics),
  dev: named('device', 'nic1 for the synthetic NIC, nic1.vf for its VF', 'nic1.vf', (names) => devicesOf(names.nics)),
  master: named('device', 'the device that is the master', 'nic1', (names) => devicesOf(names.nics)),
  family: named('VF model', 'a VF model; see netvsim list', 'mlx5', (names) => names.vfs),
  module: named('module', 'a module of the guest', 'hv_netvsc', (names) => names.modules),
  flow: named('flow', 'a flow that a step above has started', 'echo-nic1', (names) => names.flows),
  order: {
    meaning: `how a VF is taken away: ${REVOKE_ORDERS.join(', ')}`,
    example: 'eject-first',
    words: () => REVOKE_ORDERS,
    read(word): Reading<RevokeOrder> {
      const order = REVOKE_ORDERS.find((known) => known === word);
      return order === undefined ? { problem: unknownName('revoke order', word, REVOKE_ORDERS) } : { value: order };
    },
  },
  message: named('message', 'a message between host and guest; see netvsim list messages', 'eject', () => MESSAGES),
  request: named('request', 'a request of the guest; see netvsim list requests', 'busD0Entry', () => REQUESTS),
  status: named('status', 'what the answer says; see netvsim list requests', 'unsuccessful', () => STATUSES),
  call: {
    meaning: "a call inside of the guest's kernel; see netvsim list calls",
    example: 'ndo_open',
    words: () => Object.keys(FALLIBLE_CALLS),
    read(word): Reading<FallibleCall> {
      const calls = Object.keys(FALLIBLE_CALLS) as FallibleCall[];
      const call = calls.find((known) => known === word);
      return call === undefined ? { problem: unknownName('call', word, calls) } : { value: call };
    },
  },
  errno: {
    meaning: 'an error number by its name',
    example: 'EBUSY',
    words: () => ERRNO_NAMES,
    read: (word): Reading<Errno> =>
      isErrno(word) ? { value: word } : { problem: unknownName('error number', word, ERRNO_NAMES) },
  },
  duration: {
    meaning: 'a span of time: 20ms, 1.5s, 2min',
    example: '20ms',
    read: readDuration,
  },
  serial: whole('a serial number', '2', 1, 0xffff_ffff),
  times: whole('how often', '3', 1, 1_000_000),
  bytes: whole('bytes of a frame, Ethernet header included', '128', 64, 1514),
  mtu: whole('bytes', '1400', 68, 65_535),
  number: whole("an interface's number (ifindex)", '2', 1, 65_535),
  mac: {
    meaning: 'an Ethernet address',
    example: '00:0d:3a:12:34:99',
    read(word): Reading<MacAddress> {
      const parsed = parseMac(word);
      return typeof parsed === 'string' ? { value: parsed } : { problem: `"${word}" ${parsed.problem}` };
    },
  },
  address: {
    meaning: 'a network address, of IPv4 or of IPv6',
    example: 'fe80::1',
    read: (word): Reading<string> =>
      /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:]*:[\da-f:]*)$/.test(word)
        ? { value: word }
        : { problem: `"${word}" is no network address such as 10.0.0.1 or fe80::1` },
  },
  frames: whole('a number of frames', '0', 0, Number.MAX_SAFE_INTEGER),
  newname: {
    meaning: `an interface name to be given; a longer one than ${IFNAME_LONGEST} characters is refused`,
    example: 'wan0',
    read: (word): Reading<string> =>
      /^[^\s/:]{1,255}$/.test(word) ? { value: word } : { problem: `"${word}" is no interface name` },
  },
  ifname: {
    meaning: 'an interface name of the guest',
    example: 'eth0',
    read(word): Reading<string> {
      const good = /^[^\s/:]+$/.test(word) && word.length <= IFNAME_LONGEST && word !== '.' && word !== '..';
      return good ? { value: word } : { problem: `"${word}" is no interface name (1 to ${IFNAME_LONGEST} characters)` };
    },
  },
  netns: {
    meaning: 'a network namespace; init_net is where devices appear',
    example: 'blue',
    read(word): Reading<string> {
      return /^[\w.-]{1,255}$/.test(word) ? { value: word } : { problem: `"${word}" is no name of a namespace` };
    },
  },
  label: {
    meaning: 'a name of your own',
    example: 'ping',
    read(word): Reading<string> {
      return /^[a-z][\w.-]*$/i.test(word) && word.length <= FLOW_NAME_MAX
        ? { value: word }
        : { problem: `"${word}" is no name: letters, digits, dots and dashes, at most ${FLOW_NAME_MAX}` };
    },
  },
  text: free('a part of a log line, in quotes', '"Data path switched to VF"'),
  version: named('cloud-init under user:', 'a version of cloud-init', '22.4', cloudInits),
  outcome: {
    meaning: `what it ended with: ${OUTCOMES.join(', ')}`,
    example: 'ok',
    words: () => OUTCOMES,
    read(word): Reading<CloudInitOutcome> {
      const outcome = OUTCOMES.find((known) => known === word);
      return outcome === undefined ? { problem: unknownName('outcome', word, OUTCOMES) } : { value: outcome };
    },
  },
} as const satisfies Readonly<Record<string, Placeholder<unknown>>>;

export type PlaceholderName = keyof typeof PLACEHOLDERS;
export type PlaceholderValue<N extends PlaceholderName> =
  (typeof PLACEHOLDERS)[N] extends Placeholder<infer T> ? T : never;

function once(words: readonly string[]): readonly string[] {
  return [...new Set(words)];
}

/** The versions that run in this scenario. */
function cloudInits(names: Names): readonly string[] {
  const prefix = 'cloud-init-';
  return names.observers.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function named(
  what: string,
  meaning: string,
  example: string,
  among: (names: Names) => readonly string[],
): Placeholder<string> {
  return {
    meaning,
    example,
    words: among,
    read: (word, names) =>
      among(names).includes(word) ? { value: word } : { problem: unknownName(what, word, among(names)) },
  };
}

function whole(meaning: string, example: string, least: number, most: number): Placeholder<number> {
  return {
    meaning,
    example,
    read(word) {
      const value = /^\d+$/.test(word) ? Number(word) : Number.NaN;
      if (value >= least && value <= most) return { value };
      const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
      return { problem: `"${word}" is not ${meaning}: a whole number ${range}` };
    },
  };
}

function free(meaning: string, example: string): Placeholder<string> {
  return {
    meaning,
    example,
    read: (word) => (word === '' ? { problem: `${meaning} is empty` } : { value: word }),
  };
}

/** A span of virtual time as scenarios and flags write it. */
export function readDuration(word: string): Reading<Nanoseconds> {
  const value = parseDuration(word);
  if (value !== undefined) return { value };
  const unit = /^\d+(?:\.\d+)?([a-z]+)$/i.exec(word)?.[1];
  const units = ['ns', 'us', 'ms', 's', 'min'];
  const hint = unit === undefined || units.includes(unit) ? '' : nearest(unit, units);
  return { problem: `"${word}" is no span of time such as 20ms, 1.5s or 2min (at most 30 days)${hint}` };
}
