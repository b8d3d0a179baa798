/** Orders in the real kernel: strikes come where they are said to, are repeatable, and find what only some orders have. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Crew } from '../../src/vm/explore/crew.ts';
import { Explorer, type ExplorerPlan, type Survey } from '../../src/vm/explore/errand.ts';
import { chooseStrikes } from '../../src/vm/explore/points.ts';
import { stretchesOf } from '../../src/vm/explore/stretch.ts';
import { formatStrike, parseStrike, type Strike } from '../../src/vm/explore/strike.ts';
import { cacheFolder } from '../../src/vm/kernel/cache.ts';
import { whatDiffers } from '../../src/vm/stage/what-differs.ts';
import { MAIN } from '../support/command.ts';
import { textScenario } from '../support/text-scenario.ts';
import { bootImages, catalogue } from './real-guest.ts';

/** In its own order the VF is probed before it is revoked. */
const STEPS = [
  '+0ms    host offer nic1',
  '~5s     expect nic1 is present',
  '+0ms    guest up nic1',
  '+20ms   from here on, all orders',
  '+0ms    host plug vf of nic1',
  '+200ms  host revoke vf of nic1 by eject-first',
  '~5s     expect nic1.vf is absent',
  '+0ms    expect log "joined to"',
];
const built = (file: string): URL => pathToFileURL(join(dirname(MAIN), file));

let plan: ExplorerPlan;
let explorer: Explorer;
let survey: Survey;
/** The line of the action that strikes. */
let revoke: number;

beforeAll(async () => {
  const given = textScenario({ steps: STEPS, header: ['always: [path-agrees, names-unique]'] });
  const images = bootImages();
  const scenario = { ...given, always: whatDiffers(given, images.release).judged };
  plan = { scenario, images, cache: cacheFolder(process.env), memoryMb: 192 };
  explorer = new Explorer(plan, catalogue, built('boot-worker.js'));
  const [stretch] = stretchesOf(scenario);
  revoke = stretch?.action.line ?? 0;
  if (stretch === undefined) throw new Error('nothing strikes');
  const surveyed = await explorer.survey(stretch);
  if (!surveyed.ok) throw new Error(JSON.stringify(surveyed.error));
  survey = surveyed.value;
});

const crews: Crew[] = [];
afterAll(() => {
  for (const crew of crews) crew.stop();
});

const at = (text: string): Strike => {
  const strike = parseStrike(`line ${revoke} ${text}`);
  if (!strike.ok) throw new Error(strike.error);
  return strike.value;
};

test('the map of a stretch has what the guest does in it', () => {
  const { signs, instructions } = survey.map;
  expect(survey.usual.found).toEqual([]);
  expect(survey.usual.course).toContain('nic1 log: Data path switched from VF: nic1.vf');
  expect(signs.flatMap(({ message }) => message ?? [])).toEqual([{ name: 'switchDataPath', nth: 1 }]);
  expect(instructions).toBeGreaterThan(1_000_000);
});

test.each([
  [1, 997],
  [1_500_000, 100_003],
  [2_500_000, 211],
])('a strike at instruction %d with a quantum of %d comes there', async (count, quantum) => {
  const { result } = await explorer.strike(at(`instruction ${count} quantum ${quantum}`));
  const { instructions = 0, isLate } = result.struck ?? {};
  expect(isLate).toBe(false);
  expect(instructions).toBeGreaterThanOrEqual(count);
  // Compiled code is run to the end of its block.
  expect(instructions - count).toBeLessThan(20_000);
});

test('a strike at a message comes when the host has it and has not answered', async () => {
  const { result, told } = await explorer.strike(at('message switchDataPath quantum 997'));
  expect(result.found).toEqual([]);
  const seen = told.events.flatMap((event) => {
    if (event.kind === 'nvsp.message') return [`${event.from} ${event.name}`];
    return event.kind === 'scenario.step' ? [event.text] : [];
  });
  const from = seen?.indexOf('guest switchDataPath') ?? -1;
  expect(seen?.slice(from, from + 4)).toEqual([
    'guest switchDataPath',
    'host revoke vf of nic1 by eject-first',
    'expect nic1.vf is absent',
    'host completion',
  ]);
});

test('a message that does not come is not waited for for ever', async () => {
  const { result } = await explorer.strike(at('message switchDataPath#2'));
  expect(result.struck).toMatchObject({ isLate: true, time: 300_000_000 });
  expect(result.found).toEqual([]);
});

test('what only some orders lack is found, and each run is repeated to the byte, in another process as well', async () => {
  const strikes = chooseStrikes(survey.map, { line: revoke, count: 6, seed: 1 });
  const early = at('instruction 1000');
  const crew = new Crew({ plan, file: built('boot-explore-worker.js'), jobs: 2 });
  crews.push(crew);
  crew.goTo(survey.field);
  const theirs = await Promise.all(
    [early, ...strikes].map((strike) => crew.do({ do: 'strike', strike, withHash: true })),
  );
  const [first, ...others] = theirs.map((done) => done?.run.result);
  expect(first?.found.map(({ key }) => key)).toEqual([expect.stringMatching(/^line \d+: expect log "joined to"$/)]);
  expect(others.map((result) => result?.strike)).toEqual(strikes.map(formatStrike));
  expect(new Set(theirs.map((done) => done?.run.result.memory)).size).toBe(7);
  for (const [i, strike] of [early, ...strikes.slice(0, 2)].entries()) {
    const { result } = await explorer.strike(strike, true);
    expect(result).toEqual(theirs[i]?.run.result);
  }
});
