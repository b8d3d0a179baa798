/** What the searches of known races came to: a table, and what is not as it should be. */
import type { Exploration, Found } from '../explore/explore.ts';
import type { Race } from '../scenario/scenario.ts';
import { inThousands, sayHowOften, withoutLine } from './exploration.ts';
import { formatTable } from './table.ts';

/** One race that was searched on a kernel without its fix, and on one with it. */
export interface RaceReport {
  readonly race: Race;
  /** What it is, in a line: the scenario's name. */
  readonly name: string;
  readonly without: Exploration;
  readonly fixed: Exploration;
  /** On one with nothing but a cure that was proposed, for each of these. */
  readonly remedies: readonly { readonly remedy: string; readonly exploration: Exploration }[];
  /** Of the smallest order that brings it back. */
  readonly preemptions: number | undefined;
  /** Computing that it took to find it, and to go through all orders with every fix; cures of it are not counted. */
  readonly milliseconds: number;
}

/** Of what was found that which the race is about. */
export function breakOf(race: Race, { found }: Pick<Exploration, 'found'>): Found | undefined {
  return found.find(({ key }) => isBreak(race, key));
}

function isBreak({ breaks }: Race, key: string): boolean {
  return breaks === 'expectation' ? /^line \d+: expect /.test(key) : withoutLine(key) === breaks;
}

/** What is not as it should be, in a sentence; undefined when all is. */
export function problemOf({ race, without, fixed }: RaceReport): string | undefined {
  if (fixed.verdict === 'fails') return `with every fix ${fixed.found.map(({ key }) => key).join(' and ')} fails`;
  if (fixed.verdict !== 'all') return 'with every fix not all orders were searched';
  if (breakOf(race, without) !== undefined) return undefined;
  return `without ${race.without.join(' and ')} no order was found that breaks ${race.breaks}`;
}

/** What else fails without the fix; mostly it follows from what the race breaks. */
function noteOf({ race, without }: RaceReport): string | undefined {
  const others = without.found.filter(({ key }) => !isBreak(race, key)).map(({ key }) => key);
  return others.length === 0 ? undefined : `without ${race.without.join(' and ')} ${others.join(' and ')} fails too`;
}

const HEAD = ['race', 'without its fix', 'preemptions', 'with every fix', 'seconds'];

/** `interrupted`: only these were searched, and others not. */
export function formatRaces(reports: readonly RaceReport[], interrupted: boolean): string {
  const said = (mark: string, say: (report: RaceReport) => string | undefined): readonly string[] =>
    reports.flatMap((report) => {
      const text = say(report);
      return text === undefined ? [] : [`${mark}: ${report.race.id}: ${text}`];
    });
  const problems = said('NOT AS IT SHOULD BE', problemOf);
  const verdict =
    problems.length > 0 ? problems : [`${sayRaces(reports.length)} found without the fix, and gone with it`];
  const [first = '', ...lines] = formatTable(HEAD, reports.map(rowOf)).trimEnd().split('\n');
  const table = [first, ...lines.map((line, at) => `${line}  ${reports[at]?.name}`)];
  const notes = said('note', noteOf);
  const cures = reports.flatMap((report) => report.remedies.map((each) => sayRemedy(report, each)));
  if (cures.length > 0) cures.unshift('');
  const head = interrupted ? ['INTERRUPTED: these were searched before'] : [];
  const all = [...head, ...verdict, ...notes, '', ...table, ...cures];
  return all.map((line) => `${line}\n`).join('');
}

function rowOf({ race, without, fixed, preemptions, milliseconds }: RaceReport): readonly string[] {
  const broken = breakOf(race, without);
  const fails = broken === undefined ? 'not found' : sayHowOften(broken, without);
  const seconds = (milliseconds / 1000).toFixed(1);
  return [race.id, fails, String(preemptions ?? '-'), sayHolds(fixed), seconds];
}

function sayHolds({ verdict, searched }: Exploration): string {
  if (verdict !== 'all') return verdict;
  const orders = searched?.orders ?? 0;
  return orders === 1 ? 'holds in the only one' : `holds in all ${inThousands(orders)}`;
}

/** `G-4 with only output-sees-attached: still fails in 3 of 18 orders (12 of 201 sampled)` */
function sayRemedy({ race }: RaceReport, { remedy, exploration }: RaceReport['remedies'][number]): string {
  const { verdict, found } = exploration;
  const broken = breakOf(race, exploration) ?? found[0];
  const key = broken === undefined || isBreak(race, broken.key) ? '' : ` (${broken.key})`;
  const still = broken === undefined ? '' : `still fails${key} in ${sayHowOften(broken, exploration)}`;
  const more = `holds in the ${inThousands(exploration.searched?.orders ?? 0)} that were searched, and there are more`;
  const says = verdict === 'fails' ? still : verdict === 'limit' ? more : sayHolds(exploration);
  return `${race.id} with only ${remedy}: ${says}`;
}

const sayRaces = (count: number): string => (count === 1 ? 'the race is' : `all ${count} races are`);
