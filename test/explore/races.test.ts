import { describe, expect, it } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { unfixed } from '../../src/scenario/race.ts';
import { race, raceFiles } from '../support/race.ts';

/** Without a fix there is something to be found, and not to be counted to the end. */
const UNFIXED = { ...USUAL_OPTIONS, ordersMax: 300 };
const FIXED = { ...USUAL_OPTIONS, strategy: 'reduced' } as const;

describe.each(raceFiles)('%s', (file) => {
  const fixed = race(file);

  it('breaks in some order without its fix', () => {
    const { verdict, found } = searchOrders(scenarioProgram(unfixed(fixed), makeStage), UNFIXED);
    expect(verdict).toBe('fails');
    const breaks = fixed.race?.breaks ?? '';
    const isIt = breaks === 'expectation' ? /^line \d+: expect/ : new RegExp(`^${breaks}$`);
    expect(found.map(({ key }) => key)).toContainEqual(expect.stringMatching(isIt));
  });

  it('holds in all orders with it', () => {
    const { verdict, found, searched } = searchOrders(scenarioProgram(fixed, makeStage), FIXED);
    expect(found).toEqual([]);
    expect(verdict).toBe('all');
    expect(searched?.orders).toBeGreaterThan(0);
  });
});
