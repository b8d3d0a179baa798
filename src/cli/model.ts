/** Joins what only the edge knows, the devices, with the machine: names for scenarios, and stages. */
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { VF_DRIVER_IDS } from '../guest/linux/drivers/ids.ts';
import { FIXES, PROFILES } from '../guest/linux/profile.ts';
import { type Catalogue, Machine } from '../machine/machine.ts';
import { ModelStage } from '../scenario/model-stage.ts';
import type { StageMaker } from '../scenario/run.ts';
import type { Vocabulary } from '../scenario/vocabulary.ts';
import { OBSERVER_NAMES } from '../user/observers.ts';

export const CATALOGUE: Catalogue = { vfs: vfModels, synthetics: syntheticModels };

/** Modules in the order in which they are loaded when a scenario names none: bus, synthetic NIC, VFs. */
const vfModules = vfModels.flatMap(({ pci }) =>
  VF_DRIVER_IDS.filter(({ vendor, device }) => vendor === pci.vendor && device === pci.device).map(
    ({ driver }) => driver,
  ),
);

export const VOCABULARY: Vocabulary = {
  profiles: Object.keys(PROFILES),
  fixes: Object.keys(FIXES),
  vfs: vfModels.map(({ name }) => name),
  synthetics: syntheticModels.map(({ name }) => name),
  observers: OBSERVER_NAMES,
  modules: ['pci-hyperv', 'hv_netvsc', ...new Set(vfModules)],
};

export const makeStage: StageMaker<ModelStage> = (plan, options) =>
  new ModelStage(new Machine(plan, CATALOGUE, options));
