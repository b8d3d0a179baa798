import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatProblem } from '../../src/scenario/problem.ts';

const folder = join(import.meta.dirname, '../../fixtures/scenarios');

describe.each(readdirSync(folder))('%s', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');

  test('loads, and begins with what it shows', () => {
    const loaded = loadScenario(text, file, VOCABULARY);
    expect(loaded.ok ? [] : loaded.error.map(formatProblem)).toEqual([]);
    expect(loaded.ok && loaded.value.about.length).toBeGreaterThan(100);
    expect(text).toMatch(/^name: .*\nabout: >\n/);
  });
});

test('every device of the catalogue can be named', () => {
  expect(VOCABULARY.vfs).toEqual(vfModels.map(({ name }) => name));
  expect(VOCABULARY.synthetics).toEqual(syntheticModels.map(({ name }) => name));
});
