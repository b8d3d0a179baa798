/** A scenario from the text of its file: everything that can be known to be wrong before it runs is said here, at once. */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import type { Result } from '../base/result.ts';
import { GUESTS } from '../machine/guests.ts';
import { HEADER, type Header, keysAt } from './header.ts';
import { checkMeaning, planOf, type Where } from './meaning.ts';
import { nearest, type Problem } from './problem.ts';
import { type Scenario, USUAL_GUEST } from './scenario.ts';
import { behind, readStep, type Step } from './step.ts';
import { familyIn, type Names, type Vocabulary } from './vocabulary.ts';

/** What the command line says instead of the file. */
export interface Overrides {
  readonly guest?: string | undefined;
  readonly transport?: 'direct' | 'bytes' | undefined;
}

/** Reads the text of one scenario file. `file` is only for the messages. */
export function loadScenario(
  text: string,
  file: string,
  vocabulary: Vocabulary,
  overrides: Overrides = {},
): Result<Scenario, readonly Problem[]> {
  const lines = new LineCounter();
  // Its own search for keys that stand twice compares each with each: a long file would take for ever.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
  const document = parseDocument(text, options);
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    return failed(syntax.map((error) => ({ file, line: lineAt(error.pos[0]), message: explain(error) })));
  }
  const twice = keysThatStandTwice(document.contents);
  if (twice.length > 0) {
    const message = 'the same key stands twice in one mapping';
    return failed(twice.map((offset) => ({ file, line: lineAt(offset), message })));
  }
  const where = placesIn(document, lineAt);
  const plain = toPlain(document);
  if ('problem' in plain) return failed([{ file, line: 1, message: plain.problem }]);
  const parsed = HEADER.safeParse(plain.value);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, MOST_PROBLEMS);
    return failed(issues.flatMap((issue) => explainIssue(issue, plain.value, where, file)));
  }
  return fromHeader(parsed.data, document, { file, where, vocabulary, overrides });
}

/** More would scroll away what has to be mended first. */
const MOST_PROBLEMS = 20;

/** Each problem once, and not all of them where there are very many. */
function failed(problems: readonly Problem[]): Result<never, readonly Problem[]> {
  const different = new Map(problems.map((problem) => [`${problem.line}:${problem.message}`, problem]));
  const error = [...different.values()].slice(0, MOST_PROBLEMS);
  if (different.size > MOST_PROBLEMS) {
    error.push({ file: error[0]?.file ?? '', line: undefined, message: 'and more of that kind; mend these first' });
  }
  return { ok: false, error };
}

interface Source {
  readonly file: string;
  readonly where: Where;
  readonly vocabulary: Vocabulary;
  readonly overrides: Overrides;
}

function fromHeader(header: Header, document: Document, source: Source): Result<Scenario, readonly Problem[]> {
  const { file, where, vocabulary, overrides } = source;
  const { problem, guest } = guestOf(header, source);
  if (problem !== undefined) return failed([{ file, ...problem }]);
  const names: Names = {
    ...vocabulary,
    guest,
    nics: Object.keys(header.nics),
    nicsWithVf: Object.keys(header.nics).filter((name) => header.nics[name]?.vf !== undefined),
    flows: [],
    observers: header.user ?? [],
  };
  const problems: Problem[] = checkMeaning(header, overrides, vocabulary, guest.is, where).map((found) => ({
    file,
    ...found,
  }));
  const { steps, wrong } = readSteps(document, where, names);
  problems.push(...wrong.map((found) => ({ file, ...found })));
  if (problems.length > 0) return failed(problems);
  const own = steps.filter(({ only }) => only === undefined || only === guest.is);
  return { ok: true, value: { ...planOf(header, overrides, vocabulary, guest.is), steps: own } };
}

type OnGuest = NonNullable<Names['guest']>;

/**
 * The family that it runs on, and the one that it was written for: that of its own `guest:`, which binds it, or of the
 * usual one.
 */
function guestOf(
  header: Header,
  { overrides, vocabulary, where }: Source,
): { readonly guest: OnGuest; readonly problem?: Found } {
  const own = header.guest ?? USUAL_GUEST;
  const has = (profile: string): boolean => vocabulary.profiles.includes(profile);
  const writtenFor = familyIn(vocabulary, has(own) ? own : USUAL_GUEST);
  const wanted = overrides.guest ?? own;
  const is = has(wanted) ? familyIn(vocabulary, wanted) : writtenFor;
  const guest = { is, writtenFor };
  if (header.guest === undefined || is === writtenFor) return { guest };
  const message = `it is about ${GUESTS[writtenFor].title} (guest: ${header.guest}), and ${wanted} is none`;
  return { guest, problem: { line: where(['guest']), message } };
}

