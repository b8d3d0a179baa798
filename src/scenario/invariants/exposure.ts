/** What user mode may see of a VF. */
import type { EventOf } from '../../trace/event.ts';
import {
  Devices,
  type Findings,
  type Invariant,
  Listed,
  type Moment,
  type Monitor,
  nicOf,
  SLAVE,
} from './invariant.ts';

/** One registration of a VF. */
interface Registration {
  readonly postInit: Moment;
  /** The synthetic NIC of its MAC that was listed then. */
  readonly nic: string | undefined;
  judged: boolean;
}

type Sighting = EventOf<'netdev.visible'> | EventOf<'uevent'>;

export const flaggedBeforeVisible: Invariant = {
  name: 'flagged-before-visible',
  meaning: 'User mode never sees a VF without IFF_SLAVE, if its synthetic NIC was listed when the VF raised POST_INIT.',
  source: 'INV-V1; Linux c807d6cd089d',
  start(findings: Findings): Monitor {
    const listed = new Listed();
    const registrations = new Map<string, Registration>();
    const judge = (event: Sighting, where: string): void => {
      const registration = registrations.get(event.dev);
      if (registration === undefined || registration.judged) return;
      registration.judged = true;
      if ((event.flags & SLAVE) !== 0) return;
      if (registration.nic === undefined) {
        findings.exempt(event.dev, 'no synthetic NIC of its MAC was listed when it raised POST_INIT');
        return;
      }
      const seen = `${event.ifname} is visible ${where} with flags 0x${event.flags.toString(16)}, without IFF_SLAVE`;
      findings.violated(
        event.dev,
        `${seen}; ${registration.nic} was listed when it raised POST_INIT`,
        registration.postInit,
      );
    };
    return {
      knows: [listed],
      on: {
        'netdev.state': (event) => {
          if (event.state !== 'post-init' || nicOf(event.dev) === undefined) return;
          registrations.set(event.dev, { postInit: event, nic: listed.withMac(event.mac), judged: false });
        },
        'netdev.visible': (event) => {
          if (event.visible) judge(event, `through ${event.channel}`);
        },
        uevent: (event) => {
          if (event.action === 'add') judge(event, 'to whoever hears its uevent');
        },
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
