import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { formatProblem } from '../../src/scenario/problem.ts';
import { isBreakOf, remedied, unfixed } from '../../src/scenario/race.ts';
import { runScenario } from '../../src/scenario/run.ts';
import type { Race, Scenario } from '../../src/scenario/scenario.ts';
import { formatFailure } from '../../src/scenario/verdict.ts';

/** Known races as scenarios: the situation only. Whether some order breaks them is for the search to find. */

const folder = join(import.meta.dirname, '../../fixtures/races');
const files = readdirSync(folder).sort();

const textOf = (file: string): string => readFileSync(join(folder, file), 'utf8');

function load(text: string, file = 'race.yaml', guest?: string): Scenario {
  const loaded = loadScenario(text, file, VOCABULARY, { guest });
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'));
  return loaded.value;
}

function raceOf(scenario: Scenario): Race {
  if (scenario.race === undefined) throw new Error(`${scenario.name} is no race`);
  return scenario.race;
}

const failuresOf = (scenario: Scenario): readonly string[] =>
  runScenario(scenario, makeStage).verdict.failures.map(formatFailure);

test('the first races of the catalogues are there, each situation once', () => {
  const scenarios = files.map((file) => load(textOf(file), file));
  const ids = scenarios.map((scenario) => raceOf(scenario).id);
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(files.length);
  const first = ['D-01', 'D-02', 'D-03', 'D-04', 'D-05', 'D-12', 'D-20', 'D-21', 'D-22', 'D-23'];
  expect(ids).toEqual(expect.arrayContaining(first));
});

describe.each(files)('%s', (file) => {
  const text = textOf(file);
  const scenario = load(text, file);

  const { id } = raceOf(scenario);
  const isFreebsd = id.startsWith('G-');

  test('is named after its race', () => {
    const number = isFreebsd ? `freebsd-g-${id.slice(2).padStart(2, '0')}` : id.toLowerCase();
    expect(file).toMatch(new RegExp(`^${number}-[a-z0-9-]+\\.yaml$`));
  });

  test('tells its story, with the commit that ended it or, where none has, its entry in the reference', () => {
    expect(scenario.about.split(/[.?!](?:\s|$)/).length).toBeGreaterThan(2);
    expect(scenario.about).toMatch(isFreebsd ? new RegExp(`\\breference ${id}\\b`) : /\b[0-9a-f]{12}\b/);
  });

  test('is the situation on a kernel that has every fix, and says where its orders are to be searched', () => {
    expect([scenario.plan.guest, scenario.plan.fixes]).toEqual([isFreebsd ? 'ideal' : 'linux-6.12', {}]);
    const marks = scenario.steps.flatMap(({ body }) => (body.kind === 'orders' ? [body.all] : []));
    expect(marks).toEqual([true, false]);
    expect(text).not.toMatch(/schedule|choices/);
  });

  test('holds in the usual order', () => {
    expect(failuresOf(scenario)).toEqual([]);
  });
});

describe('without its fix', () => {
  const scenario = load(textOf('d-22-vf-stopped-before-anybody-switches.yaml'));

  test('a race is the same scenario on a kernel that lacks it', () => {
    const { plan, ...rest } = unfixed(scenario);
    expect(rest).toEqual({ ...scenario, plan: undefined });
    expect(plan).toEqual({ ...scenario.plan, fixes: { 'switch-before-stop': false } });
    expect(scenario.plan.fixes).toEqual({});
  });

  test('what breaks is what the file says; nothing else counts', () => {
    const { failures } = runScenario(unfixed(scenario), makeStage).verdict;
    expect(failures.length).toBeGreaterThan(0);
    const race = raceOf(scenario);
    expect(failures.every((failure) => isBreakOf(race, failure))).toBe(true);
    expect(failures.some((failure) => isBreakOf({ ...race, breaks: 'path-agrees' }, failure))).toBe(false);
    expect(failures.some((failure) => isBreakOf({ ...race, breaks: 'expectation' }, failure))).toBe(false);
  });

  test('an expectation and a context that never ends can be what breaks', () => {
    const failure = { line: 3, what: 'expect nic1 is up', found: 'down', at: 0, step: 0 };
    const race = { id: 'D-49', without: ['live-rename'], breaks: 'expectation' };
    expect(isBreakOf(race, { kind: 'expectation', ...failure })).toBe(true);
    expect(isBreakOf(race, { kind: 'step', ...failure })).toBe(false);
    expect(isBreakOf({ ...race, breaks: 'stuck' }, { kind: 'stuck', ...failure, what: 'stuck' })).toBe(true);
    expect(isBreakOf({ ...race, breaks: 'deadlock' }, { kind: 'stuck', ...failure, what: 'stuck' })).toBe(false);
  });

  test('a scenario that is no race stays as it is', () => {
    const { race: _, ...plain } = scenario;
    expect(unfixed(plain)).toBe(plain);
  });
});

