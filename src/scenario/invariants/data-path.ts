/** Host and guest must agree on the path, and a VF must not be stopped while the host still sends to it. */
import type { EventOf, Path } from '../../trace/event.ts';
import { type Findings, type Invariant, Joined, type Moment, type Monitor, nicOf } from './invariant.ts';

export const pathAgrees: Invariant = {
  name: 'path-agrees',
  meaning: 'In the end host and guest use the same data path.',
  why:
    'The host completes SWITCH_DATA_PATH with an empty answer whatever became of it, so a guest cannot tell ' +
    'refusal from success. Where the two differ, one of them sends into a path that the other does not listen to: ' +
    'the NIC is up, and nothing arrives.',
  covers: ['INV-P3', 'INV-P7'],
  source: 'Linux drivers/net/hyperv/netvsc.c, netvsc_switch_datapath(); openvmm issue 1615',
  races: ['D-28', 'D-24'],
  start(findings: Findings): Monitor {
    const host = new Map<string, Moment & { path: Path }>();
    const guest = new Map<string, Moment & { path: Path }>();
    return {
      on: {
        'host.datapath': (event) => {
          host.set(event.nic, event);
        },
        'guest.datapath': (event) => {
          guest.set(event.nic, event);
        },
        // A NIC that has left takes its opinion along.
        'netvsc.listed': (event) => {
          if (!event.listed) guest.delete(event.nic);
        },
      },
      rest() {
        for (const nic of new Set([...host.keys(), ...guest.keys()])) {
          const theirs = host.get(nic)?.path ?? 'synthetic';
          const ours = guest.get(nic)?.path ?? 'synthetic';
          if (theirs === ours) continue;
          const since = [host.get(nic), guest.get(nic)].filter((at) => at !== undefined);
          const earlier = since.sort((a, b) => a.step - b.step)[0] ?? { time: 0, step: 0 };
          findings.violated(nic, `the guest sends by ${ours}, the host by ${theirs}`, earlier);
        }
      },
    };
  },
};

export const stopOnSynthetic: Invariant = {
  name: 'stop-on-synthetic',
  meaning: 'A joined VF goes down only while the host sends by the synthetic path.',
  why:
    "Between the VF's stop and the switch everything that arrives is lost: a burst of loss at each firmware " +
    'update, which planned work ought not to cost.',
  covers: ['INV-P4'],
  source: 'Linux 34b06a2eee44',
  races: ['D-21', 'D-22'],
  notOn: { freebsd: 'hn hears of the end of its VF when that is down already (reference A.9, E.4)' },
  start(findings: Findings): Monitor {
    const joined = new Joined();
    const onVf = new Map<string, Moment>();
    return {
      knows: [joined],
      on: {
        'host.datapath': (event) => {
          if (event.path === 'vf') onVf.set(event.nic, event);
          else onVf.delete(event.nic);
        },
        'netdev.flags': (event) => {
          const since = onVf.get(nicOf(event.dev) ?? '');
          if (since === undefined || !joined.has(event.dev) || !goesDown(event)) return;
          findings.violated(event.dev, 'it went down while the host sends by it', since);
        },
      },
    };
  },
};

/** Whether IFF_UP is among the flags that were lost. */
export const goesDown = (event: EventOf<'netdev.flags'>): boolean => event.lost.split(/[ ,|]+/).includes('UP');

/** What a guest has asked for last on a NIC's channel. */
interface Asked extends Moment {
  readonly detail: string;
  answered: boolean;
}

export const oneSwitchInFlight: Invariant = {
  name: 'one-switch-in-flight',
  meaning: 'A guest asks for a data path only when the last answer has come, and never twice in a row for the same.',
  why:
    'A host that gets a second request while it works on the first may do either of them last. The guest then ' +
    'believes in the one, and the host has done the other.',
  covers: ['INV-P6'],
  source: 'Linux da26658c3d70, 8b31f8c982b7',
  races: ['D-21', 'D-24'],
  notOn: { freebsd: 'hn asks for no answer to a switch, and so there is none to wait for (reference E.1)' },
  start(findings: Findings): Monitor {
    const asked = new Map<string, Asked>();
    return {
      on: {
        // A channel that is gone answers nothing any more: the new one begins anew.
        'netvsc.listed': (event) => {
          if (!event.listed) asked.delete(event.nic);
        },
        'nvsp.message': (event) => {
          const { nic, name, detail, time, step } = event;
          const last = asked.get(nic);
          // Of all answers only that to SWITCH_DATA_PATH is an empty completion.
          if (event.from === 'host' && name === 'completion' && last !== undefined) last.answered = true;
          if (event.from !== 'guest' || name !== 'switchDataPath') return;
          if (last?.answered === false) findings.violated(nic, 'a second SWITCH_DATA_PATH is on its way', last);
          if (last?.detail === detail) findings.violated(nic, `it asks again for ${detail}`, last);
          asked.set(nic, { detail, answered: false, time, step });
        },
      },
    };
  },
};

export const unloadLeavesSynthetic: Invariant = {
  name: 'unload-leaves-synthetic',
  meaning: 'When hv_netvsc has been unloaded the host sends no NIC anything by its VF.',
  why:
    'Whoever takes the synthetic NIC next, another driver or user mode, gets no frames: the host still puts them ' +
    'into a VF that nobody listens to. Linux is expected to break this when it is unloaded while its VF is up: ' +
    'the parting notifier is told DOWN of a VF that runs, and switches to it once more.',
  covers: ['INV-P8'],
  source: 'Linux net/core/dev.c, unregister_netdevice_notifier(); reference B.15 (derived, nobody ran it)',
  races: [],
  start(findings: Findings): Monitor {
    const onVf = new Map<string, Moment>();
    return {
      on: {
        'host.datapath': (event) => {
          if (event.path === 'vf') onVf.set(event.nic, event);
          else onVf.delete(event.nic);
        },
        module: (event) => {
          if (event.module !== 'hv_netvsc' || event.loaded) return;
          for (const [nic, since] of onVf)
            findings.violated(nic, 'its driver is gone and the host sends by the VF', since);
        },
      },
    };
  },
};
