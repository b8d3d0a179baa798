/** What user mode may see of a VF. */
import { formatMoment } from '../../base/time.ts';
import type { EventOf } from '../../trace/event.ts';
import { Devices, type Findings, type Invariant, Listed, type Monitor, nicOf, SLAVE } from './invariant.ts';

type Sighting = EventOf<'netdev.visible'> | EventOf<'uevent'>;

const NEVER = 'IFF_SLAVE never came';

/** One registration of a VF. */
interface Registration {
  /** The synthetic NIC of its MAC that was listed when it raised POST_INIT. */
  readonly nic: string | undefined;
  marked: boolean;
  exempted: boolean;
  /** When user mode could see it without the mark: its uevent, which wakes udev, before any other sighting. */
  unmarked: Sighting | undefined;
}

export const flaggedBeforeVisible: Invariant = {
  name: 'flagged-before-visible',
  meaning: 'User mode never sees a VF without IFF_SLAVE, if its synthetic NIC was listed when the VF raised POST_INIT.',
  source: 'INV-V1; Linux c807d6cd089d',
  start(findings: Findings): Monitor {
    const listed = new Listed();
    const registrations = new Map<string, Registration>();
    const see = (event: Sighting): void => {
      const registration = registrations.get(event.dev);
      if (registration === undefined || registration.marked || (event.flags & SLAVE) !== 0) return;
      if (registration.nic !== undefined) {
        if (registration.unmarked?.kind !== 'uevent') registration.unmarked = event;
      } else if (!registration.exempted) {
        registration.exempted = true;
        findings.exempt(event.dev, 'no synthetic NIC of its MAC was listed when it raised POST_INIT');
      }
    };
    /** The second moment: the mark comes after all, or the VF goes without it. */
    const judge = (dev: string, then: string): void => {
      const registration = registrations.get(dev);
      const seen = registration?.unmarked;
      registrations.delete(dev);
      if (registration === undefined || seen === undefined) return;
      const how = seen.kind === 'uevent' ? 'its uevent' : `it was visible through ${seen.channel}`;
      const first = `${how} at ${formatMoment(seen.time)} (step ${seen.step}) with flags 0x${seen.flags.toString(16)}`;
      const { nic } = registration;
      findings.violated(dev, `${first}; ${then}; ${nic} was listed before the VF raised POST_INIT`, seen);
    };
    return {
      knows: [listed],
      on: {
        'netdev.state': (event) => {
          if (nicOf(event.dev) === undefined) return;
          if (event.state === 'unregistered') judge(event.dev, NEVER);
          if (event.state !== 'post-init') return;
          judge(event.dev, NEVER);
          const nic = listed.withMac(event.mac);
          registrations.set(event.dev, { nic, marked: false, exempted: false, unmarked: undefined });
        },
        'netdev.visible': (event) => {
          if (event.visible) see(event);
        },
        uevent: (event) => {
          if (event.action === 'add') see(event);
        },
        'netdev.flags': (event) => {
          const registration = registrations.get(event.dev);
          if (registration === undefined || registration.marked || (event.flags & SLAVE) === 0) return;
          registration.marked = true;
          judge(event.dev, `IFF_SLAVE came at ${formatMoment(event.time)} (step ${event.step})`);
        },
      },
      rest() {
        for (const dev of [...registrations.keys()]) judge(dev, NEVER);
      },
    };
  },
};

export const slaveMeansMaster: Invariant = {
  name: 'slave-means-master',
  meaning: 'In the end a registered device has IFF_SLAVE if and only if it has a master.',
  source: 'INV-V7',
  start(findings: Findings): Monitor {
    const devices = new Devices();
    return {
      knows: [devices],
      on: {},
      rest() {
        for (const [dev, { state, flags, master, since }] of devices.all) {
          if (state !== 'registered') continue;
          const slave = (flags & SLAVE) !== 0;
          if (slave && master === '') findings.violated(dev, 'it has IFF_SLAVE but no master', since);
          if (!slave && master !== '') findings.violated(dev, `its master is ${master}, but it lacks IFF_SLAVE`, since);
        }
      },
    };
  },
};
