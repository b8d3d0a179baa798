/** The order in which a device comes into sight and its listeners hear of it, and the names it goes by. */
import { formatDuration } from '../../base/time.ts';
import { type Findings, INIT_NET, type Invariant, type Moment, type Monitor } from './invariant.ts';

/** In the order in which a registration opens them (reference A.1, A.2). */
const STAGES = ['sysfs', 'uevent', 'ioctl', 'rtnetlink'] as const;

export const registerOrder: Invariant = {
  name: 'register-order',
  meaning: 'A device shows itself in sysfs, then by its uevent, then to ioctls, and last through rtnetlink.',
  why:
    'udev and network managers rely on it: whoever wakes up by one of these channels must find the device by ' +
    'those before it. Otherwise a rule reads an attribute that is not there, once in a while.',
  covers: ['INV-R1'],
  source: 'Linux net/core/dev.c, register_netdevice()',
  races: [],
  start(findings: Findings): Monitor {
    const seen = new Map<string, { readonly began: Moment; readonly stages: Set<string> }>();
    const reach = (dev: string, stage: (typeof STAGES)[number]): void => {
      const registration = seen.get(dev);
      if (registration === undefined || registration.stages.has(stage)) return;
      registration.stages.add(stage);
      const missing = STAGES.slice(0, STAGES.indexOf(stage)).filter((earlier) => !registration.stages.has(earlier));
      if (missing.length === 0) return;
      findings.violated(dev, `it shows itself by ${stage} before ${missing.join(' and ')}`, registration.began);
    };
    return {
      on: {
        'netdev.state': (event) => {
          if (event.state === 'post-init') seen.set(event.dev, { began: event, stages: new Set() });
          else if (event.state !== 'registered') seen.delete(event.dev);
        },
        'netdev.visible': (event) => {
          const stage = STAGES.find((known) => known === event.channel);
          if (event.visible && stage !== undefined) reach(event.dev, stage);
        },
        uevent: (event) => {
          if (event.action === 'add') reach(event.dev, 'uevent');
        },
      },
    };
  },
};

export const linksOnlyWhileRegistered: Invariant = {
  name: 'links-only-while-registered',
  meaning:
    'RTM_NEWLINK tells only of registered devices, RTM_DELLINK only of ones that are being unregistered or moved away.',
  why:
    'A program that follows rtnetlink would keep a link that has gone, or ask for one that is not there yet and ' +
    'give up on it.',
  covers: ['INV-R2'],
  source: 'Linux net/core/rtnetlink.c, rtmsg_ifinfo_event()',
  races: [],
  start(findings: Findings): Monitor {
    const states = new Map<string, Moment & { state: string }>();
    return {
      on: {
        'netdev.state': (event) => {
          states.set(event.dev, event);
        },
        rtnetlink: (event) => {
          const known = states.get(event.dev);
          const state = known?.state ?? 'uninitialized';
          // A device that moves to another namespace stays registered while its old one is told that it goes.
          const stays = event.message === 'RTM_NEWLINK' || event.cause === 'dev_change_net_namespace';
          if (state === (stays ? 'registered' : 'unregistering')) return;
          findings.violated(event.dev, `${event.message} while it is ${state}`, known ?? { time: 0, step: 0 });
        },
      },
    };
  },
};

/** What a listener must have heard last of a device before it hears each of these; nothing is as good as DOWN. */
const HEARD_BEFORE: Readonly<Record<string, readonly string[]>> = {
  NETDEV_UP: ['NETDEV_DOWN', 'NETDEV_UNREGISTER'],
  NETDEV_GOING_DOWN: ['NETDEV_UP'],
  NETDEV_DOWN: ['NETDEV_GOING_DOWN'],
  // Raised again and again while somebody holds a reference (netdev_wait_allrefs_any()).
  NETDEV_UNREGISTER: ['NETDEV_DOWN', 'NETDEV_UNREGISTER'],
};

