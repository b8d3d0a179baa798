import type { Event, EventOf } from '../../src/trace/event.ts';

/** How tests call what happens: one short line an event. */
const SHORT = {
  uevent: (event: EventOf<'uevent'>) => `uevent ${event.action} ${event.dev} ${event.ifname}`,
  rtnetlink: ({ message, dev, cause }: EventOf<'rtnetlink'>) =>
    message === 'RTM_DELLINK' ? `${message} ${dev}` : `${message} ${dev} (${cause})`,
  log: (event: EventOf<'log'>) => `${event.dev}: ${event.text}`,
  notifier: (event: EventOf<'notifier'>) => `${event.event.replace('NETDEV_', '')} ${event.dev}`,
  'netdev.flags': (event: EventOf<'netdev.flags'>) => `flags of ${event.dev}: +${event.gained} -${event.lost}`,
  'netdev.master': (event: EventOf<'netdev.master'>) => `master of ${event.dev}: ${event.master || 'none'}`,
  'netdev.mtu': (event: EventOf<'netdev.mtu'>) => `mtu of ${event.dev}: ${event.mtu}`,
  'netdev.carrier': (event: EventOf<'netdev.carrier'>) => `carrier of ${event.dev}: ${event.up ? 'up' : 'down'}`,
  'netdev.netns': (event: EventOf<'netdev.netns'>) => `${event.dev} to ${event.to} as ${event.ifname}`,
  'host.datapath': (event: EventOf<'host.datapath'>) => `host: ${event.nic} by ${event.path}`,
  'guest.datapath': (event: EventOf<'guest.datapath'>) => `guest: ${event.nic} by ${event.path}`,
  'nvsp.message': (event: EventOf<'nvsp.message'>) => `${event.from}: ${event.name} ${event.detail}`,
  'vpci.message': (event: EventOf<'vpci.message'>) => `${event.from}: ${event.name}`,
  'vmbus.message': (event: EventOf<'vmbus.message'>) => `${event.from}: ${event.name} ${event.dev}`,
  'netvsc.vf': (event: EventOf<'netvsc.vf'>) => `${event.dev} ${event.joined ? 'joins' : 'leaves'} ${event.nic}`,
  'netdev.state': (event: EventOf<'netdev.state'>) => `${event.dev} is ${event.state}`,
  'driver.bound': (event: EventOf<'driver.bound'>) =>
    `${event.driver} ${event.bound ? 'has' : 'lets go of'} ${event.dev}`,
} as const;

export type StoryKind = keyof typeof SHORT;

/** The events of these kinds, in order. */
export function storyOf(events: readonly Event[], kinds: readonly StoryKind[]): readonly string[] {
  return events.flatMap((event) => {
    const kind = kinds.find((each) => each === event.kind);
    return kind === undefined ? [] : [(SHORT[kind] as (event: Event) => string)(event)];
  });
}
