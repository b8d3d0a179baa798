/** Each kind of event in words, as one table: the timeline, the diff and the progress line all read it. */
import { formatDuration, formatMoment } from '../base/time.ts';
import type { Event, EventKind, EventOf } from '../trace/event.ts';

/** On whose side of the machine a line stands. */
export type Who = 'scenario' | 'host' | 'guest' | 'user';

interface Row<K extends EventKind> {
  readonly who: Who | ((event: EventOf<K>) => Who);
  /** Only for those who want to see everything. */
  readonly chatter?: true | ((event: EventOf<K>) => boolean);
  /** Something is wrong; printed so that it is seen. */
  readonly alarm?: true | ((event: EventOf<K>) => boolean);
  readonly say: (event: EventOf<K>) => string;
}

type Words = { readonly [K in EventKind]: Row<K> };

const yes = (holds: boolean, then: string, otherwise: string): string => (holds ? then : otherwise);
const hex = (flags: number): string => `0x${flags.toString(16)}`;
const also = (detail: string): string => (detail === '' ? '' : ` (${detail})`);
const named = (what: string, names: string): string => (names === '' ? '' : `, ${what}: ${names}`);

/** The NVSP messages that tell of the VF; all others are set-up and traffic. */
const TELLING = new Set(['sendVfAssociation', 'switchDataPath']);
const EJECTING = new Set(['eject', 'ejectionComplete']);

