/**
 * An order of events as a file: who ran at each step, `netvsc_probe*7 host.nic1*3 ...`, and what was chosen where the
 * model leaves a value open, `?tie=1`. It names the scenario, guest and transport that it is an order of.
 */
import { type Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Result } from '../base/result.ts';
import type { Problem } from '../scenario/problem.ts';

/** One entry: somebody runs so many steps in a row, or a value is chosen. */
export type Choice =
  | { readonly context: string; readonly times: number }
  | { readonly why: string; readonly value: number };

export interface Schedule {
  readonly scenario: string;
  readonly guest: string;
  readonly transport: string;
  readonly choices: readonly Choice[];
}

const FORMAT_VERSION = 1;
const LINE_WIDTH = 100;

const FILE = z.strictObject({
  'netvsim-schedule': z.literal(FORMAT_VERSION),
  scenario: z.string().min(1),
  guest: z.string().min(1),
  transport: z.string().min(1),
  choices: z.string(),
  /** Stands last: a file that was cut off has none, or a wrong one. */
  steps: z.int().min(0),
});

export function formatSchedule(schedule: Schedule): string {
  const words = schedule.choices.map(formatChoice);
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const { scenario, guest, transport } = schedule;
  return [
    `netvsim-schedule: ${FORMAT_VERSION}`,
    `scenario: ${JSON.stringify(scenario)}`,
    `guest: ${guest}`,
    `transport: ${transport}`,
    'choices: >-',
    ...lines.map((line) => `  ${line}`),
    `steps: ${stepsOf(schedule.choices)}`,
    '',
  ].join('\n');
}

/** The schedule in the text of a file, or what is wrong with it. */
export function parseSchedule(text: string, file: string): Result<Schedule, readonly Problem[]> {
  const wrong = (message: string, line?: number): Result<never, readonly Problem[]> => ({
    ok: false,
    error: [{ file, line, message }],
  });
  const document = parseDocument(text, { prettyErrors: false });
  if (!isMap(document.contents) || !document.has('netvsim-schedule')) return wrong('is no netvsim schedule');
  if (document.errors.length > 0) return wrong('is cut off or damaged');
  const plain = toPlain(document);
  if (plain === undefined) return wrong('is cut off or damaged');
  const version = plain['netvsim-schedule'];
  if (version !== FORMAT_VERSION) {
    if (version === null) return wrong('is cut off or damaged');
    if (typeof version !== 'number') return wrong('is cut off or damaged: its first line names no format version');
    return wrong(`is of format version ${version}; this netvsim reads version ${FORMAT_VERSION}`);
  }
  const parsed = FILE.safeParse(plain);
  if (!parsed.success) {
    return wrong(`is cut off or damaged: ${explain(parsed.error.issues[0])}`);
  }
  const choices: Choice[] = [];
  for (const word of parsed.data.choices.split(/\s+/).filter((part) => part !== '')) {
    const choice = parseChoice(word);
    if (choice === undefined) return wrong(`"${word}" is no choice such as netvsc_probe*7 or ?tie=1`);
    choices.push(choice);
  }
  const steps = stepsOf(choices);
  const { steps: noted } = parsed.data;
  if (steps < noted) return wrong(`is cut off: ${steps} of ${noted} steps are there`);
  if (steps > noted) return wrong(`was changed: it has ${steps} steps, and says ${noted}`);
  const { scenario, guest, transport } = parsed.data;
  return { ok: true, value: { scenario, guest, transport, choices } };
}

/** Undefined when it holds what no schedule holds: an alias. */
function toPlain(document: Document): Readonly<Record<string, unknown>> | undefined {
  try {
    return document.toJS({ maxAliasCount: 0 }) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') return `a schedule has no "${issue.keys[0]}"`;
  return `its ${issue?.path.join('.')} is missing, or of the wrong kind`;
}

/** What the schedule is an order of, compared with what is to be run; undefined when it fits. */
export function mismatch(
  schedule: Schedule,
  run: { readonly scenario: string; readonly guest: string; readonly transport: string },
): string | undefined {
  for (const key of ['scenario', 'guest', 'transport'] as const) {
    if (schedule[key] !== run[key]) return `is an order of ${key} "${schedule[key]}", not of "${run[key]}"`;
  }
  return undefined;
}

/** One more step of a context, behind an order. */
export function addStep(order: Choice[], context: string): void {
  const before = order[order.length - 1];
  if (before !== undefined && 'times' in before && before.context === context) {
    order[order.length - 1] = { context, times: before.times + 1 };
  } else {
    order.push({ context, times: 1 });
  }
}

const stepsOf = (choices: readonly Choice[]): number =>
  choices.reduce((sum, choice) => sum + ('times' in choice ? choice.times : 0), 0);

function formatChoice(choice: Choice): string {
  if ('why' in choice) return `?${escapeName(choice.why)}=${choice.value}`;
  return choice.times === 1 ? escapeName(choice.context) : `${escapeName(choice.context)}*${choice.times}`;
}

function parseChoice(word: string): Choice | undefined {
  const value = /^\?([^?*=]+)=(\d{1,15})$/.exec(word);
  if (value !== null) return { why: unescapeName(value[1] ?? ''), value: Number(value[2]) };
  const run = /^([^?*=]+)(?:\*([1-9]\d{0,14}))?$/.exec(word);
  return run === null ? undefined : { context: unescapeName(run[1] ?? ''), times: Number(run[2] ?? 1) };
}

/** What has a meaning of its own in a schedule or in YAML is written as `%20`. */
function escapeName(name: string): string {
  return name.replace(/[\s%?*=#:"'&!|>@`{}[\],]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescapeName(word: string): string {
  return word.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
