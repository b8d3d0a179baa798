/** A drill's figures for people and dashboards. */
import { formatDuration, formatMoment } from '../base/time.ts';
import type { PhaseFigures } from '../drill/figures.ts';
import type { DrillOptions, DrillResult } from '../drill/firmware-update.ts';
import { formatFailure, VERDICT_WORDS } from '../scenario/verdict.ts';
import type { JunitCase } from './junit.ts';
import { formatTable } from './table.ts';

const HEAD = [
  'phase',
  'lasts',
  'path',
  'no path tx',
  'no path rx',
  'sent tx',
  'lost',
  'dup',
  'reordered',
  'sent rx',
  'lost',
  'dup',
  'reordered',
];

export function formatDrill(options: DrillOptions, result: DrillResult): string {
  const { order, gap, times, nics, guest, vf } = options;
  const what = `${guest}, ${nics} x ${vf}, ${order}, gap ${formatDuration(gap)}, ${times === 1 ? 'once' : `${times} times`}`;
  const word = VERDICT_WORDS[result.exit];
  const lines = [`${word}: firmware update (${what})`];
  for (const failure of result.verdict.failures) lines.push(`  ${formatMoment(failure.at)}  ${formatFailure(failure)}`);
  for (const over of result.overBudget) lines.push(`  over budget: ${over}`);
  if (result.verdict.limit !== undefined) lines.push(`  limit reached: ${result.verdict.limit}`);
  lines.push('', formatTable(HEAD, result.phases.map(rowOf)).trimEnd(), '', `worst gap: ${sayWorst(result)}`);
  lines.push(`frames lost: ${result.lost}`, `invariants: ${sayInvariants(result)}`, '');
  return lines.join('\n');
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

function rowOf(figures: PhaseFigures): readonly string[] {
  const { tx, rx } = figures.frames;
  const name = figures.rounds > 1 ? `${figures.phase} (${figures.rounds})` : figures.phase;
  const counts = [tx, rx].flatMap(({ sent, lost, duplicated, outOfOrder }) => [sent, lost, duplicated, outOfOrder]);
  return [
    name,
    formatDuration(figures.lasts),
    figures.paths.join(' > '),
    formatDuration(figures.without.tx),
    formatDuration(figures.without.rx),
    ...counts.map(String),
  ];
}

function sayWorst({ worst }: DrillResult): string {
  if (worst === undefined) return 'none: there was a path at every moment';
  return `${formatDuration(worst.span)} (${worst.nic} ${worst.direction}, at ${formatMoment(worst.from)} s)`;
}

function sayInvariants({ verdict }: DrillResult): string {
  const broken = new Set(verdict.failures.filter(({ kind }) => kind === 'invariant').map(({ what }) => what));
  return broken.size === 0 ? 'all held' : `broken: ${[...broken].join(', ')}`;
}