const WORDS: Words = {
  'scenario.step': { who: 'scenario', say: ({ line, text }) => `${line}: ${text}` },
  'scenario.expect': {
    who: 'scenario',
    alarm: ({ held }) => !held,
    say: ({ line, text, held, found }) => `${line}: ${text}: ${yes(held, 'held', 'FAILED')}, found ${found}`,
  },
  'invariant.violated': {
    who: 'scenario',
    alarm: true,
    say: ({ invariant, dev, found, since }) => `BROKEN ${invariant}: ${dev}: ${found} (since ${formatMoment(since)})`,
  },
  'invariant.exempt': {
    who: 'scenario',
    say: ({ invariant, dev, why }) => `${invariant} does not bind ${dev}: ${why}`,
  },
  'vmbus.message': {
    who: ({ from }) => from,
    chatter: true,
    say: ({ name, dev, detail }) => `VMBus ${name} ${dev}${also(detail)}`,
  },
  'nvsp.message': {
    who: ({ from }) => from,
    chatter: ({ name }) => !TELLING.has(name),
    say: ({ name, nic, detail }) => `NVSP ${name} ${nic}${also(detail)}`,
  },
  'rndis.message': {
    who: ({ from }) => from,
    chatter: true,
    say: ({ name, nic, detail }) => `RNDIS ${name} ${nic}${also(detail)}`,
  },
  'vpci.message': {
    who: ({ from }) => from,
    chatter: ({ name }) => !EJECTING.has(name),
    say: ({ name, dev, detail }) => `vPCI ${name} ${dev}${also(detail)}`,
  },
  'wire.malformed': {
    who: ({ from }) => from,
    alarm: true,
    say: ({ protocol, problem, dev, detail }) => `malformed ${protocol} message at ${dev}: ${problem}${also(detail)}`,
  },
  'host.action': { who: 'host', say: ({ action, dev }) => `${action} ${dev}`.trimEnd() },
  // Guests ask for what hosts may not have: only what an operator asked for is an alarm.
  'host.refused': {
    who: 'host',
    chatter: ({ what }) => what === 'query',
    alarm: ({ what }) => what !== 'query',
    say: ({ dev, what, why }) => `refuses ${what} of ${dev}: ${why}`,
  },
  'host.vf': { who: 'host', say: ({ dev, state }) => `${dev} is ${state}` },
  'host.datapath': { who: 'host', say: ({ nic, path, why }) => `sends to ${nic} by ${path}${also(why)}` },
  'host.timeout': {
    who: 'host',
    alarm: true,
    say: ({ dev, what, after }) => `gives up waiting for ${what} of ${dev} after ${formatDuration(after)}`,
  },
  'servicing.phase': { who: 'host', say: ({ phase, round }) => `firmware update ${round}: ${phase}` },
  fault: {
    who: ({ side }) => side,
    alarm: true,
    say: ({ fault, dev, what, detail }) => `FAULT ${fault} ${what} of ${dev}${also(detail)}`,
  },
  'vf.alive': { who: 'host', say: ({ dev, alive }) => `${dev} ${yes(alive, 'works', 'is dead')}` },
  'vf.link': { who: 'host', say: ({ dev, up }) => `the link of ${dev} is ${yes(up, 'up', 'down')}` },
  notifier: {
    who: 'guest',
    chatter: true,
    say: ({ event, dev, notifier, verdict }) => `${event} ${dev} -> ${notifier}: ${verdict}`,
  },
  'netdev.visible': {
    who: 'guest',
    chatter: ({ channel }) => channel !== 'sysfs',
    say: ({ dev, channel, visible, ifname, flags }) =>
      `${dev} (${ifname}) ${yes(visible, `is visible through ${channel}, flags ${hex(flags)}`, `is gone from ${channel}`)}`,
  },
  'netdev.state': {
    who: 'guest',
    say: ({ dev, state, ifname, ifindex }) => `${dev} (${ifname}, index ${ifindex}) is ${state}`,
  },
  'netdev.flags': {
    who: 'guest',
    say: ({ dev, flags, gained, lost }) =>
      `${dev} flags ${hex(flags)}${yes(gained !== '', ` +${gained}`, '')}${yes(lost !== '', ` -${lost}`, '')}`,
  },
  'netdev.renamed': { who: 'guest', say: ({ dev, from, to }) => `${dev} renamed from ${from} to ${to}` },
  'netdev.netns': {
    who: 'guest',
    say: ({ dev, from, to, ifname }) => `${dev} moves from ${from} to ${to} as ${ifname}`,
  },
  'netdev.mtu': { who: 'guest', say: ({ dev, mtu }) => `${dev} MTU ${mtu}` },
  'netdev.mac': { who: 'guest', say: ({ dev, mac }) => `${dev} MAC ${mac}` },
  'netdev.capabilities': {
    who: 'guest',
    say: ({ dev, capabilities, enabled }) => `${dev} can ${hex(capabilities)}, of which ${hex(enabled)} are on`,
  },
  'netdev.carrier': { who: 'guest', say: ({ dev, up }) => `${dev} carrier ${yes(up, 'on', 'off')}` },
  'netdev.master': {
    who: 'guest',
    say: ({ dev, master }) => yes(master === '', `${dev} has no master`, `${dev} has master ${master}`),
  },
  'netdev.error': { who: 'guest', alarm: true, say: ({ dev, what, errno }) => `${dev}: ${what} fails with ${errno}` },
  'netdev.held': {
    who: 'guest',
    alarm: true,
    say: ({ dev, references, since }) =>
      `${dev} is unregistered since ${formatMoment(since)} and cannot go: references held: ${references}`,
  },
  'rtnl.held': { who: 'guest', say: ({ held }) => `releases the RTNL after ${formatDuration(held)}` },
  panic: { who: 'guest', alarm: true, say: ({ dev, what }) => `PANIC at ${dev}: ${what}` },
  'ipv6.address': {
    who: 'guest',
    say: ({ dev, address, held }) => `${dev} ${yes(held, 'has', 'no longer has')} ${address}`,
  },
  uevent: {
    who: 'guest',
    say: ({ action, dev, ifname, flags }) => `uevent ${action} ${dev} (${ifname}), flags ${hex(flags)}`,
  },
  rtnetlink: {
    who: 'guest',
    chatter: true,
    say: ({ message, dev, ifname, flags, master, cause }) =>
      `${message} ${dev} (${ifname}), flags ${hex(flags)}${yes(master !== '', `, master ${master}`, '')}${also(cause)}`,
  },
  'ifnet.state': {
    who: 'guest',
    say: ({ dev, state, ifname, ifindex, vnet }) => `${dev} (${ifname}, index ${ifindex}) is ${state} in ${vnet}`,
  },
  'ifnet.visible': {
    who: 'guest',
    say: ({ dev, channel, visible, ifname, ifindex, vnet }) =>
      `${dev} (${ifname}, index ${ifindex}) is ${yes(visible, 'found', 'no longer found')} by ${channel} in ${vnet}`,
  },
  'ifnet.referenced': {
    who: 'guest',
    chatter: true,
    say: ({ dev, state, ifindex, vnet }) =>
      `${dev} (index ${ifindex}, ${state}) is referred to by a look-up in ${vnet}`,
  },
  'vnet.count': {
    who: 'guest',
    say: ({ vnet, count, listed }) => `${vnet} counts ${count} interfaces and has ${listed} on its list`,
  },
  eventhandler: {
    who: 'guest',
    say: ({ event, dev, handler, detail }) => `${event} ${dev}${also(detail)}: ${handler} is called`,
  },
  'ifindex.scan': {
    who: 'guest',
    chatter: true,
    say: ({ table, what, scanned, found }) => `${table}: ${what} goes through ${scanned} slots and finds ${found}`,
  },
  'ifindex.grow': { who: 'guest', say: ({ table, capacity }) => `${table} grows to ${capacity} slots` },
  routing: {
    who: 'guest',
    chatter: true,
    say: ({ message, what, dev, ifname, flags, vnet }) =>
      `${message} ${dev} (${ifname}) in ${vnet}, flags ${hex(flags)}${also(what)}`,
  },
  devctl: {
    who: 'guest',
    say: ({ system, subsystem, type, data }) => `devctl ${system} ${subsystem} ${type}${also(data)}`,
  },
  'packet.input': {
    who: 'guest',
    chatter: true,
    say: ({ dev, vnet, interfaceIn }) => `a packet of ${dev}, which is in ${interfaceIn}, goes on in ${vnet}`,
  },
  vnet: { who: 'guest', say: ({ vnet, state }) => `vnet ${vnet} is ${state}` },
  'lock.order': {
    who: 'guest',
    alarm: true,
    say: ({ problem, thread, holds, takes }) =>
      yes(
        problem === 'reversal',
        `lock order reversal: ${thread} takes ${takes} while it has ${holds}`,
        `${thread} may sleep for ${takes} while it has ${holds}`,
      ),
  },
  'memory.fault': {
    who: 'guest',
    alarm: true,
    say: ({ fault, dev, what, by, freedBy }) =>
      `${fault.toUpperCase()}: ${what} of ${dev} by ${by}${yes(freedBy !== '', `, freed by ${freedBy}`, '')}`,
  },
  'kernel.assert': { who: 'guest', alarm: true, say: ({ dev, what }) => `does not hold at ${dev}: ${what}` },
  'kernel.spin': { who: 'guest', alarm: true, say: ({ dev, what }) => `LOOP at ${dev}: ${what}` },
  log: { who: 'guest', alarm: ({ level }) => level === 'err', say: ({ text }) => `log: ${text}` },
  module: { who: 'guest', say: ({ module, loaded }) => `module ${module} ${yes(loaded, 'loaded', 'unloaded')}` },
  'driver.bound': {
    who: 'guest',
    chatter: true,
    say: ({ dev, driver, bound }) => `${driver} ${yes(bound, 'takes', 'lets go of')} ${dev}`,
  },
  'guest.datapath': { who: 'guest', say: ({ nic, path }) => `sends from ${nic} by ${path}` },
  'netvsc.listed': {
    who: 'guest',
    say: ({ nic, mac, listed }) => `hv_netvsc ${yes(listed, 'lists', 'no longer lists')} ${nic} (${mac})`,
  },
  'netvsc.stray': {
    who: 'guest',
    chatter: true,
    say: ({ nic, dev }) => `${nic} sends by ${dev}, which is not its data path`,
  },
  'pci.slot-taken': {
    who: 'guest',
    say: ({ dev, wanted, slot }) => `the slot of ${dev} is called ${slot}: another one is called ${wanted}`,
  },
  'netvsc.vf': { who: 'guest', say: ({ nic, dev, joined }) => `${dev} ${yes(joined, 'joined', 'left')} ${nic}` },
  'udev.rule': {
    who: 'user',
    say: ({ dev, ifname, flags, unmanaged, rule }) =>
      `udev reads ${dev} (${ifname}) with flags ${hex(flags)}: ${yes(unmanaged, 'unmanaged', 'managed')}${also(rule)}`,
  },
  'udev.name': { who: 'user', say: ({ dev, from, to, outcome }) => `udev names ${dev}: ${from} -> ${to}: ${outcome}` },
  devd: { who: 'user', say: ({ dev, ifname, action }) => `devd: ${action} ${ifname} (${dev})` },
  jail: { who: 'user', say: ({ dev, what, outcome }) => `jails: ${what} for ${dev}: ${outcome}` },
  ifscan: {
    who: 'user',
    say: ({ listed, most, holes, unlisted, gone }) =>
      `scanner: ${listed} listed, numbers up to ${most} with ${holes} holes${named('not listed', unlisted)}${named('gone', gone)}`,
  },
  manager: {
    who: 'user',
    say: ({ dev, ifname, decision, why }) => `manager: ${decision} ${dev} (${ifname})${also(why)}`,
  },
  dhcp: {
    who: 'user',
    chatter: true,
    say: ({ dev, message, mac, address }) => `DHCP ${message} on ${dev} for ${mac} ${address}`.trimEnd(),
  },
  lease: {
    who: 'user',
    say: ({ dev, mac, address, held }) => `${dev} ${yes(held, 'holds', 'gives up')} ${address} (${mac})`,
  },
  'cloud-init': {
    who: 'user',
    say: ({ version, outcome, detail }) => `cloud-init ${version}: ${outcome}${also(detail)}`,
  },
  flow: { who: 'user', say: ({ flow, dev, state, detail }) => `flow ${flow} on ${dev}: ${state}${also(detail)}` },
  'frame.lost': {
    who: 'user',
    chatter: true,
    say: ({ flow, direction, id, path, where }) => `${flow} lost ${direction} frame ${id} on ${path} at ${where}`,
  },
  'task.hung': {
    who: 'scenario',
    alarm: true,
    say: ({ task, operation, object, heldBy, forEver, since }) =>
      `${task} waits ${yes(forEver, 'for ever, ', '')}since ${formatMoment(since)}: ${operation} ${object}${yes(heldBy !== '', `, held by ${heldBy}`, '')}`,
  },
  'ring.unread': { who: 'scenario', alarm: true, say: ({ dev, reader }) => `the ${reader} has not read all of ${dev}` },
  'sim.stuck': { who: 'scenario', alarm: true, say: ({ problem, detail }) => `${problem.toUpperCase()}: ${detail}` },
};

/** The name of every kind. */
export const EVENT_KINDS: readonly string[] = Object.keys(WORDS);

export interface Told {
  readonly who: Who;
  readonly chatter: boolean;
  readonly alarm: boolean;
  readonly text: string;
}

/** What happened, for people. A kind that this program does not know is told by its fields. */
export function tell(event: Event): Told {
  const row = WORDS[event.kind] as Row<EventKind> | undefined;
  if (row === undefined) return { who: 'guest', chatter: false, alarm: false, text: plainly(event) };
  const ask = <T>(given: T | ((event: never) => T)): T =>
    typeof given === 'function' ? (given as (event: never) => T)(event as never) : given;
  const text = row.say(event as never);
  return { who: ask(row.who), chatter: ask(row.chatter ?? false), alarm: ask(row.alarm ?? false), text };
}

function plainly(event: Event): string {
  const { time: _, step: __, context: ___, kind, ...fields } = event as Event & Record<string, unknown>;
  const said = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
  return [kind, ...said].join(' ');
}
