/** The catalogue: the only list of devices. A model that is not here does not exist. */
import { exampleVf } from './example.ts';
import { manaVf } from './mana.ts';
import { mlx5Vf } from './mlx5.ts';
import { ws2022 } from './ws2022.ts';

export const vfModels = [mlx5Vf, manaVf, exampleVf];

export const syntheticModels = [ws2022];
