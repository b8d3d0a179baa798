/** What a synthetic NIC can do for the stack. */
import { IFCAP } from '../../guest/uapi/freebsd.ts';
import type { Findings, Invariant, Moment, Monitor } from './invariant.ts';

interface Abilities extends Moment {
  readonly capabilities: number;
  readonly enabled: number;
}

const namesOf = (word: number): string =>
  Object.entries(IFCAP)
    .filter(([, bit]) => (word & bit) !== 0)
    .map(([name]) => name)
    .join(' ');

/** What is other than it was: capabilities that are gone, or came, and those that are there and off. */
function changeOf(was: Abilities, is: Abilities): string {
  const told: readonly (readonly [string, number])[] = [
    ['has lost', was.capabilities & ~is.capabilities],
    ['can since', is.capabilities & ~was.capabilities],
    ['has turned off', was.enabled & ~is.enabled & is.capabilities],
    ['has turned on', is.enabled & ~was.enabled],
  ];
  const parts = told.filter(([, word]) => word !== 0).map(([what, word]) => `${what} ${namesOf(word)}`);
  return `since its VF came and left it ${parts.join(', and ')}`;
}

export const capabilitiesComeBack: Invariant = {
  name: 'capabilities-come-back',
  meaning: 'A synthetic NIC whose VF has left can do again what it could before a VF narrowed it.',
  why:
    'Checksums and segmentation that the NIC has lost for good are made by the processor from then on: each firmware ' +
    'update of the host costs throughput, and only a restart gives it back.',
  covers: [],
  source: 'reference E.8 (INV-E5), G-35',
  races: ['G-35'],
  start(findings: Findings): Monitor {
    const before = new Map<string, Abilities>();
    const now = new Map<string, Abilities>();
    const paired = new Set<string>();
    return {
      on: {
        'netvsc.vf': ({ nic, joined, time, step }) => {
          if (joined) {
            paired.add(nic);
            return;
          }
          paired.delete(nic);
          const [was, is] = [before.get(nic), now.get(nic)];
          before.delete(nic);
          if (was === undefined || is === undefined) return;
          if (was.capabilities === is.capabilities && was.enabled === is.enabled) return;
          findings.violated(nic, changeOf(was, is), { time, step });
        },
        'netdev.capabilities': ({ dev, capabilities, enabled, wasCapable, wasEnabled, time, step }) => {
          if (paired.has(dev) && !before.has(dev)) {
            before.set(dev, { capabilities: wasCapable, enabled: wasEnabled, time, step });
          }
          now.set(dev, { capabilities, enabled, time, step });
        },
      },
    };
  },
};
