import { describe, expect, it } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { unfixed } from '../../src/scenario/race.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { race, raceFiles } from '../support/race.ts';

const search = (scenario: Scenario): Exploration =>
  searchOrders(scenarioProgram(scenario, makeStage), { ...USUAL_OPTIONS, strategy: 'reduced' });

describe.each(raceFiles)('%s', (file) => {
  const fixed = race(file);

  it('breaks in some order without its fix', () => {
    const { verdict, found, searched } = search(unfixed(fixed));
    expect(verdict).toBe('fails');
    expect(searched?.whole).toBe(true);
    const breaks = fixed.race?.breaks ?? '';
    const isIt = breaks === 'expectation' ? /^line \d+: expect/ : new RegExp(`^${breaks}$`);
    expect(found.map(({ key }) => key)).toContainEqual(expect.stringMatching(isIt));
  });

  it('holds in all orders with it', () => {
    const { verdict, found, searched } = search(fixed);
    expect(found).toEqual([]);
    expect(verdict).toBe('all');
    expect(searched?.orders).toBeGreaterThan(0);
  });
});
