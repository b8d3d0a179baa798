/**
 * A comparison of two runs of a scenario, on the modelled guest and on a real kernel: what the two did, channel by
 * channel. For people: the verdict first, then two columns a channel, each difference with the explanation that there is
 * for it, and last those that have none.
 */
import { paint } from './timeline.ts';

/** A difference that is known, and why it is none to worry about. */
export interface Explanation {
  readonly id: string;
  readonly reason: string;
  /** Where that can be read. */
  readonly source: string;
}

/** One line of a channel. `moved`: both have it, and not at the same place; it stands once on either side. */
export type Row =
  | { readonly kind: 'same'; readonly text: string }
  | Differing<{ readonly kind: 'changed'; readonly model: string; readonly real: string }>
  | Differing<{ readonly kind: 'model' | 'real'; readonly text: string }>
  | Differing<{ readonly kind: 'moved'; readonly side: 'model' | 'real'; readonly text: string }>;

type Differing<T> = T & { readonly explained: Explanation | undefined };

export type Difference = Exclude<Row, { readonly kind: 'same' }>;

/** What was seen in one place: the messages of a protocol, or what the guest's registry told. */
export interface ChannelComparison {
  /** Empty for what is about the machine as a whole. */
  readonly nic: string;
  readonly channel: string;
  readonly rows: readonly Row[];
}

/** How a run of the scenario itself ended. */
export interface ComparedRun {
  /** The profile, or the release of the kernel. */
  readonly guest: string;
  readonly exit: number;
  /** What failed, a line each. */
  readonly failures: readonly string[];
}

export interface Comparison {
  readonly scenario: string;
  readonly model: ComparedRun;
  readonly real: ComparedRun;
  /** What of the scenario could not be compared, a line each. */
  readonly notes: readonly string[];
  readonly channels: readonly ChannelComparison[];
}

export interface CompareStyle {
  /** Only for terminals. */
  readonly colour: boolean;
  /** Of a line. */
  readonly width: number;
}

export const isDifference = (row: Row): row is Difference => row.kind !== 'same';

/** Those that have no explanation, with where they are. */
export function unexplained({ channels }: Comparison): readonly { readonly where: string; readonly row: Difference }[] {
  return channels.flatMap((one) =>
    one.rows
      .filter(isDifference)
      .filter(({ explained }) => explained === undefined)
      .map((row) => ({ where: nameOf(one), row })),
  );
}

/** Whether both runs held, and all differences are explained. */
export const agrees = (comparison: Comparison): boolean =>
  comparison.model.exit === 0 && comparison.real.exit === 0 && unexplained(comparison).length === 0;