export const listenersHearInTurn: Invariant = {
  name: 'listeners-hear-in-turn',
  meaning: 'Each listener hears UP, GOING_DOWN and DOWN of a device by turns, and UNREGISTER only when it is down.',
  why:
    'A driver counts on the pairs: what it does at UP it undoes at DOWN. A listener that stops the chain, or one ' +
    'that changes the device from within a callback, makes those behind it miss an event or hear it in the wrong ' +
    'place. REGISTER is not judged: it may come again when the device moves to another namespace.',
  covers: ['INV-R3'],
  source: 'Linux net/core/dev.c, __dev_notify_flags(); kernel/notifier.c; reference A.3, A.4',
  races: [],
  start(findings: Findings): Monitor {
    const heard = new Map<string, Moment & { readonly event: string }>();
    return {
      on: {
        notifier: ({ notifier, dev, event, time, step }) => {
          const before = HEARD_BEFORE[event];
          if (before === undefined) return;
          const key = `${notifier} ${dev}`;
          const last = heard.get(key) ?? { event: 'NETDEV_DOWN', time, step };
          heard.set(key, { event, time, step });
          if (!before.includes(last.event))
            findings.violated(dev, `${notifier} hears ${event} after ${last.event}`, last);
        },
      },
    };
  },
};

export const referencesDropped: Invariant = {
  name: 'references-dropped',
  meaning: 'Within 10 s of its end an unregistered device is referred to by nobody.',
  why:
    "Whoever removes the device waits for the last reference without a limit: a VF's eject is never answered, its " +
    'host takes it by force, and it does not come back. The log says "waiting for eth1 to become free".',
  covers: ['INV-R5'],
  source: 'Linux net/core/dev.c, netdev_wait_allrefs_any(), netdev_unregister_timeout_secs (10 s)',
  races: ['D-53'],
  start(findings: Findings): Monitor {
    const told = new Set<string>();
    return {
      on: {
        'netdev.held': ({ dev, references, since, sinceStep, time }) => {
          // The kernel says it again every ten seconds.
          const registration = `${dev} ${sinceStep}`;
          if (told.has(registration)) return;
          told.add(registration);
          const many = references === 1 ? '1 reference' : `${references} references`;
          const found = `it is still referred to after ${formatDuration(time - since)} (${many})`;
          findings.late(dev, found, { time: since, step: sinceStep });
        },
      },
    };
  },
};

/** A device that look-ups find. */
interface Named extends Moment {
  readonly ifname: string;
  readonly ifindex: number;
  readonly netns: string;
}

export const namesUnique: Invariant = {
  name: 'names-unique',
  meaning: 'No two listed devices of one network namespace have one name or one index.',
  why:
    'Names and indexes are how everything in user mode speaks of devices: with two of one name a command reaches ' +
    'the wrong one.',
  covers: ['INV-R6'],
  source: 'Linux net/core/dev.c, dev_get_valid_name(), dev_index_reserve(); reference A.17 (INV-A4), C.5',
  races: ['G-17'],
  across: true,
  start(findings: Findings): Monitor {
    const listed = new Map<string, Named>();
    const enter = (dev: string, mine: Named): void => {
      for (const [other, theirs] of listed) {
        if (other === dev || theirs.netns !== mine.netns) continue;
        if (theirs.ifname === mine.ifname) findings.violated(dev, `${mine.ifname} is the name of ${other}`, theirs);
        if (theirs.ifindex === mine.ifindex) findings.violated(dev, `${mine.ifindex} is the index of ${other}`, theirs);
      }
      listed.set(dev, mine);
    };
    return {
      on: {
        'netdev.visible': ({ dev, channel, visible, ifname, ifindex, time, step }) => {
          if (channel !== 'ioctl') return;
          if (visible) enter(dev, { ifname, ifindex, netns: INIT_NET, time, step });
          else listed.delete(dev);
        },
        'ifnet.visible': ({ dev, channel, visible, ifname, ifindex, vnet: netns, time, step }) => {
          if (channel !== 'name') return;
          if (visible) enter(dev, { ifname, ifindex, netns, time, step });
          else listed.delete(dev);
        },
        'netdev.renamed': ({ dev, to: ifname, time, step }) => {
          const known = listed.get(dev);
          if (known !== undefined) enter(dev, { ...known, ifname, time, step });
        },
        'netdev.netns': ({ dev, to: netns, ifname, ifindex, time, step }) => {
          if (listed.has(dev)) enter(dev, { ifname, ifindex, netns, time, step });
        },
      },
    };
  },
};
