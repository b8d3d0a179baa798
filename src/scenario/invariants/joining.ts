/** Which VF belongs to which synthetic NIC, and when. */
import { Devices, type Findings, type Invariant, Listed, type Moment, type Monitor, nicOf } from './invariant.ts';

export const syntheticFirst: Invariant = {
  name: 'synthetic-first',
  meaning: 'A synthetic NIC is registered before a VF that the host has associated with it.',
  source: 'INV-V2',
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const associated = new Map<string, Moment>();
    return {
      knows: [devices],
      on: {
        'nvsp.message': (event) => {
          if (event.name === 'sendVfAssociation') associated.set(event.nic, event);
        },
        'netdev.state': (event) => {
          if (event.state === 'unregistered') associated.delete(event.dev);
          const nic = nicOf(event.dev);
          const since = nic === undefined ? undefined : associated.get(nic);
          if (event.state !== 'registered' || nic === undefined || since === undefined) return;
          const state = devices.all.get(nic)?.state ?? 'uninitialized';
          if (state !== 'registered') findings.violated(event.dev, `it is registered while ${nic} is ${state}`, since);
        },
      },
    };
  },
};

export const joinedEventually: Invariant = {
  name: 'joined-eventually',
  meaning: 'In the end a registered VF is joined to the listed synthetic NIC of its MAC, unless another VF is.',
  source: 'INV-V3',
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const listed = new Listed();
    const joined = new Map<string, string>();
    return {
      knows: [devices, listed],
      on: {
        'netvsc.vf': (event) => {
          if (event.joined) joined.set(event.nic, event.dev);
          else if (joined.get(event.nic) === event.dev) joined.delete(event.nic);
        },
      },
      rest() {
        for (const [dev, { state, mac, since }] of devices.all) {
          if (state !== 'registered' || nicOf(dev) === undefined) continue;
          const nic = listed.withMac(mac);
          if (nic === undefined || joined.has(nic) || devices.all.get(nic)?.state !== 'registered') continue;
          findings.violated(dev, `it is registered and never joined ${nic}, which has its MAC and no VF`, since);
        }
      },
    };
  },
};

export const pairing: Invariant = {
  name: 'pairing',
  meaning: 'A VF that is joined to a synthetic NIC has its MAC, and is the only one.',
  source: 'INV-V4',
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const listed = new Listed();
    const joined = new Map<string, Map<string, Moment>>();
    return {
      knows: [devices, listed],
      on: {
        'netvsc.vf': (event) => {
          const members = joined.get(event.nic) ?? new Map<string, Moment>();
          joined.set(event.nic, members);
          members.delete(event.dev);
          if (!event.joined) return;
          for (const [other, since] of members)
            findings.violated(event.dev, `${event.nic} has ${other} already`, since);
          members.set(event.dev, event);
          const known = devices.all.get(event.dev);
          const mac = listed.macs.get(event.nic) ?? devices.all.get(event.nic)?.mac;
          if (known === undefined || mac === undefined || known.mac === mac) return;
          findings.violated(event.dev, `its MAC is ${known.mac}, that of ${event.nic} is ${mac}`, known.since);
        },
      },
    };
  },
};