export function formatComparison(comparison: Comparison, style: CompareStyle): string {
  const lines = [
    ...verdictLines(comparison, style),
    ...comparison.channels.flatMap((one) => channelLines(one, style)),
    ...explanationLines(comparison),
    ...unexplainedLines(comparison, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const [RED, GREEN, DIM, BOLD] = ['31', '32', '2', '1'];
/** In the middle between the two columns: what kind of difference it is. */
const MARKS: Readonly<Record<Row['kind'], string>> = { same: ' ', changed: '~', model: '<', real: '>', moved: '%' };
/** Lines that are the same on both sides of a difference. */
const AROUND = 2;

const count = (rows: readonly Row[], of: (row: Row) => boolean): number => rows.filter(of).length;

function verdictLines(comparison: Comparison, { colour }: CompareStyle): readonly string[] {
  const { scenario, model, real, notes, channels } = comparison;
  const rows = channels.flatMap((one) => one.rows);
  const [same, differ, open] = [
    count(rows, (row) => !isDifference(row)),
    count(rows, isDifference),
    unexplained(comparison).length,
  ];
  const holds = agrees(comparison);
  const word = paint(holds ? 'agrees' : 'DIFFERS', holds ? GREEN : RED, colour);
  const explained = open === 0 ? 'all explained' : `${open} not explained`;
  const failures = [model, real].flatMap((run) => run.failures.map((line) => `  ${run.guest}: ${line}`));
  return [
    `${word}: ${scenario} (${model.guest} and ${real.guest}: ${same} lines the same, ${differ} differ, ${explained})`,
    ...failures.map((line) => paint(line, RED, colour)),
    ...notes.map((line) => `  note: ${line}`),
  ];
}

const nameOf = ({ nic, channel }: ChannelComparison): string => (nic === '' ? channel : `${nic} ${channel}`);

function channelLines(one: ChannelComparison, style: CompareStyle): readonly string[] {
  const same = count(one.rows, (row) => !isDifference(row));
  const head = `${nameOf(one)}: ${same} the same, ${one.rows.length - same} differ`;
  const lines = ['', paint(head, BOLD, style.colour)];
  let hidden = 0;
  for (const [i, row] of one.rows.entries()) {
    const isNear = one.rows.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(isDifference);
    if (!isNear) {
      hidden++;
      continue;
    }
    if (hidden > 0) lines.push(more(hidden, style));
    hidden = 0;
    lines.push(rowLine(row, style));
  }
  if (hidden > 0 && hidden < one.rows.length) lines.push(more(hidden, style));
  return lines;
}

const more = (hidden: number, { colour }: CompareStyle): string => paint(`  ... ${hidden} the same`, DIM, colour);

/** Beside the two columns: margin, mark, and room for the name of an explanation. */
const BESIDE = 28;

function rowLine(row: Row, { colour, width }: CompareStyle): string {
  const column = Math.floor((width - BESIDE) / 2);
  const [left, right] = sides(row);
  const note = !isDifference(row) ? '' : row.explained === undefined ? 'NOT EXPLAINED' : `[${row.explained.id}]`;
  const line = `  ${cut(left, column)} ${MARKS[row.kind]} ${cut(right, column)} ${note}`.trimEnd();
  const isOpen = isDifference(row) && row.explained === undefined;
  return paint(line, isOpen ? RED : isDifference(row) ? '0' : DIM, colour);
}

function sides(row: Row): readonly [string, string] {
  switch (row.kind) {
    case 'same':
      return [row.text, row.text];
    case 'changed':
      return [row.model, row.real];
    case 'moved':
      return row.side === 'model' ? [row.text, ''] : ['', row.text];
    default:
      return row.kind === 'model' ? [row.text, ''] : ['', row.text];
  }
}

const cut = (text: string, width: number): string =>
  (text.length > width ? `${text.slice(0, width - 1)}~` : text).padEnd(width);

function explanationLines({ channels }: Comparison): readonly string[] {
  const used = new Map<string, { readonly explanation: Explanation; times: number }>();
  for (const { explained } of channels.flatMap((one) => one.rows.filter(isDifference))) {
    if (explained === undefined) continue;
    const entry = used.get(explained.id) ?? { explanation: explained, times: 0 };
    entry.times++;
    used.set(explained.id, entry);
  }
  if (used.size === 0) return [];
  const lines = [...used.values()].map(
    ({ explanation: { id, reason, source }, times }) => `  [${id}] ${times}x: ${reason} (${source})`,
  );
  return ['', 'explained:', ...lines];
}

function unexplainedLines(comparison: Comparison, { colour }: CompareStyle): readonly string[] {
  const open = unexplained(comparison);
  if (open.length === 0) return [];
  const lines = open.map(({ where, row }) => `  ${where}: ${words(row)}`);
  return ['', ...['NOT EXPLAINED:', ...lines].map((line) => paint(line, RED, colour))];
}

function words(row: Difference): string {
  switch (row.kind) {
    case 'changed':
      return `the model has "${row.model}", and the real kernel "${row.real}"`;
    case 'moved':
      return `the ${row.side === 'model' ? 'model' : 'real kernel'} has at another place: ${row.text}`;
    default:
      return `only the ${row.kind === 'model' ? 'model' : 'real kernel'}: ${row.text}`;
  }
}
