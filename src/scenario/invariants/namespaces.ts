/** Devices that move from one network namespace to another. */
import { type Findings, INIT_NET, type Invariant, Joined, type Moment, type Monitor } from './invariant.ts';

export const sameNamespace: Invariant = {
  name: 'same-namespace',
  meaning: 'In the end a joined VF is in the network namespace of its synthetic NIC.',
  why:
    'A container that gets the NIC expects its traffic there. A VF that stays behind can be seen, configured and ' +
    "taken down by whoever lives in the old namespace, and the container's traffic goes with it.",
  covers: ['INV-N1'],
  source: 'Linux 4c262801ea60, c0a41b887ce6',
  races: ['D-12', 'D-14'],
  start(findings: Findings): Monitor {
    const joined = new Joined();
    const places = new Map<string, Moment & { readonly to: string }>();
    return {
      knows: [joined],
      on: {
        'netdev.state': (event) => {
          if (event.state === 'post-init') places.delete(event.dev);
        },
        'netdev.netns': (event) => {
          places.set(event.dev, event);
        },
      },
      rest() {
        for (const [nic, join] of joined.vfs) {
          const [mine, theirs] = [places.get(join.dev), places.get(nic)];
          const [vf, master] = [mine?.to ?? INIT_NET, theirs?.to ?? INIT_NET];
          if (vf === master) continue;
          findings.violated(join.dev, `it is in ${vf}, and ${nic} is in ${master}`, theirs ?? mine ?? join);
        }
      },
    };
  },
};

export const noPanic: Invariant = {
  name: 'no-panic',
  meaning: "The guest's kernel never panics.",
  why:
    'It is the end of the machine. The ones that are modelled come when a namespace is deleted: the walk over its ' +
    'devices loses its place when moving one makes somebody move the next, or cannot move a device at all.',
  covers: ['INV-N2'],
  source: 'Linux 33caa208dba6; net/core/dev.c, default_device_exit_net()',
  races: ['D-13'],
  start: (findings: Findings): Monitor => ({
    on: {
      panic: (event) => {
        findings.violated(event.dev, event.what, event);
      },
    },
  }),
};

export const ueventNamesDevice: Invariant = {
  name: 'uevent-names-device',
  meaning: 'A uevent that says that a device comes or goes calls it by the name that it has at that moment.',
  why:
    'A program that looks the name up finds nothing, or another device. Kernels until 6.12 break it by design ' +
    'when a device moves to a namespace where its name is taken: they show it under its old name first.',
  covers: ['INV-N3'],
  source: 'Linux net/core/dev.c, dev_change_net_namespace(); reference A.9',
  races: [],
  start(findings: Findings): Monitor {
    const names = new Map<string, Moment & { readonly ifname: string }>();
    return {
      on: {
        'netdev.state': (event) => {
          names.set(event.dev, event);
        },
        'netdev.renamed': ({ dev, to, time, step }) => {
          names.set(dev, { ifname: to, time, step });
        },
        'netdev.netns': (event) => {
          names.set(event.dev, event);
        },
        uevent: (event) => {
          const known = names.get(event.dev);
          // "move" is how a new name is told.
          if (event.action === 'move' || known === undefined || known.ifname === event.ifname) return;
          findings.violated(event.dev, `uevent ${event.action} calls it ${event.ifname}; it is ${known.ifname}`, known);
        },
      },
    };
  },
};
