/** What a synthetic NIC can do for the stack. */
import type { Findings, Invariant, Moment, Monitor } from './invariant.ts';

interface Abilities extends Moment {
  readonly capabilities: number;
  readonly enabled: number;
}

const hex = ({ capabilities, enabled }: Abilities): string =>
  `0x${capabilities.toString(16)} (on: 0x${enabled.toString(16)})`;

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
          findings.violated(nic, `it could ${hex(was)} before its VF came, and can ${hex(is)} now`, { time, step });
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