describe('the key race', () => {
  const GOOD = `name: a race
about: What this shows.
race: { id: D-01, without: post-init-slave, breaks: one-lease-per-mac }
nics: { nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 } }
fixes: { live-rename: off }
steps: |
  +0ms host offer nic1
always: [one-lease-per-mac]
`;
  const problems = (from: string, to: string): readonly string[] => {
    expect(GOOD).toContain(from);
    const loaded = loadScenario(GOOD.replace(from, to), 'a.yaml', VOCABULARY);
    return loaded.ok ? [] : loaded.error.map(formatProblem);
  };

  test('one fix or several', () => {
    expect(load(GOOD).race).toEqual({ id: 'D-01', without: ['post-init-slave'], breaks: 'one-lease-per-mac' });
    const two = load(GOOD.replace('without: post-init-slave', 'without: [vf-gate, switch-awaited]'));
    expect(two.race?.without).toEqual(['vf-gate', 'switch-awaited']);
    expect(unfixed(two).plan.fixes).toEqual({ 'live-rename': false, 'vf-gate': false, 'switch-awaited': false });
  });

  test('cures that were proposed, each of which alone is tried', () => {
    const cured = load(GOOD.replace('breaks:', 'remedies: [vf-gate, post-init-slave], breaks:'));
    expect(cured.race?.remedies).toEqual(['vf-gate', 'post-init-slave']);
    expect(remedied(cured).map(({ remedy, scenario }) => [remedy, scenario.plan.fixes])).toEqual([
      ['vf-gate', { 'live-rename': false, 'post-init-slave': false, 'vf-gate': true }],
      ['post-init-slave', { 'live-rename': false, 'post-init-slave': true }],
    ]);
    expect(remedied(load(GOOD))).toEqual([]);
  });

  test('every invariant can be what breaks where a file watches all of them', () => {
    expect(problems('breaks: one-lease-per-mac', 'breaks: deadlock')).toEqual([]);
    expect(problems('always: [one-lease-per-mac]\n', '')).toEqual([]);
  });

  test.each([
    ['no number', 'D-01', 'D1', 'a.yaml:3: race.id: is no number of a catalogue of races: D-01, or G-3'],
    [
      'unknown fix',
      'post-init-slave,',
      'post-init-slav,',
      'a.yaml:3: no fix is called "post-init-slav"; nearest: post-init-slave',
    ],
    [
      'an unknown cure',
      'breaks:',
      'remedies: [post-init-slav], breaks:',
      'a.yaml:3: no fix is called "post-init-slav"; nearest: post-init-slave',
    ],
    [
      'a cure of the other guest',
      'breaks:',
      'remedies: [if-try-ref], breaks:',
      'a.yaml:3: fix if-try-ref is one of FreeBSD: this guest is none',
    ],
    ['no fix', 'without: post-init-slave', 'without: []', 'a.yaml:3: race.without: names no fix'],
    ['neither', 'without: post-init-slave', 'without: 5', 'a.yaml:3: race.without: must be a fix, or a list of fixes'],
    ['a fix that is off', 'post-init-slave,', 'live-rename,', 'a.yaml:3: fixes has live-rename off already'],
    [
      'unknown invariant',
      'breaks: one-lease-per-mac',
      'breaks: one-lease-per-mak',
      'a.yaml:3: no invariant is called "one-lease-per-mak"; nearest: one-lease-per-mac',
    ],
    [
      'misspelt word',
      'breaks: one-lease-per-mac',
      'breaks: stcuk',
      'a.yaml:3: no invariant is called "stcuk"; nearest: stuck',
    ],
    [
      'an invariant that nobody watches',
      'breaks: one-lease-per-mac',
      'breaks: path-agrees',
      'a.yaml:3: path-agrees is not watched: add it to always',
    ],
    ['a key too many', 'id: D-01,', 'id: D-01, withouts: x,', 'a.yaml:3: race has no "withouts"; nearest: without'],
    ['nothing that breaks', ', breaks: one-lease-per-mac', '', 'a.yaml:3: race.breaks is missing'],
  ])('%s', (_, from, to, problem) => {
    expect(problems(from, to)).toEqual([problem]);
  });
});
