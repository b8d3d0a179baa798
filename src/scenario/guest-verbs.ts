/**
 * What somebody does in the guest. All of these have two words more: `try` before what is done, which lets it be refused
 * (the errno is in the trace, and the run goes on), and `meanwhile` behind it, for a program that nobody waits for.
 */
import { IFNAME_LONGEST } from './placeholder.ts';
import type { GuestVerb } from './stage.ts';
import type { ValuesOf } from './usage.ts';
import { type Verb, verb } from './verb.ts';

export const GUEST_VERBS: readonly Verb[] = [
  guestVerb('load <module>', 'loads a module', ({ module }) => ({ do: 'load', module })),
  guestVerb('unload <module>', 'unloads a module', ({ module }) => ({ do: 'unload', module })),
  guestVerb('up <dev>', 'ip link set up', ({ dev }) => ({ do: 'up', dev })),
  guestVerb('down <dev>', 'ip link set down', ({ dev }) => ({ do: 'down', dev })),
  guestVerb('mtu <dev> <mtu>', 'ip link set mtu', ({ dev, mtu }) => ({ do: 'mtu', dev, mtu })),
  guestVerb('mac <dev> to <mac>', 'ip link set address', ({ dev, mac }) => ({ do: 'address', dev, mac })),
  guestVerb('rename <dev> to <newname>', 'ip link set name', ({ dev, newname }) => ({
    do: 'rename',
    dev,
    to: newname,
  })),
  guestVerb(
    'move <dev> to namespace <netns>',
    'ip link set netns, where a new name makes the namespace; ifconfig vnet, where it must be there',
    ({ dev, netns }) => ({ do: 'move-netns', dev, to: netns }),
  ),
  guestVerb('reclaim <dev> from namespace <netns>', 'ifconfig -vnet: takes it back from a jail', ({ dev, netns }) => ({
    do: 'reclaim-netns',
    dev,
    from: netns,
  })),
  guestVerb('make namespace <netns>', 'ip netns add; jail -c vnet', ({ netns }) => ({ do: 'add-netns', name: netns })),
  guestVerb(
    'delete namespace <netns>',
    'ip netns del, jail -r: what survives goes back to where devices appear',
    ({ netns }) => ({ do: 'delete-netns', name: netns }),
  ),
  guestVerb('add address <address> to <dev>', 'ifconfig alias', ({ address, dev }) => ({
    do: 'add-address',
    dev,
    address,
  })),
  guestVerb('remove address <address> from <dev>', 'ifconfig -alias', ({ address, dev }) => ({
    do: 'remove-address',
    dev,
    address,
  })),
  guestVerb(
    'send to <address> [in namespace <netns>]',
    'a datagram that finds its way out by a route',
    ({ address, netns }) => ({ do: 'send', way: { destination: address }, ...inNamespace(netns) }),
  ),
  guestVerb(
    'send by number <number> [in namespace <netns>]',
    'an IPv6 datagram whose socket names the interface by its number',
    ({ number, netns }) => ({ do: 'send', way: { index: number, family: 'inet6' }, ...inNamespace(netns) }),
  ),
  guestVerb(
    'join <address> by number <number> [in namespace <netns>]',
    'a socket joins a multicast group on the interface of this number',
    ({ address, number, netns }) => ({ do: 'join', group: address, ifindex: number, ...inNamespace(netns) }),
  ),
  guestVerb(
    'leave <address> [in namespace <netns>]',
    'the programs end that have joined this multicast group',
    ({ address, netns }) => ({ do: 'leave', group: address, ...inNamespace(netns) }),
  ),
  guestVerb(
    'bind <address> [in namespace <netns>]',
    'a program binds a socket to this address of the guest',
    ({ address, netns }) => ({ do: 'bind', address, ...inNamespace(netns) }),
  ),
  guestVerb(
    'divert packets out|in',
    'natd: a rule of the firewall gives it every packet that comes by, and it writes each back on its way out or in',
    (values) => ({ do: 'divert', way: values['out|in'] }),
  ),
  guestVerb(
    'dispatch packets direct|deferred',
    'sysctl net.isr.dispatch: whoever takes a packet in carries it on, or leaves it to a thread that does',
    (values) => ({ do: 'dispatch', policy: values['direct|deferred'] }),
  ),
  guestVerb(
    'create <newname> [in namespace <netns>]',
    'ifconfig create: a kind of interface that can be cloned, and its number (without one: the next that is free)',
    ({ newname, netns }) => ({
      do: 'add-link',
      kind: newname.replace(/\d.*$/, ''),
      ifname: newname,
      ...inNamespace(netns),
    }),
  ),
  guestVerb('destroy <ifname> [in namespace <netns>]', 'ifconfig destroy', ({ ifname, netns }) => ({
    do: 'delete-link',
    ifname,
    ...inNamespace(netns),
  })),
  guestVerb('lend <ifname> to namespace <netns>', 'ifconfig vnet, of an interface that was cloned', (values) => ({
    do: 'move-netns',
    ifname: values.ifname,
    to: values.netns,
  })),
  guestVerb(
    'return <ifname> from namespace <netns>',
    'ifconfig vnet 0, of one that was cloned, within a jail',
    (values) => ({
      do: 'move-netns',
      ifname: values.ifname,
      netns: values.netns,
      to: 'vnet0',
    }),
  ),
  guestVerb(
    'open <ifname> [in namespace <netns>]',
    'a program opens the device of a tun, tap or vmnet, and never closes it',
    ({ ifname, netns }) => ({ do: 'open', ifname, ...inNamespace(netns) }),
  ),
];

const inNamespace = (netns: string | undefined): { netns?: string } => (netns === undefined ? {} : { netns });

/** A verb of the guest, with the two words that all of them have. */
export function guestVerb<U extends string>(
  usage: U,
  meaning: string,
  command: (values: ValuesOf<U>) => GuestVerb,
): Verb {
  return verb(`guest [try] ${usage as string} [meanwhile]`, meaning, (values) => {
    const { try: mayFail, meanwhile, newname } = values as Readonly<Record<string, unknown>>;
    if (mayFail === undefined && String(newname ?? '').length > IFNAME_LONGEST) {
      return { problem: `"${newname}" has more than ${IFNAME_LONGEST} characters: write "guest try" for a refusal` };
    }
    return {
      kind: 'guest',
      command: command(values as unknown as ValuesOf<U>),
      ...(mayFail === undefined ? {} : { mayFail: true }),
      ...(meanwhile === undefined ? {} : { meanwhile: true }),
    };
  });
}
