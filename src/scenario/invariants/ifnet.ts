/** What FreeBSD's registry says of its interfaces, and must go on to say. */
import type { Findings, Invariant, Monitor } from './invariant.ts';

const BEFORE_ATTACH: readonly string[] = ['allocated'];

export const referencesAttached: Invariant = {
  name: 'references-attached',
  meaning: 'A look-up by number gives a reference only to an interface that has been attached.',
  why:
    'The number of an interface answers from its allocation on. A program that joins a group by number then changes ' +
    'what its driver is still putting together, and holds it when the driver gives up.',
  covers: [],
  source: 'reference A.14, G-26',
  races: ['G-26'],
  start: (findings: Findings): Monitor => ({
    on: {
      'ifnet.referenced': (event) => {
        const { dev, state, ifindex } = event;
        if (BEFORE_ATTACH.includes(state)) findings.violated(dev, `number ${ifindex} is ${state} and held`, event);
      },
    },
  }),
};

export const interfacesCounted: Invariant = {
  name: 'interfaces-counted',
  meaning: 'A vnet counts as many interfaces as are on its list.',
  why:
    'A vnet that ends asks for room for so many interfaces and then sends home all that it finds: with a count that is ' +
    'too low it writes behind the room, and with one below zero it asks for more than there is.',
  covers: [],
  source: 'reference A.17 (INV-A3), G-27',
  races: ['G-27'],
  start: (findings: Findings): Monitor => ({
    on: {
      'vnet.count': (event) => {
        const { vnet, count, listed } = event;
        if (count !== listed) findings.violated(vnet, `it counts ${count} interfaces and has ${listed}`, event);
      },
    },
  }),
};

export const dyingForGood: Invariant = {
  name: 'dying-for-good',
  meaning: 'An interface that is dying is so until its end.',
  why:
    'Look-ups that give references pass over what is dying. With the flag lost they give one to an interface that its ' +
    'driver frees next.',
  covers: [],
  source: 'reference E.8 (INV-E9), G-34: IFF_DYING of FreeBSD',
  races: ['G-29', 'G-34'],
  start: (findings: Findings): Monitor => ({
    on: {
      'netdev.flags': (event) => {
        if (event.lost.split(' ').includes('DYING')) findings.violated(event.dev, 'IFF_DYING is cleared', event);
      },
    },
  }),
};

export const packetsKeepTheirVnet: Invariant = {
  name: 'packets-keep-their-vnet',
  meaning: 'A packet that has waited goes on in the vnet of the interface that it came in by.',
  why:
    'One that remembers its interface by number and generation finds it in whatever jail it is by then: what came in for ' +
    "the host is taken for the jail's, by its addresses and its firewall.",
  covers: [],
  source: 'reference B.6 (INV-B3), A.11, G-25: m_rcvif_restore() of FreeBSD',
  races: ['G-25'],
  start: (findings: Findings): Monitor => ({
    on: {
      'packet.input': (event) => {
        const { dev, vnet, interfaceIn } = event;
        if (vnet !== interfaceIn)
          findings.violated(dev, `a packet of ${vnet} came by it, and it is in ${interfaceIn}`, event);
      },
    },
  }),
};

/** Where hardware is attached, and whose devd hears of it. */
const HOME = 'vnet0';

export const devdHearsOfItsOwn: Invariant = {
  name: 'devd-hears-of-its-own',
  meaning: 'The devd of the host hears nothing of an interface that is in a jail.',
  why:
    'It runs its rules on a name: what a jail calls its interface is then started, or given an address, on the host, ' +
    'where another interface may have that name.',
  covers: [],
  source: 'reference A.4, G-30: IFNET notices of FreeBSD are for the default vnet',
  races: ['G-30'],
  start(findings: Findings): Monitor {
    const away = new Map<string, string>();
    return {
      on: {
        'netdev.netns': ({ dev, to }) => {
          if (to === HOME) away.delete(dev);
          else away.set(dev, to);
        },
        devctl: (event) => {
          const { dev, subsystem, type } = event;
          const jail = away.get(dev);
          if (jail !== undefined) findings.violated(dev, `${type} of ${subsystem}, which is in ${jail}`, event);
        },
      },
    };
  },
};
