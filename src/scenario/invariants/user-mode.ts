/** What programs in user mode must never be led to. */
import { Devices, type Findings, type Invariant, type Moment, type Monitor, nicOf } from './invariant.ts';

export const oneLeasePerMac: Invariant = {
  name: 'one-lease-per-mac',
  meaning: 'Never do two interfaces of one MAC hold a lease.',
  why:
    'Two addresses for one MAC, from one pool: routes point at either of them, answers come back by the other, ' +
    'and connections break when the VF goes. It is what people see of a VF that was not marked in time.',
  covers: ['INV-U2'],
  source: 'Azure/azure-vm-utils issue 106; azure-docs 116521',
  races: ['D-01', 'D-54', 'D-56', 'D-57'],
  across: true,
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
  why:
    'Rules, firewalls and dashboards go by the name. A VF that comes back as eth1 or rename6 after a firmware ' +
    'update is one that they do not know.',
  covers: ['INV-U1'],
  source: 'Linux bd039b5ea2a9; systemd issue 20895',
  races: ['D-18', 'D-49', 'D-55', 'D-59'],
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const current = new Map<string, string>();
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
        'netdev.renamed': (event) => {
          current.set(event.dev, event.to);
        },
        'netdev.netns': (event) => {
          current.set(event.dev, event.ifname);
        },
        'netdev.state': (event) => {
          current.set(event.dev, event.ifname);
          if (event.state === 'unregistering' && nicOf(event.dev) !== undefined) settle(event.dev, event.ifname, event);
        },
      },
      rest() {
        for (const event of devices.registered()) {
          const { dev } = event;
          if (nicOf(dev) !== undefined) settle(dev, current.get(dev) ?? event.ifname, event);
        }
      },
    };
  },
};

/** Whether a VF_ASSOCIATION gives a VF: one that takes it away says nothing of the next. */
const allocates = (detail: string): boolean => !/allocated[ =:]*(?:0|false)\b/.test(detail);