type Found = Omit<Problem, 'file'>;

function readSteps(
  document: Document,
  where: Where,
  names: Names,
): { readonly steps: readonly Step[]; readonly wrong: readonly Found[] } {
  const node = document.get('steps', true);
  const first = where(['steps']);
  if (!isScalar(node) || node.type !== 'BLOCK_LITERAL') {
    return {
      steps: [],
      wrong: [{ line: first, message: 'steps is no block of lines: write "steps: |" and a line each' }],
    };
  }
  const steps: Step[] = [];
  const wrong: Found[] = [];
  let known = names;
  for (const [i, source] of String(node.value).split('\n').entries()) {
    if (wrong.length > MOST_PROBLEMS) break;
    // The text of a literal block begins on the line behind its `|`.
    const line = first + 1 + i;
    const step = readStep(source, line, known);
    if (step === undefined) continue;
    if ('problem' in step) {
      wrong.push({ line, message: step.problem });
      continue;
    }
    steps.push(step);
    known = behind(step, known);
  }
  if (steps.length === 0 && wrong.length === 0) wrong.push({ line: first, message: 'steps has no step' });
  return { steps, wrong };
}

/** How deep the mappings of a scenario lie: the header, `nics`, one NIC. */
const DEEPEST = 3;

function keysThatStandTwice(node: unknown, depth = 1): readonly number[] {
  if (!isMap(node) || depth > DEEPEST) return [];
  const seen = new Set<string>();
  return node.items.flatMap(({ key, value }) => {
    const below = keysThatStandTwice(value, depth + 1);
    if (!isScalar(key)) return below;
    const name = String(key.value);
    const again = seen.has(name);
    seen.add(name);
    return again ? [key.range?.[0] ?? 0, ...below] : below;
  });
}

/** Finds the line of a key (not of its value) by the path to it; of the last part that is there. */
function placesIn(document: Document, lineAt: (offset: number) => number): Where {
  const pairs = new WeakMap<object, ReadonlyMap<string, Part>>();
  const partOf = (node: unknown, key: PropertyKey): Part | undefined => {
    if (isSeq(node)) {
      const item = node.items[Number(key)];
      return isNode(item) ? { offset: item.range?.[0], node: item } : undefined;
    }
    if (!isMap(node)) return undefined;
    const known = pairs.get(node) ?? partsOf(node);
    pairs.set(node, known);
    return known.get(String(key));
  };
  return (path) => {
    let offset = 0;
    let node: unknown = document.contents;
    for (const key of path) {
      const part = partOf(node, key);
      if (part === undefined) break;
      offset = part.offset ?? offset;
      node = part.node;
    }
    return lineAt(offset);
  };
}

/** What stands behind a key, and where the key does. */
interface Part {
  readonly offset: number | undefined;
  readonly node: unknown;
}

function partsOf(map: YAMLMap): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  for (const { key, value } of map.items) {
    if (isScalar(key)) parts.set(String(key.value), { offset: key.range?.[0], node: value });
  }
  return parts;
}

function toPlain(document: Document): { readonly value: unknown } | { readonly problem: string } {
  if (!isMap(document.contents))
    return { problem: 'is no scenario: a file of "key: value" lines that begins with name:' };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { problem: `is no scenario: ${explainText((error as Error).message)}` };
  }
}

function explain(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a second YAML document begins here; a scenario is one';
  return `is no YAML: ${explainText(error.message)}`;
}

/** Several lines as one, in words for those who do not know the parser. */
function explainText(message: string): string {
  if (message.startsWith('Maximum call stack')) return 'it is nested too deeply';
  if (message.startsWith('Excessive alias count')) return 'its aliases (*name) repeat too much';
  return message.split('\n')[0] ?? message;
}

function explainIssue(issue: z.core.$ZodIssue, value: unknown, where: Where, file: string): readonly Problem[] {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MOST_PROBLEMS + 1).map((key) => ({
      file,
      line: where([...issue.path, key]),
      message: `${at === '' ? 'a scenario' : at} has no "${key}"${nearest(key, keysAt(issue.path))}`,
    }));
  }
  const given = valueAt(value, issue.path);
  const message =
    given === undefined ? `${at} is missing` : given === null ? `${at} is empty` : `${at}: ${sayIssue(issue)}`;
  return [{ file, line: where(issue.path), message }];
}

const KINDS: Readonly<Record<string, string>> = {
  record: 'a mapping',
  object: 'a mapping',
  array: 'a list',
  string: 'a text (a number that is meant as one stands in quotes)',
  number: 'a number',
  int: 'a whole number',
};

function sayIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    default:
      return issue.message;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}
