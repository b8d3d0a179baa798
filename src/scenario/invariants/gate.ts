/** The guest's own data path: when it may begin to send by the VF, and that it keeps to it. */
import { goesDown } from './data-path.ts';
import { type Findings, type Invariant, Joined, type Moment, type Monitor, nicOf, UP } from './invariant.ts';

/** What SWITCH_DATA_PATH says when it asks for the VF (NVSP_DATAPATH_VF). */
const TO_VF = /\bactiveDataPath=1\b/;
/** What VF_ASSOCIATION says when it gives a VF. */
const GIVES = /\ballocated=1\b/;

export const associationBeforeSwitch: Invariant = {
  name: 'association-before-switch',
  meaning: 'A guest asks for the VF as its data path only after the host has associated a VF with the NIC.',
  why:
    'A host that is asked for a VF of which it has not yet told takes no notice, and the guest, which gets its ' +
    'empty answer all the same, sends by a VF that nobody listens to. An association that was taken back since ' +
    'does not count: that message and the request can cross.',
  covers: ['INV-P1'],
  source: 'Linux 365e1ececb29',
  races: ['D-05'],
  notOn: { freebsd: 'hn takes no notice of associations (reference E.1)' },
  start(findings: Findings): Monitor {
    const told = new Set<string>();
    return {
      on: {
        // The next probe of the NIC begins without an association.
        'netvsc.listed': (event) => {
          if (!event.listed) told.delete(event.nic);
        },
        'nvsp.message': (event) => {
          const { nic, name, detail, from } = event;
          if (from === 'host' && name === 'sendVfAssociation' && GIVES.test(detail)) told.add(nic);
          if (from !== 'guest' || name !== 'switchDataPath' || !TO_VF.test(detail) || told.has(nic)) return;
          findings.violated(nic, 'it asks for a VF that the host has not told it of', event);
        },
      },
    };
  },
};

export const vfPathNeedsRunningVf: Invariant = {
  name: 'vf-path-needs-running-vf',
  meaning: 'While the data path of the guest is the VF, a VF is joined and up.',
  why:
    'A guest that still sends by a VF which has stopped, or sends by one that has not started, loses every frame ' +
    'until it looks again. A VF that leaves its NIC for good without being closed is not counted: nothing is sent ' +
    'by it then.',
  covers: ['INV-P1'],
  source: 'Linux 34b06a2eee44, 69d25a6cf4ca; netvsc_vf_changed()',
  races: ['D-20', 'D-22', 'D-24'],
  notOn: { freebsd: 'hn hears of the end of its VF when that is down already (reference A.9, E.4)' },
  start(findings: Findings): Monitor {
    const joined = new Joined();
    const up = new Set<string>();
    const onVf = new Map<string, Moment>();
    return {
      knows: [joined],
      on: {
        // A NIC that has left takes its opinion along.
        'netvsc.listed': (event) => {
          if (!event.listed) onVf.delete(event.nic);
        },
        'guest.datapath': (event) => {
          onVf.delete(event.nic);
          if (event.path !== 'vf') return;
          onVf.set(event.nic, event);
          const vf = joined.vfs.get(event.nic);
          if (vf === undefined) findings.violated(event.nic, 'its data path is the VF, and none is joined', event);
          else if (!up.has(vf.dev)) findings.violated(vf.dev, `it is down and the data path of ${event.nic}`, event);
        },
        'netdev.flags': (event) => {
          if ((event.flags & UP) !== 0) up.add(event.dev);
          else up.delete(event.dev);
          const since = onVf.get(nicOf(event.dev) ?? '');
          if (since === undefined || !joined.has(event.dev) || !goesDown(event)) return;
          findings.violated(event.dev, 'it went down while the guest sends by it', since);
        },
      },
    };
  },
};

export const gateAfterAnswer: Invariant = {
  name: 'gate-after-answer',
  meaning: 'A guest takes the VF as its data path only when its last request was for the VF and has been answered.',
  why:
    'Until the host has moved its filter, what is sent by the VF is dropped there: loss at each arrival of a VF. ' +
    'The same goes for a request that could not be sent at all. Whether the log says so is not judged.',
  covers: ['INV-P2', 'INV-P5'],
  source: 'Linux 8b31f8c982b7, d0922bf79817',
  races: ['D-21', 'D-23'],
  notOn: { freebsd: 'hn asks for no answer to a switch, and so there is none to wait for (reference E.1)' },
  start(findings: Findings): Monitor {
    const asked = new Map<string, Moment & { readonly toVf: boolean; answered: boolean }>();
    return {
      on: {
        'netvsc.listed': (event) => {
          if (!event.listed) asked.delete(event.nic);
        },
        'nvsp.message': (event) => {
          const { nic, name, detail, from, time, step } = event;
          const last = asked.get(nic);
          if (from === 'host' && name === 'completion' && last !== undefined) last.answered = true;
          if (from !== 'guest' || name !== 'switchDataPath') return;
          asked.set(nic, { toVf: TO_VF.test(detail), answered: false, time, step });
        },
        'guest.datapath': (event) => {
          if (event.path !== 'vf') return;
          const last = asked.get(event.nic);
          if (last?.toVf !== true) findings.violated(event.nic, 'it sends by the VF and has not asked for it', event);
          else if (!last.answered)
            findings.violated(event.nic, 'it sends by the VF before the host has answered', last);
        },
      },
    };
  },
};

export const framesBehindGate: Invariant = {
  name: 'frames-behind-gate',
  meaning: 'A frame is given to the VF only while the data path of the guest is the VF.',
  why:
    'The host drops what comes from a VF that it has not been asked to listen to: a loss at the beginning of each ' +
    "VF's life, of up to the time that its first switch takes. A frame that was given to the VF before a switch " +
    'away from it, and arrives after, is not counted.',
  covers: ['INV-P1', 'INV-P2'],
  source: 'Linux 69d25a6cf4ca',
  races: ['D-20'],
  start: (findings: Findings): Monitor => ({
    on: {
      'netvsc.stray': (event) => {
        findings.violated(event.dev, `a frame goes by it while the data path of ${event.nic} is synthetic`, event);
      },
    },
  }),
};
