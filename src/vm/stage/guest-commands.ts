/**
 * What a scenario lets somebody do in the guest, as command lines for its shell, and what their refusals mean.
 * Source: ip-link(8), ip-netns(8); busybox modprobe and rmmod; glibc's strerror texts.
 */
import type { Errno } from '../../guest/uapi/errno.ts';
import type { GuestVerb } from '../../scenario/stage.ts';
import type { GuestInterface } from './interfaces.ts';

const HOME = 'init_net';
/** The module of the emulated cards, which stand for VFs of every family. */
const VF_MODULE = 'ne2k-pci';
/** The guest has no vPCI: its VFs stand in slots of the machine's own bus. */
const ABSENT = 'pci-hyperv';

/** The guest's module for one of a plan; undefined when it has nothing of the kind. */
export function moduleOf(module: string): string | undefined {
  if (module === ABSENT) return undefined;
  return module.startsWith('hv_') ? module : VF_MODULE;
}

/** The command line for a verb; `at` is the interface that it is about. Undefined when there is nothing to do. */
export function commandOf(verb: GuestVerb, at: GuestInterface | undefined): string | undefined {
  switch (verb.do) {
    case 'load':
    case 'unload': {
      const module = moduleOf(verb.module);
      return module && `${verb.do === 'load' ? 'modprobe' : 'rmmod'} ${module}`;
    }
    case 'add-netns':
      return `ip netns add ${quote(verb.name)}`;
    case 'send':
    case 'join':
    case 'leave':
    case 'bind':
    case 'divert':
    case 'dispatch':
    case 'reclaim-netns':
    case 'add-link':
    case 'delete-link':
    case 'open':
    case 'add-address':
    case 'remove-address':
    case 'address':
      return undefined; // refused before the run: of FreeBSD alone, and addresses, of which nobody is told here
    case 'delete-netns':
      return `ip netns del ${quote(verb.name)}`;
    default:
      return 'dev' in verb ? at && linkCommand(verb, at) : undefined;
  }
}

type LinkVerb = Extract<GuestVerb, { readonly do: 'up' | 'down' | 'mtu' | 'rename' | 'move-netns' }>;

function linkCommand(verb: LinkVerb, { name, netns }: GuestInterface): string {
  const ip = netns === HOME ? 'ip' : `ip -n ${quote(netns)}`;
  const set = `${ip} link set dev ${quote(name)}`;
  switch (verb.do) {
    case 'up':
    case 'down':
      return `${set} ${verb.do}`;
    case 'mtu':
      return `${set} mtu ${verb.mtu}`;
    case 'rename':
      return `${set} name ${quote(verb.to)}`;
    case 'move-netns': {
      // The namespace of process 1 is the one that the guest began with.
      if (verb.to === HOME) return `${set} netns 1`;
      const to = quote(verb.to);
      return `{ [ -e /run/netns/${to} ] || ip netns add ${to}; } && ${set} netns ${to}`;
    }
  }
}

/** What glibc and the kernel's netlink answers call the errors of {@link Errno}. */
const TEXTS: Readonly<Record<string, Errno>> = {
  'Operation not permitted': 'EPERM',
  'No such file or directory': 'ENOENT',
  'Interrupted system call': 'EINTR',
  'Input/output error': 'EIO',
  'No such device or address': 'ENXIO',
  'Resource temporarily unavailable': 'EAGAIN',
  'Cannot allocate memory': 'ENOMEM',
  'Device or resource busy': 'EBUSY',
  'File exists': 'EEXIST',
  'No such device': 'ENODEV',
  'Cannot find device': 'ENODEV',
  'Invalid argument': 'EINVAL',
  'Too many open files in system': 'ENFILE',
  'No space left on device': 'ENOSPC',
  'Too many links': 'EMLINK',
  'Numerical argument out of domain': 'EDOM',
  'File name too long': 'ENAMETOOLONG',
  'Protocol error': 'EPROTO',
  'Operation not supported': 'EOPNOTSUPP',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
  'Network is down': 'ENETDOWN',
  'No buffer space available': 'ENOBUFS',
  'Connection timed out': 'ETIMEDOUT',
  'Disk quota exceeded': 'EDQUOT',
};

/** Why a command failed, as an errno where its words are those of one. */
export function refusalOf(output: string): string {
  const known = Object.keys(TEXTS)
    .filter((text) => output.includes(text))
    .sort((a, b) => b.length - a.length)[0];
  return known === undefined ? output.trim().replaceAll(/\s*\n\s*/g, '; ') || 'it failed' : (TEXTS[known] as string);
}

/** A word for the shell, whatever is in it. */
export const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
