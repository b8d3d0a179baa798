/**
 * The `ip` commands of transcripts as what they make the modelled guest do. One `ip link set` of several attributes is done
 * in the kernel's order and ends at the first that is refused (net/core/rtnetlink.c, do_setlink()).
 */
import type { MacAddress } from '../../../src/base/mac.ts';
import type { Errno } from '../../../src/guest/uapi/errno.ts';
import type { FlagChoice, GuestCommand, NewLink } from '../../../src/guest/uapi/uapi.ts';

const INIT = 'init_net';

/** @throws Error for a command that is none of those in use. */
export function commandsOf(line: string): readonly GuestCommand[] {
  const words = line.split(' ').slice(1);
  const netns = words[0] === '-n' ? (words.splice(0, 2)[1] as string) : INIT;
  const [object = '', verb = '', ...rest] = words;
  const [name = ''] = rest;
  switch (`${object} ${verb}`) {
    case 'netns add':
      return [{ do: 'add-netns', name }];
    case 'netns del':
      return [{ do: 'delete-netns', name }];
    case 'link add':
      return [{ do: 'add-link', netns, ...newLink(rest) }];
    case 'link del':
      return [{ do: 'delete-link', ifname: name, netns }];
    case 'link set':
      return changes(name, netns, rest.slice(1));
    default:
      throw new Error(`what is "${line}"?`);
  }
}

function newLink(words: readonly string[]): NewLink {
  const named = !['address', 'index', 'type'].includes(words[0] as string);
  const given = pairs(words.slice(named ? 1 : 0));
  const [address, index] = [given.get('address'), given.get('index')];
  return {
    kind: given.get('type') as string,
    ...(named ? { ifname: words[0] as string } : {}),
    ...(address === undefined ? {} : { mac: address as MacAddress }),
    ...(index === undefined ? {} : { ifindex: Number(index) }),
  };
}

const FLAGS: Readonly<Record<string, keyof FlagChoice>> = {
  promisc: 'promisc',
  allmulticast: 'allmulti',
  arp: 'arp',
  multicast: 'multicast',
};

function flagsIn(given: ReadonlyMap<string, string>): FlagChoice {
  const flags = Object.entries(FLAGS).flatMap(([word, flag]) =>
    given.has(word) ? [[flag, given.get(word) === 'on']] : [],
  );
  if (given.has('up') || given.has('down')) flags.push(['up', given.has('up')]);
  return Object.fromEntries(flags);
}

/** In the order of do_setlink(): namespace, address, MTU, name, flags, master. */
function changes(ifname: string, netns: string, words: readonly string[]): readonly GuestCommand[] {
  const given = pairs(words);
  const [wanted, name] = [given.get('netns'), given.get('name')];
  if (wanted !== undefined) {
    const to = wanted === '1' ? INIT : wanted; // of process 1
    return [{ do: 'move-netns', ifname, netns, to, ...(name === undefined ? {} : { as: name }) }];
  }
  const named = { ifname: name ?? ifname, netns };
  const flags = flagsIn(given);
  const steps: readonly (readonly [boolean, GuestCommand])[] = [
    [given.has('address'), { do: 'address', ifname, netns, mac: given.get('address') as MacAddress }],
    [given.has('mtu'), { do: 'mtu', ifname, netns, mtu: Number(given.get('mtu')) }],
    [name !== undefined, { do: 'rename', ifname, netns, to: named.ifname }],
    [Object.keys(flags).length > 0, { do: 'flags', ...named, flags }],
    [given.has('master') || given.has('nomaster'), { do: 'master', ...named, master: given.get('master') }],
  ];
  return steps.flatMap(([isAsked, command]) => (isAsked ? [command] : []));
}

/** Words with their values; `up`, `down` and `nomaster` have none. */
function pairs(words: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    found.set(word, ['up', 'down', 'nomaster'].includes(word) ? '' : (words[++at] as string));
  }
  return found;
}

/** strerror(), of what the registry refuses with. */
const WORDS: Readonly<Partial<Record<Errno, string>>> = {
  EPERM: 'Operation not permitted',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EOPNOTSUPP: 'Operation not supported',
  EADDRNOTAVAIL: 'Cannot assign requested address',
};

/** What a kernel says in words beside its error number, which iproute2 then does not tell (drivers/net/bonding). */
const EXTENDED: Readonly<Record<string, Errno>> = {
  'Error: Device can not be enslaved while up.': 'EPERM',
  'Error: Cannot enslave bond to itself.': 'EPERM',
  'Error: mtu less than device minimum.': 'EINVAL',
  'Error: mtu greater than device maximum.': 'EINVAL',
};

/** Exit code and words of iproute2 6.1 for a command that was refused. `said`: what a real one said of the same command. */
export function refusal(command: GuestCommand, errno: Errno, said: string): string {
  if (EXTENDED[said.slice(2)] === errno) return said;
  const { do: verb } = command;
  if (verb === 'add-netns') return `1 Cannot create namespace file "/run/netns/${command.name}": ${WORDS[errno]}`;
  if (verb === 'delete-netns') {
    return `1 Cannot remove namespace file "/run/netns/${command.name}": No such file or directory`;
  }
  if (errno === 'ENODEV' && 'ifname' in command) return `1 Cannot find device "${command.ifname}"`;
  if (errno === 'EINVAL' && verb === 'master') {
    return `255 Error: argument "${command.master}" is wrong: Device does not exist`;
  }
  return `2 RTNETLINK answers: ${WORDS[errno] ?? errno}`;
}
