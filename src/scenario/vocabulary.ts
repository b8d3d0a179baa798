/** The names that a scenario can use. Devices come from whoever loads it. */
import { VF_DRIVER_IDS } from '../guest/linux/drivers/ids.ts';
import { FIXES, PROFILES } from '../guest/linux/profile.ts';
import type { Catalogue } from '../machine/machine.ts';
import { LATENCY } from '../sim/latency.ts';
import { OBSERVER_NAMES } from '../user/observers.ts';

export interface Vocabulary {
  readonly profiles: readonly string[];
  /** Fixes that can be switched on or off against a profile. */
  readonly fixes: readonly string[];
  readonly vfs: readonly string[];
  readonly synthetics: readonly string[];
  /** Modelled observers. */
  readonly observers: readonly string[];
  /** Every module of the guests, in the order in which they are loaded when a scenario says nothing. */
  readonly modules: readonly string[];
}

/** What a scenario can name when the modelled machine has these devices, and its guest these modules beside its own. */
export function vocabularyOf({ vfs, synthetics }: Catalogue, added: readonly string[] = []): Vocabulary {
  const drivers = vfs.flatMap(({ pci }) =>
    VF_DRIVER_IDS.filter(({ vendor, device }) => vendor === pci.vendor && device === pci.device),
  );
  return {
    profiles: Object.keys(PROFILES),
    fixes: Object.keys(FIXES),
    vfs: vfs.map(({ name }) => name),
    synthetics: synthetics.map(({ name }) => name),
    observers: OBSERVER_NAMES,
    // Bus and synthetic NIC first, as in an initramfs.
    modules: [...new Set(['pci-hyperv', 'hv_netvsc', ...drivers.map(({ driver }) => driver), ...added])],
  };
}

/** The names that one scenario's own steps can use beside the vocabulary. */
export interface Names extends Vocabulary {
  /** Those that this scenario runs. */
  readonly observers: readonly string[];
  readonly nics: readonly string[];
  /** NICs that have a VF model of their own. */
  readonly nicsWithVf: readonly string[];
  /** Flows that a step above has started. */
  readonly flows: readonly string[];
}

export const latencyRows = (): readonly string[] => Object.keys(LATENCY);

/** `nic1` and `nic1.vf` of every NIC. */
export const devicesOf = (nics: readonly string[]): readonly string[] => nics.flatMap((nic) => [nic, `${nic}.vf`]);
