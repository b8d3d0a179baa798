import { describe, expect, it } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { unfixed } from '../../src/scenario/race.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { race, raceFiles } from '../support/race.ts';
import { shipped, shippedScenarios } from '../support/shipped.ts';
import { compareClasses } from './classes.ts';

/** On whole machines: the search runs one order of each set of equivalent ones, and no order is of none of these sets. */

const SAMPLES = 30;
const ORDERS_MAX = 200;

const searchedFromALine = ({ steps }: Scenario): boolean => steps.some(({ body }) => body.kind === 'orders');

const cases: readonly (readonly [string, Scenario])[] = [
  ...shippedScenarios.map((name) => [name, shipped(name)] as const).filter(([, it]) => searchedFromALine(it)),
  ...raceFiles.flatMap((file) => [[file, race(file)] as const, [`${file}, unfixed`, unfixed(race(file))] as const]),
];

describe.each(cases)('%s', (_, scenario) => {
  it('runs each set of equivalent orders once, and misses none', () => {
    const compared = compareClasses(scenarioProgram(scenario, makeStage), SAMPLES, ORDERS_MAX);
    if (compared === 'too large') throw new Error(`there are more than ${ORDERS_MAX} orders: move the line`);
    expect(compared.missed).toEqual([]);
    expect(compared.classes).toBe(compared.searched);
  });
});
