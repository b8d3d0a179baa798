/** The order in which a device comes into sight, and the names it goes by. */
import type { Findings, Invariant, Moment, Monitor } from './invariant.ts';

/** In the order in which a registration opens them (reference A.1, A.2). */
const STAGES = ['sysfs', 'uevent', 'ioctl', 'rtnetlink'] as const;

export const registerOrder: Invariant = {
  name: 'register-order',
  meaning: 'A device shows itself in sysfs, then by its uevent, then to ioctls, and last through rtnetlink.',
  source: 'INV-R1; Linux net/core/dev.c, register_netdevice()',
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
  source: 'INV-R2; Linux net/core/rtnetlink.c, rtmsg_ifinfo_event()',
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

export const namesUnique: Invariant = {
  name: 'names-unique',
  meaning: 'No two listed devices have one name or one index.',
  source: 'INV-R6',
  start(findings: Findings): Monitor {
    const listed = new Map<string, Moment & { ifname: string; ifindex: number }>();
    const compare = (dev: string, mine: { ifname: string; ifindex: number }): void => {
      for (const [other, theirs] of listed) {
        if (other === dev) continue;
        if (theirs.ifname === mine.ifname) findings.violated(dev, `${mine.ifname} is the name of ${other}`, theirs);
        if (theirs.ifindex === mine.ifindex) findings.violated(dev, `${mine.ifindex} is the index of ${other}`, theirs);
      }
    };
    return {
      on: {
        'netdev.visible': (event) => {
          if (event.channel !== 'ioctl') return;
          listed.delete(event.dev);
          if (!event.visible) return;
          compare(event.dev, event);
          listed.set(event.dev, event);
        },
        'netdev.renamed': (event) => {
          const known = listed.get(event.dev);
          if (known === undefined) return;
          const renamed = { time: event.time, step: event.step, ifname: event.to, ifindex: known.ifindex };
          compare(event.dev, renamed);
          listed.set(event.dev, renamed);
        },
      },
    };
  },
};
