import { describe, expect, test } from 'vitest';
import { vfModels } from '../../devices/index.ts';
import { VOCABULARY } from '../../src/cli/model.ts';
import { VF_DRIVER_IDS } from '../../src/guest/linux/drivers/ids.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { runShipped, traceLine } from '../support/shipped.ts';

/** A VF's whole life: it is plugged, joins and carries, is taken away in each order in which hosts do, and returns. */
function life(vf: string): Scenario {
  const text = `
name: the life of a VF
about: What every model has to go through.
nics:
  nic1: { mac: "00:0d:3a:12:34:56", vf: ${vf} }
user: [udev]
steps: |
  +0ms    host offer nic1
  ~5s     expect nic1 is present
  +0ms    guest up nic1
  +20ms   host plug vf of nic1
  ~15s    expect datapath of nic1 is vf
  +0ms    expect nic1.vf has master nic1
${['eject-first', 'assoc-first', 'surprise'].map(revokeAndReturn).join('')}
always: [flagged-before-visible, pairing, slave-means-master, path-agrees, joined-eventually, stop-on-synthetic]
`;
  const loaded = loadScenario(text, `${vf}.yaml`, VOCABULARY);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value;
}

const revokeAndReturn = (order: string): string => `
  +1s     host revoke vf of nic1 by ${order}
  ~15s    expect nic1.vf is absent
  ~5s     expect datapath of nic1 is synthetic
  +5s     host plug vf of nic1
  ~15s    expect datapath of nic1 is vf`;

describe.each(vfModels)('VF $name', ({ name, pci }) => {
  test('has a driver in the guest', () => {
    const drivers = VF_DRIVER_IDS.filter(({ vendor, device }) => vendor === pci.vendor && device === pci.device);
    expect(drivers).toHaveLength(1);
  });

  test('is plugged, joins, is revoked in every order and returns', () => {
    const { verdict } = runShipped(life(name));
    expect({ failures: verdict.failures, limit: verdict.limit }).toEqual({ failures: [], limit: undefined });
  });

  test('gives the same trace for the same decisions', () => {
    const once = (): readonly string[] => runShipped(life(name)).events.map(traceLine);
    expect(once()).toEqual(once());
  });
});
