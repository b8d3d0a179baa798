/** `netvsim races`: the known races, each brought back without its fix and gone with it. */
import type { Command } from 'commander';
import { each } from '../campaign/each.ts';
import { type RacePlaces, searchRace } from '../campaign/races.ts';
import { type Exploration, USUAL_OPTIONS } from '../explore/explore.ts';
import { asJson } from '../report/json.ts';
import { formatRaces, problemOf, type RaceReport } from '../report/races.ts';
import { unknownName } from '../scenario/problem.ts';
import { remedied, unfixed } from '../scenario/race.ts';
import type { Race, Scenario } from '../scenario/scenario.ts';
import { EXIT, InputError } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { jobs } from './options.ts';
import { shippedScenarios } from './package-files.ts';
import { SearchProgress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { loadFile } from './run.ts';
import { crewFor } from './searched.ts';
import { complain, INTERRUPTED, print } from './terminal.ts';

interface RacesFlags {
  readonly jobs: number;
  readonly json?: true;
}

/** A shipped scenario that is a known race. */
interface KnownRace {
  readonly race: Race;
  /** As `netvsim explore` takes it. */
  readonly file: string;
  readonly scenario: Scenario;
}

export function addRaces(program: Command, end: (exit: number) => void): void {
  program
    .command('races')
    .description('search the known races, without the fixes that ended them and with them')
    .argument('[ids...]', 'numbers of the catalogue: D-01 D-05 (default: all that are shipped)')
    .addOption(jobs())
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Ends with 1 when one is not found without its fix, or when something fails with it. Where a file names cures that were
proposed (remedies), each of them alone is searched too, and what it comes to is said below the table.

Examples:
  netvsim races D-01 D-22
  netvsim explore d-01-vf-seen-unmarked --without post-init-slave   # exits 1: one of them in full`,
    )
    .action(async (ids: readonly string[], flags: RacesFlags) => end(await races(ids, flags)));
}

async function races(ids: readonly string[], flags: RacesFlags): Promise<number> {
  const known = knownRaces(ids);
  const reports = await search(known, flags.jobs);
  const interrupted = reports.length < known.length;
  print(flags.json === true ? inJson(reports, interrupted) : formatRaces(reports, interrupted));
  if (interrupted) {
    complain(INTERRUPTED);
    return EXIT.interrupted;
  }
  const bad = known.flatMap((race, at) => {
    const report = reports[at] as RaceReport;
    return problemOf(report) === undefined ? [] : [inFull(race, report)];
  });
  if (bad.length > 0) complain(bad.join('\n'));
  return bad.length === 0 ? EXIT.held : EXIT.failed;
}

/** What shows more of a race that is not as it should be. */
function inFull({ race, file }: KnownRace, { fixed }: RaceReport): string {
  const without = fixed.verdict === 'all' ? race.without.flatMap((fix) => ['--without', fix]) : [];
  return `${race.id} in full: ${reproduction(['explore', file, ...without])}`;
}

function knownRaces(ids: readonly string[]): readonly KnownRace[] {
  const all = shippedScenarios().flatMap(({ name, file }) => {
    const scenario = loadFile(file, { transport: 'direct' });
    return scenario.race === undefined ? [] : [{ race: scenario.race, file: name, scenario }];
  });
  const wanted = ids.map((id) => id.toUpperCase());
  const names = [...new Set(all.map(({ race }) => race.id))];
  const unknown = wanted.find((id) => !names.includes(id));
  if (unknown !== undefined) throw new InputError(unknownName('race', unknown, names));
  return wanted.length === 0 ? all : all.filter(({ race }) => wanted.includes(race.id));
}

/** Of those that were searched to the end: all, if it was not interrupted. */
async function search(known: readonly KnownRace[], jobs: number): Promise<readonly RaceReport[]> {
  const specs: { readonly scenario: Scenario }[] = [];
  const add = (scenario: Scenario): number => specs.push({ scenario }) - 1;
  const places = known.map(({ scenario }) => ({
    without: add(unfixed(scenario)),
    fixed: add(scenario),
    remedies: remedied(scenario).map(({ remedy, scenario: cured }) => ({ remedy, place: add(cured) })),
  }));
  const crew = crewFor(specs, jobs);
  let done = 0;
  const progress = new SearchProgress(() => {
    const { orders, failing } = crew.board;
    const counted = 'races';
    return { doing: 'searching', done, of: known.length, counted, isAtMost: false, orders, failing };
  });
  const ignore = onInterrupt(() => crew.stop());
  try {
    const reports = await each([...known.entries()], jobs, async ([at, { race, scenario }]) => {
      const report = await searchRace(crew, { race, name: scenario.name }, places[at] as RacePlaces, USUAL_OPTIONS);
      if (crew.board.isStopped) return [];
      done++;
      return [report];
    });
    return reports.flat();
  } finally {
    progress.end();
    ignore();
    await crew.close();
  }
}

const withoutOrders = ({ found, ...rest }: Exploration) => ({
  ...rest,
  found: found.map(({ order: _, ...each }) => each),
});

function inJson(reports: readonly RaceReport[], interrupted: boolean): string {
  const races = reports.map((report) => {
    const { race, name, without, fixed, remedies, preemptions, milliseconds } = report;
    const cured = remedies.map(({ remedy, exploration }) => ({ remedy, ...withoutOrders(exploration) }));
    return {
      ...race,
      name,
      problem: problemOf(report),
      preemptions,
      seconds: milliseconds / 1000,
      broken: withoutOrders(without),
      holding: withoutOrders(fixed),
      remedies: cured,
    };
  });
  return asJson('netvsim races', { interrupted, races });
}
