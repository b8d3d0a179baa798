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
const ORDERS_MAX = 700;

const searchedFromALine = ({ steps }: Scenario): boolean => steps.some(({ body }) => body.kind === 'orders');

/** That which has more orders than that with every fix as well: what was missed of it cannot be said. */
const TOO_LARGE = 'freebsd-g-12-last-address-removed-while-its-interface-goes.yaml';

/** Those which have more only without their fix. */
const TOO_LARGE_UNFIXED: readonly string[] = [
  TOO_LARGE,
  'freebsd-g-01-vnet-ends-while-an-interface-leaves-it.yaml',
  'freebsd-g-02-pair-destroyed-while-a-jail-ends.yaml',
  'freebsd-g-03-ejected-while-it-is-reclaimed.yaml',
  'freebsd-g-03-jail-removed-while-its-vf-is-ejected.yaml',
  'freebsd-g-08-mac-changed-while-it-goes.yaml',
  'freebsd-g-17-clone-lent-while-its-name-is-taken.yaml',
  'freebsd-g-27-count-of-a-jails-interfaces.yaml',
  'freebsd-g-28-vf-taken-back-while-it-is-ejected.yaml',
  'freebsd-g-29-detached-while-its-flags-are-written.yaml',
];

const cases: readonly (readonly [string, Scenario])[] = [
  ...shippedScenarios.map((name) => [name, shipped(name)] as const).filter(([, it]) => searchedFromALine(it)),
  ...raceFiles.filter((file) => file !== TOO_LARGE).map((file) => [file, race(file)] as const),
  ...raceFiles
    .filter((file) => !TOO_LARGE_UNFIXED.includes(file))
    .map((file) => [`${file}, unfixed`, unfixed(race(file))] as const),
];

describe.each(cases)('%s', (_name, scenario) => {
  it('runs each set of equivalent orders once, and misses none', () => {
    const compared = compareClasses(scenarioProgram(scenario, makeStage), SAMPLES, ORDERS_MAX);
    expect(compared.whole).toBe(true);
    expect(compared.missed).toEqual([]);
    expect(compared.classes).toBe(compared.searched);
  });
});
