import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Crew } from '../../src/campaign/crew.ts';
import { exploreWith, followWith } from '../../src/campaign/explore.ts';
import { retell } from '../../src/campaign/retell.ts';
import { type Fight, makeFight } from '../../src/cli/fight.ts';
import { VOCABULARY } from '../../src/cli/model.ts';
import { crewFor, makeSearched, type Searched } from '../../src/cli/searched.ts';
import { planCase, rowOf, searchCase } from '../../src/drill/clone-matrix.ts';
import { type Exploration, type ExploreOptions, searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import type { Job } from '../../src/explore/job.ts';
import type { Program } from '../../src/explore/program.ts';
import { PROFILES, type Profile } from '../../src/guest/freebsd/profile.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { unfixed } from '../../src/scenario/race.ts';
import { emptyFolder } from '../support/command.ts';

const FIRST: Job = { kind: 'first' };
/** Workers run the built program: node cannot load TypeScript in a thread. */
const builtWorker = (name: string): URL => new URL(`../../dist/src/cli/${name}.js`, import.meta.url);
const BUILT_WORKER = builtWorker('search-worker');

function broughtBack(file: string): Searched {
  const text = readFileSync(new URL(`../../fixtures/races/${file}.yaml`, import.meta.url), 'utf8');
  const loaded = loadScenario(text, file, VOCABULARY, { transport: 'direct' });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return { scenario: unfixed(loaded.value) };
}

function closed<Spec>(crew: Crew<Spec>): Crew<Spec> {
  onTestFinished(() => crew.close());
  return crew;
}

/** A crew whose own time is up, so that everything goes to workers; its file is written by the test. */
async function withWorker(source: string, jobs = 1): Promise<Crew<undefined>> {
  const file = join(emptyFolder(), 'worker.mjs');
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${source}\n`);
  const crew = closed(new Crew({ specs: [undefined], makeProgram: () => slow, worker: pathToFileURL(file), jobs }));
  await crew.do(0, FIRST);
  return crew;
}

const OUTCOME = { found: [], stop: 'idle', steps: 1 } as const;

/** Longer than a crew works alone. */
const slow: Program = (strategy) => {
  const until = performance.now() + 350;
  while (performance.now() < until);
  strategy.begin();
  return OUTCOME;
};

describe('a search by a crew', () => {
  const searched = broughtBack('d-12-vf-left-in-the-old-namespace');
  const options: ExploreOptions = { ...USUAL_OPTIONS, samples: 300 };

  test.each([1, 2])('comes to what it comes to in one thread, with %i workers', async (jobs) => {
    const crew = closed(new Crew({ specs: [searched], makeProgram: makeSearched, worker: BUILT_WORKER, jobs }));
    const told: string[] = [];
    const exploration = await exploreWith(crew, 0, options, (batch) => told.push(batch[0]?.kind ?? ''));
    expect(exploration).toEqual(searchOrders(makeSearched(searched), options));
    expect(exploration.verdict).toBe('fails');
    expect(told).toEqual(['first', 'sample', 'reduced']);
    expect(crew.millisecondsOf(0)).toBeGreaterThan(0);
    const [retold] = await retell(crew, 0, exploration, { one: false });
    expect(retold).toMatchObject({ found: exploration.found[0], story: { key: exploration.found[0]?.key } });
    expect(retold?.smallest.preemptions).toBeLessThanOrEqual(3);
  });

  test('a search that is stopped ends with what it has', async () => {
    const crew = closed(new Crew({ specs: [searched], makeProgram: makeSearched, worker: BUILT_WORKER, jobs: 2 }));
    const search = exploreWith(crew, 0, { ...options, samples: 1_000_000 });
    await vi.waitFor(() => expect(crew.board.orders).toBeGreaterThan(40), { timeout: 30_000 });
    crew.stop();
    const { verdict, sampled, searched: all } = await search;
    expect(verdict).toBe('fails');
    expect(sampled).toBeGreaterThan(20);
    expect(all).toBeUndefined();
    expect(await crew.do(0, FIRST)).toBeUndefined();
  });
});

test.each([1, 2])('the matrix comes case by case to what it comes to in one thread, with %i workers', async (jobs) => {
  const fights = (['lo', 'epair'] as const).map((kind): Fight => {
    return { kind, fight: 'create/destroy', guest: 'ideal', without: [] };
  });
  const makeProgram = (fight: Fight | undefined): Program => (fight === undefined ? slow : makeFight(fight));
  const specs = [undefined, ...fights];
  const crew = closed(new Crew({ specs, makeProgram, worker: builtWorker('matrix-worker'), jobs }));
  await crew.do(0, FIRST); // its own time is up: the rest goes to workers
  const explorations = await Promise.all(fights.map((_, at) => followWith(crew, at + 1, planCase())));
  const rows = fights.map((fight, at) => rowOf(fight, explorations[at] as Exploration));
  expect(rows).toEqual(fights.map((fight) => searchCase(fight, PROFILES['ideal'] as Profile)));
  expect(rows.map(({ exploration }) => exploration.verdict)).toEqual(['all', 'all']);
});

describe('a crew', () => {
  test('starts no thread for what is done in a moment', async () => {
    const crew = closed(crewFor([broughtBack('d-22-vf-stopped-before-anybody-switches')], 4));
    // In a checkout the worker's file is TypeScript, so that a thread could not even start.
    expect(await crew.do(0, FIRST)).toMatchObject({ orders: 1, whole: true, stopped: false });
  });

  test('leaves to a worker what takes too long here, from its beginning', async () => {
    const answer = `parentPort.on('message', ({ errand }) => parentPort.postMessage({ result: errand, milliseconds: 7 }));`;
    const crew = await withWorker(answer);
    expect(crew.board.orders).toBe(1);
    const sample: Job = { kind: 'sample', samplers: ['pos'], seed: 1, first: 0, count: 9, length: 1, depth: 1 };
    expect(await crew.do(0, sample)).toEqual(sample);
    expect(crew.millisecondsOf(0)).toBeGreaterThan(350);
  });

  test('gives each worker one errand at a time, and each result to who asked for it', async () => {
    const crew = await withWorker(
      `parentPort.on('message', ({ program, errand }) => {
        setTimeout(() => parentPort.postMessage({ result: [program, errand.kind], milliseconds: 0 }), program === 1 ? 200 : 0);
      });`,
      2,
    );
    const results = await Promise.all([1, 2, 3, 4].map((program) => crew.do(program, FIRST)));
    expect(results).toEqual([1, 2, 3, 4].map((program) => [program, 'first']));
  });

  test('says so when a worker breaks down, with what broke it', async () => {
    const crew = await withWorker(`parentPort.on('message', () => { throw new Error('the machine is on fire'); });`);
    await expect(Promise.all([crew.do(0, FIRST), crew.do(0, FIRST)])).rejects.toThrow('the machine is on fire');
    await expect(crew.do(0, FIRST)).rejects.toThrow('the machine is on fire');
  });

  test('says so when a worker ends on its own', async () => {
    const crew = await withWorker(`parentPort.on('message', () => process.exit(9));`);
    await expect(crew.do(0, FIRST)).rejects.toThrow('a worker thread ended with 9');
  });

  test('does not wait for a run without end when all is to stop', async () => {
    const crew = await withWorker(`parentPort.on('message', () => { for (;;); });`);
    const endless = crew.do(0, FIRST);
    const waiting = crew.do(0, FIRST);
    setTimeout(() => crew.stop(), 100);
    expect([await waiting, await endless]).toEqual([undefined, undefined]);
    await crew.close();
  });

  test('a program that breaks down in this thread is told as well', async () => {
    const broken = (): Program => () => {
      throw new Error('on fire here');
    };
    const crew = closed(new Crew({ specs: [undefined], makeProgram: broken, worker: BUILT_WORKER, jobs: 1 }));
    await expect(crew.do(0, FIRST)).rejects.toThrow('on fire here');
  });
});
