/** Joins what only the edge knows, the devices, with the machine: names for scenarios, and stages. */
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { type Catalogue, Machine } from '../machine/machine.ts';
import { ModelStage } from '../scenario/model-stage.ts';
import type { StageMaker } from '../scenario/run.ts';
import { vocabularyOf } from '../scenario/vocabulary.ts';

export const CATALOGUE: Catalogue = { vfs: vfModels, synthetics: syntheticModels };

export const VOCABULARY = vocabularyOf(CATALOGUE);

export const makeStage: StageMaker<ModelStage> = (plan, options) =>
  new ModelStage(new Machine(plan, CATALOGUE, options));
