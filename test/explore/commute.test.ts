import { describe, expect, it } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { unfixed } from '../../src/scenario/race.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { race, raceFiles } from '../support/race.ts';
import { shipped, shippedScenarios } from '../support/shipped.ts';
import { findDifference } from './commute.ts';

/** What steps say that they touch is all that they share: neighbours that do not meet can change places. */

const PAIRS = 10;
const STEPS_MAX = 20_000;

/** From the first step on, whatever the scenario wants searched. */
const whole = (scenario: Scenario): Scenario => ({
  ...scenario,
  steps: scenario.steps.filter(({ body }) => body.kind !== 'orders'),
});

const cases: readonly (readonly [string, Scenario])[] = [
  ...shippedScenarios.flatMap((name) =>
    ['linux-5.15', 'linux-6.12'].map((guest) => [`${name} on ${guest}`, shipped(name, { guest })] as const),
  ),
  ...raceFiles.flatMap((file) => [[file, race(file)] as const, [`${file}, unfixed`, unfixed(race(file))] as const]),
];

describe.each(cases)('%s', (_, scenario) => {
  it.each(['idle', 'any'] as const)('steps that do not meet can change places, time %s', (time) => {
    const program = scenarioProgram(whole(scenario), makeStage, { stepsMax: STEPS_MAX, anyTime: time === 'any' });
    const { pairs, problem } = findDifference(program, 1, PAIRS);
    expect(problem).toBeUndefined();
    expect(pairs).toBe(PAIRS);
  });
});
