import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatProblem } from '../../src/scenario/problem.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/races/', import.meta.url));

export const raceFiles: readonly string[] = readdirSync(FOLDER).sort();

/** A race that the package ships, on its own guest. */
export function race(file: string): Scenario {
  const loaded = loadScenario(readFileSync(FOLDER + file, 'utf8'), file, VOCABULARY, { transport: 'direct' });
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'));
  return loaded.value;
}
