/** The rows of the README's tables of races: what a search came to, as it stands there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './examples.ts';

interface FoundThere {
  readonly key: string;
  readonly sampledOrders: number;
  readonly searchedOrders: number;
  readonly departingOrders: number;
}

/** An exploration as `netvsim races --json` has it. */
export interface Explored {
  readonly verdict: string;
  readonly found: readonly FoundThere[];
  readonly sampled: number;
  readonly searched?: { readonly orders: number; readonly whole: boolean };
  readonly departing?: { readonly orders: number };
}

/** One race as `netvsim races --json` has it. */
export interface RaceRow {
  readonly id: string;
  readonly name: string;
  readonly problem?: string;
  readonly preemptions: number;
  readonly breaks: string;
  readonly broken: Explored;
  readonly holding: Explored;
  readonly remedies: readonly (Explored & { readonly remedy: string })[];
}

const FOLDER = 'fixtures/races';

/** The file of each race, by its name. */
const files = new Map(
  readdirSync(join(ROOT, FOLDER)).map((file) => {
    const text = readFileSync(join(ROOT, FOLDER, file), 'utf8');
    return [/^name: (.*)$/m.exec(text)?.[1] ?? '', `${FOLDER}/${file}`];
  }),
);

/** The race's row: its number, its file, without the fix, with every fix, with each cure alone. */
export function rowOf({ id, name, breaks, broken, holding, remedies }: RaceRow): string {
  const cures = remedies.map((each) => `\`${each.remedy}\`: ${outcome(each, breaks)}`).join('; ');
  const cells = [id, `[${name}](${files.get(name)})`, outcome(broken, breaks), outcome(holding, breaks), cures || '-'];
  return `| ${cells.join(' | ')} |`;
}

function outcome(explored: Explored, breaks: string): string {
  const { verdict, searched, found } = explored;
  const orders = searched?.orders ?? 0;
  if (verdict === 'all') return orders === 1 ? 'holds in the only order' : `holds in all ${orders} orders`;
  const broken = found.find(({ key }) => isBreak(key, breaks)) ?? found[0];
  if (broken === undefined) return `holds in ${orders} orders, and there are more`;
  const other = isBreak(broken.key, breaks) ? '' : ` (${broken.key})`;
  return `fails${other} in ${share(broken, explored)}`;
}

const isBreak = (key: string, breaks: string): boolean =>
  breaks === 'expectation' ? /^line \d+: expect /.test(key) : key.replace(/^line \d+: /, '') === breaks;

function share(found: FoundThere, { searched, sampled, departing }: Explored): string {
  const orders = searched?.orders ?? 0;
  if (searched?.whole === true && orders === 1) return 'the only order';
  if (found.searchedOrders > 0)
    return `${found.searchedOrders} of ${orders} orders${searched?.whole === true ? '' : ' searched'}`;
  if (found.sampledOrders > 0) return `${found.sampledOrders} of ${sampled} sampled`;
  return `${found.departingOrders} of ${departing?.orders ?? 0} near the usual one`;
}

const README = join(ROOT, 'README.md');
const ROW = /^\| [DG]-\d+ \| \[.*$/;

/** The rows that stand there. */
export const rowsThere = (): readonly string[] =>
  readFileSync(README, 'utf8')
    .split('\n')
    .filter((line) => ROW.test(line));

/** Of which file a row speaks. */
export const fileOf = (row: string): string | undefined => /\]\(([^)]+)\)/.exec(row)?.[1];
