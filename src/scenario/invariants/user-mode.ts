/** What programs in user mode must never be led to. */
import { Devices, type Findings, type Invariant, type Moment, type Monitor, nicOf } from './invariant.ts';

export const oneLeasePerMac: Invariant = {
  name: 'one-lease-per-mac',
  meaning: 'Never do two interfaces of one MAC hold a lease.',
  source: 'INV-U2',
  start(findings: Findings): Monitor {
    const holders = new Map<string, Map<string, Moment>>();
    return {
      on: {
        lease: (event) => {
          const ofMac = holders.get(event.mac) ?? new Map<string, Moment>();
          holders.set(event.mac, ofMac);
          ofMac.delete(event.dev);
          if (!event.held) return;
          for (const [other, since] of ofMac) {
            findings.violated(event.dev, `it holds a lease of ${event.mac}, and so does ${other}`, since);
          }
          ofMac.set(event.dev, event);
        },
      },
    };
  },
};

export const stableName: Invariant = {
  name: 'stable-name',
  meaning: 'A VF that comes back as the same model with the same serial number ends with the name it had before.',
  source: 'INV-U1',
  start(findings: Findings): Monitor {
    const devices = new Devices();
    /** What the naming rules see of the device: its driver and its serial number. */
    const drivers = new Map<string, string>();
    const serials = new Map<string, string>();
    const names = new Map<string, Map<string, Moment>>();
    const settle = (dev: string, ifname: string, at: Moment): void => {
      const identity = `${dev} ${drivers.get(dev) ?? ''} ${serials.get(nicOf(dev) ?? '') ?? ''}`;
      const had = names.get(identity) ?? new Map<string, Moment>();
      names.set(identity, had);
      if (had.has(ifname)) return;
      for (const [other, since] of had) findings.violated(dev, `it ends as ${ifname}, and was ${other} before`, since);
      had.set(ifname, at);
    };
    return {
      knows: [devices],
      on: {
        'driver.bound': (event) => {
          if (event.bound) drivers.set(event.dev, event.driver);
        },
        'nvsp.message': (event) => {
          if (event.name === 'sendVfAssociation' && allocates(event.detail)) serials.set(event.nic, event.detail);
        },
        'netdev.state': (event) => {
          if (event.state === 'unregistering' && nicOf(event.dev) !== undefined) settle(event.dev, event.ifname, event);
        },
      },
      rest() {
        for (const [dev, { state, ifname, since }] of devices.all) {
          if (state === 'registered' && nicOf(dev) !== undefined) settle(dev, ifname, since);
        }
      },
    };
  },
};

/** Whether a VF_ASSOCIATION gives a VF: one that takes it away says nothing of the next. */
const allocates = (detail: string): boolean => !/allocated[ =:]*(?:0|false)\b/.test(detail);
