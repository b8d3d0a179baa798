/** Orders of events as the text of a file, which says what it is an order of, and whether it was changed since. */
import { type Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { fnv1a } from '../base/fnv.ts';
import type { Result } from '../base/result.ts';
import type { Problem } from '../scenario/problem.ts';
import { AS_USUAL, formatChoices, type Identity, parseChoices, type Schedule, stepsOf } from './schedule.ts';

const FORMAT_VERSION = 2;
const LINE_WIDTH = 100;

const hash = z.string().regex(/^[0-9a-f]{16}$/);

const FILE = z.strictObject({
  'netvsim-schedule': z.literal(FORMAT_VERSION),
  scenario: z.string().min(1),
  file: z.string().min(1),
  guest: z.string().min(1),
  without: z.array(z.string().min(1)),
  transport: z.enum(['direct', 'bytes']),
  time: z.enum(['idle', 'any']),
  fingerprint: hash,
  finds: z.array(z.string().min(1)),
  choices: z.string(),
  steps: z.int().min(0),
  /** Of all lines before it. Stands last: a file that was cut off has none, and one that was edited a wrong one. */
  check: hash,
});

export function formatSchedule(schedule: Schedule): string {
  const { scenario, file, guest, without, transport, time, fingerprint, finds, choices } = schedule;
  const body = [
    `netvsim-schedule: ${FORMAT_VERSION}`,
    `scenario: ${JSON.stringify(scenario)}`,
    `file: ${JSON.stringify(file)}`,
    `guest: ${guest}`,
    `without: ${JSON.stringify(without)}`,
    `transport: ${transport}`,
    `time: ${time}`,
    `fingerprint: "${fingerprint}"`,
    `finds: ${JSON.stringify(finds)}`,
    'choices: >-',
    ...wrapped(formatChoices(choices)).map((line) => `  ${line}`),
    `steps: ${stepsOf(choices)}`,
    '',
  ].join('\n');
  return `${body}check: "${fnv1a(body)}"\n`;
}

function wrapped(text: string): readonly string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** The schedule in the text of a file, or what is wrong with it. `edited`: one that was changed by hand will do. */
export function parseSchedule(
  text: string,
  file: string,
  { edited = false }: { readonly edited?: boolean } = {},
): Result<Schedule, readonly Problem[]> {
  const wrong = (message: string): Result<never, readonly Problem[]> => ({
    ok: false,
    error: [{ file, line: undefined, message }],
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
  if (!parsed.success) return wrong(`is cut off or damaged: ${explain(parsed.error.issues[0])}`);
  const { data } = parsed;
  const choices = parseChoices(data.choices);
  if ('odd' in choices) return wrong(`"${choices.odd}" is no choice such as netvsc_probe*7 or ?tie=1`);
  if (choices.some((choice) => 'times' in choice && choice.context === AS_USUAL)) {
    return wrong('says that something goes on as usual, and not who: a whole order names everybody');
  }
  const problem = edited ? undefined : whatWasChanged(text, stepsOf(choices), data);
  if (problem !== undefined) return wrong(problem);
  const { scenario, guest, without, transport, time, fingerprint, finds } = data;
  return {
    ok: true,
    value: { scenario, file: data.file, guest, without, transport, time, fingerprint, finds, choices },
  };
}

function whatWasChanged(
  text: string,
  steps: number,
  { steps: noted, check }: { readonly steps: number; readonly check: string },
): string | undefined {
  if (steps < noted) return `is cut off: ${steps} of ${noted} steps are there`;
  if (steps > noted) return `was edited: it has ${steps} steps, and says ${noted}`;
  if (fnv1a(text.replace(/^check:.*\n?$/m, '')) === check) return undefined;
  return 'was edited: its last line does not fit the others';
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
export function mismatch(schedule: Schedule, run: Identity): string | undefined {
  for (const key of ['scenario', 'guest', 'transport'] as const) {
    if (schedule[key] !== run[key]) return `is an order of ${key} "${schedule[key]}", not of "${run[key]}"`;
  }
  const [theirs, ours] = [schedule, run].map(({ without }) => [...without].sort().join(', ') || 'no fix');
  if (theirs !== ours) return `is an order of a guest without ${theirs}, not without ${ours}`;
  if (schedule.fingerprint === run.fingerprint) return undefined;
  return 'the scenario was changed since this order was written: its machine, its steps or its invariants differ';
}
