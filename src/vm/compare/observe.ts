/**
 * What of a run can be seen from outside, as lines that are the same where two guests do the same: by NIC and channel,
 * without moments, and without what is only somebody's number for something (GPADL handles, relids, request ids, slots).
 * Interfaces are called by the scenario's names.
 */
import { vfOf } from '../../host/plan.ts';
import type { Event, EventOf } from '../../trace/event.ts';
import { InterfaceNames } from './interface-names.ts';

export interface Observation {
  /** The synthetic NIC that it is about, itself or its VF; empty for the machine as a whole. */
  readonly nic: string;
  readonly channel: Channel;
  readonly text: string;
}

/** In this order they are shown. The registry's is one, for it is one order of things: all of it happens under the RTNL. */
export const CHANNELS = ['VMBus', 'NVSP', 'RNDIS', 'registry', 'log'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Fields of messages that are numbers for something, or addresses. */
const IDENTITIES = [
  'childRelid',
  'connectionId',
  'downstreamPageOffset',
  'gpadl',
  'monitorPage1',
  'monitorPage2',
  'openId',
  'pfns',
  'requestId',
  'ringGpadl',
  'serial',
];
const IDENTITY = new RegExp(` ?\\b(?:${IDENTITIES.join('|')})=\\S+(?: entries| bytes)?`, 'g');

export function observe(events: readonly Event[], nics: readonly string[]): readonly Observation[] {
  const names = new InterfaceNames(events);
  return events.flatMap((event, at) => {
    const seen = see(event, (text) => names.inText(text, at));
    if (seen === undefined) return [];
    const nic = nics.find((name) => seen.dev === name || seen.dev === vfOf(name)) ?? '';
    return [{ nic, channel: seen.channel, text: seen.text }];
  });
}

interface Seen {
  readonly channel: Channel;
  readonly dev: string;
  readonly text: string;
}

function see(event: Event, named: (text: string) => string): Seen | undefined {
  switch (event.kind) {
    case 'vmbus.message':
      return {
        channel: 'VMBus',
        dev: event.dev,
        text: message(event.from, `${event.name} ${event.dev}`, event.detail),
      };
    case 'nvsp.message':
      return { channel: 'NVSP', dev: event.nic, text: message(event.from, event.name, event.detail) };
    case 'rndis.message':
      return { channel: 'RNDIS', dev: event.nic, text: message(event.from, event.name, event.detail) };
    case 'notifier':
      if (event.notifier !== HEARD) return undefined;
      return { channel: 'registry', dev: event.dev, text: `${event.event} ${event.dev}` };
    case 'netdev.visible':
      return seeVisible(event);
    case 'uevent':
      return { channel: 'registry', dev: event.dev, text: `uevent ${event.action} ${event.dev} (${hex(event.flags)})` };
    case 'rtnetlink': {
      const text = `${event.message} ${event.dev} (${hex(event.flags)}, ${masterOf(event.master)})`;
      return { channel: 'registry', dev: event.dev, text };
    }
    case 'log':
      return { channel: 'log', dev: event.dev, text: logText(named(event.text)) };
    default:
      return undefined;
  }
}

/** Whose answers to notifications are told of both guests. */
const HEARD = 'hv_netvsc';
/** What rtnetlink answers when it is asked: the real kernel does not say when that changes. */
const ASKED = 'rtnetlink';

function seeVisible({ dev, channel, visible, flags }: EventOf<'netdev.visible'>): Seen | undefined {
  if (channel === ASKED) return undefined;
  return { channel: 'registry', dev, text: `${visible ? 'appears' : 'goes'} in ${channel} ${dev} (${hex(flags)})` };
}

/** Without pr_fmt's prefix, which the model does not have, and without the slot or serial number that a VF happens to have. */
const logText = (text: string): string => text.replace(/^hv_vmbus: /, '').replace(/\b(slot |serial:)\d+\b/, '$1#');

const masterOf = (master: string): string => (master === '' ? 'no master' : `master ${master}`);

const hex = (flags: number): string => `0x${flags.toString(16)}`;

const message = (from: string, name: string, detail: string): string =>
  `${from} ${name} ${detail.replace(IDENTITY, '').trim()}`.trim();

/** What a text is about, without what it says of it: two of one head are the same thing with other contents. */
export const headOf = (text: string): string => {
  const behind = text.search(/ \(| [a-zA-Z]+=/);
  return behind === -1 ? text : text.slice(0, behind);
};
