/** What user mode may see of a VF. */
import { formatMoment } from '../../base/time.ts';
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
  why:
    "udev's rules and cloud-init tell a VF from a NIC of its own by that flag. One that is seen without it gets a " +
    'name, an address and a route like any NIC: two interfaces of one MAC, and a boot that may end without ' +
    'network.',
  covers: ['INV-V1'],
  source: 'Linux c807d6cd089d; Azure/azure-vm-utils issue 106',
  races: ['D-01', 'D-03', 'D-57'],
  notOn: {
    freebsd: 'there is no IFF_SLAVE: nothing tells user mode that a VF belongs to another interface (reference A.7)',
  },
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
  why:
    'A VF with the flag and without a master is left alone by everybody: no manager takes it and no synthetic NIC ' +
    "uses it. One with a master and without the flag gets an address of its own beside its master's.",
  covers: ['INV-V7'],
  source: 'Linux drivers/net/hyperv/netvsc_drv.c, netvsc_prepare_bonding(), netvsc_vf_join(); reference D-50',
  races: ['D-50'],
  notOn: {
    freebsd: 'there is no IFF_SLAVE: nothing tells user mode that a VF belongs to another interface (reference A.7)',
  },
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const slaves = new Set<string>();
    const masters = new Map<string, string>();
    return {
      knows: [devices],
      on: {
        'netdev.state': (event) => {
          if (event.state !== 'post-init') return;
          slaves.delete(event.dev);
          masters.delete(event.dev);
        },
        'netdev.flags': (event) => {
          if ((event.flags & SLAVE) !== 0) slaves.add(event.dev);
          else slaves.delete(event.dev);
        },
        'netdev.master': (event) => {
          if (event.master === '') masters.delete(event.dev);
          else masters.set(event.dev, event.master);
        },
      },
      rest() {
        for (const event of devices.registered()) {
          const { dev } = event;
          const master = masters.get(dev);
          if (slaves.has(dev) && master === undefined) findings.violated(dev, 'it has IFF_SLAVE but no master', event);
          if (slaves.has(dev) || master === undefined) continue;
          findings.violated(dev, `its master is ${master}, but it lacks IFF_SLAVE`, event);
        }
      },
    };
  },
};

export const noIpv6OnVf: Invariant = {
  name: 'no-ipv6-on-vf',
  meaning: 'A VF that has IFF_SLAVE or a master never gets an IPv6 address, and in the end has none.',
  why:
    'IPv6 that configures a VF by itself answers for an address that no route leads to, and solicits routers from ' +
    'two interfaces of one MAC. User mode sees a link-local address on an interface that it was to leave alone.',
  covers: ['INV-V6'],
  source: 'Linux d7501e076d85, after 8a321cf7becc; net/ipv6/addrconf.c',
  races: ['D-10'],
  notOn: {
    freebsd: 'there is no IFF_SLAVE: nothing tells user mode that a VF belongs to another interface (reference A.7)',
  },
  start(findings: Findings): Monitor {
    const flagged = new Map<string, Moment>();
    const mastered = new Map<string, Moment>();
    const addresses = new Map<string, string>();
    const judge = (dev: string, found: string): void => {
      const since = flagged.get(dev) ?? mastered.get(dev);
      if (since === undefined) return;
      findings.violated(dev, found, since);
      addresses.delete(dev);
    };
    return {
      on: {
        'netdev.state': (event) => {
          if (event.state === 'post-init') for (const each of [flagged, mastered, addresses]) each.delete(event.dev);
        },
        'netdev.flags': (event) => {
          if ((event.flags & SLAVE) !== 0 && !flagged.has(event.dev)) flagged.set(event.dev, event);
        },
        'netdev.master': (event) => {
          if (event.master === '') mastered.delete(event.dev);
          else mastered.set(event.dev, event);
        },
        'ipv6.address': (event) => {
          if (!event.held) {
            addresses.delete(event.dev);
            return;
          }
          addresses.set(event.dev, event.address);
          judge(event.dev, `it gets the address ${event.address}`);
        },
      },
      rest() {
        // One that it had before it was marked goes when its master closes it.
        for (const [dev, address] of [...addresses]) judge(dev, `it still has the address ${address}`);
      },
    };
  },
};
