/** One line of a scenario: when, who, what. */
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import { FAMILIES, type GuestFamily } from '../machine/guests.ts';
import { foreignTo } from './own-words.ts';
import { readDuration } from './placeholder.ts';
import type { Problem } from './problem.ts';
import type { StepBody } from './step-body.ts';
import { farFrom, match, splitWords } from './usage.ts';
import type { Verb } from './verb.ts';
import { VERBS } from './verbs.ts';
import type { Names } from './vocabulary.ts';

export type When =
  /** `+20ms`: after the start of the step before. */
  | { readonly at: 'after'; readonly span: Nanoseconds }
  /** `=3s`: that long after the machine was switched on. */
  | { readonly at: 'moment'; readonly moment: Nanoseconds }
  /** `~5s`: blocks until it holds; fails when the time is over. */
  | { readonly at: 'within'; readonly limit: Nanoseconds };

export interface Step {
  readonly line: number;
  /** Who and what, as it was written, without the time. */
  readonly text: string;
  readonly when: When;
  /** `on linux`: only such a guest does it. */
  readonly only?: GuestFamily;
  readonly body: StepBody;
}

/** The step that one line holds, or what is wrong with it; undefined for an empty line or a comment. */
export function readStep(source: string, line: number, names: Names): Step | { readonly problem: string } | undefined {
  const text = withoutComment(source).trim();
  if (text === '') return undefined;
  const [, mark, span, rest = ''] = /^([+=~])(\S+)\s*(.*)$/.exec(text) ?? [];
  if (mark === undefined || span === undefined) {
    return { problem: `"${text}" does not say when: begin with +20ms (after the step before), =3s or ~5s (at most)` };
  }
  const time = readDuration(span);
  if ('problem' in time) return time;
  if (rest === '') return { problem: `"${text}" says when, but not what` };
  const { only, what, names: known } = readOnly(rest, names);
  const body = readBody(what, known);
  if ('problem' in body) return body;
  const foreign = only === undefined ? foreignTo(names, body) : undefined;
  if (foreign !== undefined) return { problem: foreign };
  if (mark === '~' && body.kind !== 'expect' && body.kind !== 'expect-errno') {
    return { problem: `"${mark}${span}" waits until something holds, so only expect can follow, not "${rest}"` };
  }
  const guest = only === undefined ? {} : { only };
  return { line, text: what, when: whenOf(mark, time.value), ...guest, body };
}

/** `on linux` before the rest of a line, which is read in the words of such a guest then. */
function readOnly(
  rest: string,
  names: Names,
): { readonly only?: GuestFamily; readonly what: string; readonly names: Names } {
  const [, word, what = ''] = /^on\s+(\S+)\s+(.*)$/.exec(rest) ?? [];
  const only = FAMILIES.find((family) => family === word);
  if (only === undefined) return { what: rest, names };
  return { only, what, names: { ...names, modules: names.guests[only].modules } };
}

/** Of a line that is too long. */
const SHOWN = 60;
/** No verb with all its names comes near; to look for the nearest one takes longer than anybody waits. Invented. */
const LONGEST = 2000;

/** What a line without its time does: also what a shell reads. */
export function readBody(text: string, names: Names): StepBody | { readonly problem: string } {
  if (text.length > LONGEST) return { problem: `no step has ${text.length} characters: ${text.slice(0, SHOWN)} ...` };
  const words = splitWords(text);
  if (words === undefined) return { problem: `a quote is not closed: ${text}` };
  for (const verb of VERBS) {
    const found = match(verb.elements, words);
    if (found !== undefined) return verb.read(found, names);
  }
  return { problem: `no step reads "${text}"; nearest: ${nearestVerb(words).usage}` };
}

/** The steps of a program that makes its scenario itself: a line that does not read is its own mistake. */
export function stepsFrom(lines: readonly string[], names: Names): readonly Step[] | Problem {
  const steps: Step[] = [];
  let known = names;
  for (const [i, source] of lines.entries()) {
    const step = readStep(source, i + 1, known);
    if (step === undefined) continue;
    if ('problem' in step) return { file: 'steps', line: i + 1, message: step.problem };
    steps.push(step);
    known = behind(step, known);
  }
  return steps;
}

/** The names that the next line can use: a flow is known from the step on that starts it. */
export function behind({ only, body }: Step, names: Names): Names {
  if (body.kind === 'start-flow') return { ...names, flows: [...names.flows, body.flow.name] };
  if (body.kind !== 'guest' || (only !== undefined && only !== names.guest?.is)) return names;
  return { ...names, lastGuestLine: body.mayFail === true ? 'try' : 'must' };
}

/** The line as a scenario has it. */
export function formatStep(step: Step): string {
  const { when, only, text } = step;
  const span = when.at === 'after' ? when.span : when.at === 'moment' ? when.moment : when.limit;
  const mark = when.at === 'after' ? '+' : when.at === 'moment' ? '=' : '~';
  return `${mark}${formatDuration(span).replace(' ', '')} ${only === undefined ? '' : `on ${only} `}${text}`;
}

function nearestVerb(words: readonly string[]): Verb {
  let best = VERBS[0] as Verb;
  let least = Number.POSITIVE_INFINITY;
  for (const verb of VERBS) {
    const far = farFrom(verb.elements, words);
    if (far < least) {
      best = verb;
      least = far;
    }
  }
  return best;
}

function whenOf(mark: string, time: Nanoseconds): When {
  if (mark === '+') return { at: 'after', span: time };
  return mark === '=' ? { at: 'moment', moment: time } : { at: 'within', limit: time };
}

/** A comment begins with `#` at the start of a line or behind a space, outside of quotes. */
function withoutComment(line: string): string {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') quoted = !quoted;
    if (line[i] === '#' && !quoted && (i === 0 || /\s/.test(line[i - 1] ?? ''))) return line.slice(0, i);
  }
  return line;
}
