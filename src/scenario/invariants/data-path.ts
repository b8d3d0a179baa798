/** Host and guest must agree on the path, and a VF must not be stopped while the host still sends to it. */
import type { Path } from '../../trace/event.ts';
import { type Findings, type Invariant, type Moment, type Monitor, nicOf } from './invariant.ts';

export const pathAgrees: Invariant = {
  name: 'path-agrees',
  meaning: 'In the end host and guest use the same data path.',
  source: 'INV-P7',
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
  source: 'INV-P4; Linux 34b06a2eee44',
  start(findings: Findings): Monitor {
    const joined = new Set<string>();
    const onVf = new Map<string, Moment>();
    return {
      on: {
        'netvsc.vf': (event) => {
          if (event.joined) joined.add(event.dev);
          else joined.delete(event.dev);
        },
        'host.datapath': (event) => {
          if (event.path === 'vf') onVf.set(event.nic, event);
          else onVf.delete(event.nic);
        },
        'netdev.flags': (event) => {
          const since = onVf.get(nicOf(event.dev) ?? '');
          if (since === undefined || !joined.has(event.dev) || !event.lost.split(/[ ,|]+/).includes('UP')) return;
          findings.violated(event.dev, 'it went down while the host sends by it', since);
        },
      },
    };
  },
};

/** What a guest has asked for last on a NIC's channel. */
interface Asked extends Moment {
  readonly detail: string;
  answered: boolean;
}

export const oneSwitchInFlight: Invariant = {
  name: 'one-switch-in-flight',
  meaning: 'A guest asks for a data path only when the last answer has come, and never twice in a row for the same.',
  source: 'INV-P6',
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
