/** A drill's figures for people and dashboards. */
import { formatDuration, formatMoment } from '../base/time.ts';
import type { Difference, GuestDrill } from '../drill/differences.ts';
import type { PhaseFigures } from '../drill/figures.ts';
import type { DrillOptions, DrillResult } from '../drill/firmware-update.ts';
import { USUAL_SYNTHETIC } from '../scenario/scenario.ts';
import { formatFailure, VERDICT_WORDS } from '../scenario/verdict.ts';
import { LATENCY, type LatencyRow } from '../sim/latency.ts';
import type { Direction } from '../trace/frames.ts';
import type { JunitCase } from './junit.ts';
import { formatTable } from './table.ts';

/** A table for the paths and one a direction, so that none is wider than a terminal of 80 columns. */
const PATHS = ['phase', 'lasts', 'path', 'no path out', 'no path in'];
const COUNTS = ['sent', 'received', 'lost', 'duplicated', 'out of order'];
const DIRECTIONS = [
  ['tx', 'out of the guest'],
  ['rx', 'into the guest'],
] as const;
const LINE_WIDTH = 80;

export function formatDrill(options: DrillOptions, result: DrillResult): string {
  const { order, gap, times, nics, guest, vf } = options;
  const what = `${guest}, ${nics} x ${vf}, ${order}, gap ${formatDuration(gap)}, ${times === 1 ? 'once' : `${times} times`}`;
  const word = VERDICT_WORDS[result.exit];
  const lines = [`${word}: firmware update (${what})`];
  for (const failure of result.verdict.failures) lines.push(`  ${formatMoment(failure.at)}  ${formatFailure(failure)}`);
  for (const over of result.overBudget) lines.push(`  over budget: ${over}`);
  if (result.verdict.limit !== undefined) lines.push(`  limit reached: ${result.verdict.limit}`);
  lines.push(
    '',
    `worst gap: ${sayWorst(result)}`,
    `frames lost: ${result.lost}`,
    `invariants: ${sayInvariants(result)}`,
  );
  lines.push('', formatTable(PATHS, result.phases.map(pathsOf)));
  for (const [direction, title] of DIRECTIONS) {
    const rows = result.phases.map((figures) => framesOf(figures, direction));
    lines.push(formatTable([title, ...COUNTS], rows));
  }
  lines.push(...sayModelled(options, result));
  return lines.join('\n');
}

/** Figures of several guests side by side, where they differ, and under each row the reason. */
export function formatDifferences(drills: readonly GuestDrill[], differences: readonly Difference[]): string {
  const guests = drills.map(({ guest }) => guest);
  if (differences.length === 0) return `no figure differs between ${guests.join(' and ')}\n`;
  const table = formatTable(
    ['what differs', ...guests],
    differences.map(({ what, found }) => [what, ...found]),
  );
  const reasons = new Map<string, string[]>();
  for (const { what, why } of differences) reasons.set(why, [...(reasons.get(why) ?? []), what]);
  const said = [...reasons].flatMap(([why, whats]) => [`${whats.join(', ')}:`, ...wrap(why.split(' '))]);
  return `${table}\nwhy:\n${said.join('\n')}\n`;
}

/** One case for the course of the drill, and one a budget. */
export function drillCases(options: DrillOptions, result: DrillResult): readonly JunitCase[] {
  const { endTime: time, limit: error } = result.verdict;
  const group = `drill firmware-update ${options.guest}`;
  const failures = result.verdict.failures.map(formatFailure);
  return [
    { name: 'course and invariants', group, time, failures, error },
    { name: 'budgets', group, time: 0, failures: result.overBudget },
  ];
}

const nameOf = ({ phase, rounds }: PhaseFigures): string => (rounds > 1 ? `${phase} (${rounds})` : phase);

function pathsOf(figures: PhaseFigures): readonly string[] {
  const { lasts, paths, without } = figures;
  const spans = [without.tx, without.rx].map(formatDuration);
  return [nameOf(figures), formatDuration(lasts), paths.join(' > '), ...spans];
}

function framesOf(figures: PhaseFigures, direction: Direction): readonly string[] {
  const { sent, received, lost, duplicated, outOfOrder } = figures.frames[direction];
  return [nameOf(figures), ...[sent, received, lost, duplicated, outOfOrder].map(String)];
}

/** What the figures rest on: rows of the latency table, each with whose figure it is. */
function sayModelled({ vf }: DrillOptions, { modelled }: DrillResult): readonly string[] {
  if (modelled.length === 0) return [];
  const words = modelled.map(({ row, span, from }, i) => {
    const device = row.startsWith('vf.') ? vf : USUAL_SYNTHETIC;
    const source = from === 'device' ? device : from === 'scenario' ? 'scenario' : sourceOf(row);
    return `${row} ${formatDuration(span)} (${source})${i < modelled.length - 1 ? ',' : ''}`;
  });
  return ['modelled, not measured; from the latency table (netvsim list latency):', ...wrap(words), ''];
}

const sourceOf = (row: LatencyRow): string => (LATENCY[row].source === 'invented' ? 'invented' : 'table');

function wrap(words: readonly string[]): readonly string[] {
  const lines = [' '];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line.length + 1 + word.length <= LINE_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}

function sayWorst({ worst }: DrillResult): string {
  if (worst === undefined) return 'none: there was a path at every moment';
  return `${formatDuration(worst.span)} (${worst.nic}, ${worst.direction === 'tx' ? 'out' : 'in'}, at ${formatMoment(worst.from)} s)`;
}

function sayInvariants({ verdict }: DrillResult): string {
  const broken = new Set(verdict.failures.filter(({ kind }) => kind === 'invariant').map(({ what }) => what));
  return broken.size === 0 ? 'all held' : `broken: ${[...broken].join(', ')}`;
}
