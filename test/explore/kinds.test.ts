import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { findHiddenState } from '../../src/explore/hidden-state.ts';
import type { Program } from '../../src/explore/program.ts';
import { findDifference } from './commute.ts';
import { Watching } from './kinds/watching.ts';
import { KINDS, programOf, randomPlan } from './random-program.ts';

/** What the objects of each kind say that their operations touch is all that they share. */

const SEEDS = 10;
const PAIRS = 10;

const programs = (kind: string): readonly Program[] =>
  Array.from({ length: SEEDS }, (_, seed) => programOf(randomPlan(seed + 1, [kind])));

describe.each(Object.keys(KINDS))('%s', (kind) => {
  it('lets steps change places that do not meet', () => {
    const problems = programs(kind).map((program, seed) => findDifference(program, seed + 1, PAIRS).problem);
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  it('hides nothing that contexts share', () => {
    const hidden = programs(kind).map((program, seed) => findHiddenState(program, seed + 1)?.text);
    expect(hidden.filter((text) => text !== undefined)).toEqual([]);
  });
});

/** Where a context stands for ever: nothing is ever done to these. */
const NEVER_DONE = ['Panic'];

test('every class of objects that contexts share takes part', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const declared = files.flatMap((file) =>
    [...readFileSync(`src/${file}`, 'utf8').matchAll(/class (\w+)(?:<.*>)? extends SharedObject/g)].map(
      ([, name]) => name,
    ),
  );
  const acted = new Set<string>(NEVER_DONE);
  for (const kind of Object.keys(KINDS)) {
    for (const program of programs(kind)) program(new Watching(1, acted));
  }
  expect(declared.filter((name) => !acted.has(name as string))).toEqual([]);
});
