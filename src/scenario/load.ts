/** A scenario from the text of its file: everything that can be known to be wrong before it runs is said here, at once. */
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Result } from '../base/result.ts';
import { HEADER, type Header, keysAt } from './header.ts';
import { checkMeaning, planOf, type Where } from './meaning.ts';
import { nearest, type Problem } from './problem.ts';
import type { Scenario } from './scenario.ts';
import { readStep, type Step, withFlowOf } from './step.ts';
import type { Names, Vocabulary } from './vocabulary.ts';

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
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    return failed(syntax.map((error) => ({ file, line: lineAt(error.pos[0]), message: explain(error.message) })));
  }
  const where = placesIn(document, lineAt);
  const plain = toPlain(document);
  if ('problem' in plain) return failed([{ file, line: 1, message: plain.problem }]);
  const parsed = HEADER.safeParse(plain.value);
  if (!parsed.success) {
    return failed(parsed.error.issues.flatMap((issue) => explainIssue(issue, plain.value, where, file)));
  }
  return fromHeader(parsed.data, document, { file, where, vocabulary, overrides });
}

const failed = (problems: readonly Problem[]): Result<never, readonly Problem[]> => ({ ok: false, error: problems });

interface Source {
  readonly file: string;
  readonly where: Where;
  readonly vocabulary: Vocabulary;
  readonly overrides: Overrides;
}

function fromHeader(header: Header, document: Document, source: Source): Result<Scenario, readonly Problem[]> {
  const { file, where, vocabulary, overrides } = source;
  const names: Names = {
    ...vocabulary,
    nics: Object.keys(header.nics),
    nicsWithVf: Object.keys(header.nics).filter((name) => header.nics[name]?.vf !== undefined),
    flows: [],
    observers: header.user ?? [],
  };
  const problems: Problem[] = checkMeaning(header, overrides, vocabulary, where).map((found) => ({ file, ...found }));
  const { steps, wrong } = readSteps(document, where, names);
  problems.push(...wrong.map((found) => ({ file, ...found })));
  if (problems.length > 0) return failed(problems);
  return { ok: true, value: { ...planOf(header, overrides, vocabulary), steps } };
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
    // The text of a literal block begins on the line behind its `|`.
    const line = first + 1 + i;
    const step = readStep(source, line, known);
    if (step === undefined) continue;
    if ('problem' in step) {
      wrong.push({ line, message: step.problem });
      continue;
    }
    steps.push(step);
    known = withFlowOf(step, known);
  }
  if (steps.length === 0 && wrong.length === 0) wrong.push({ line: first, message: 'steps has no step' });
  return { steps, wrong };
}

/** Finds the line of a key (not of its value) by the path to it; of the last part that is there. */
function placesIn(document: Document, lineAt: (offset: number) => number): Where {
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

function partOf(
  node: unknown,
  key: PropertyKey,
): { readonly offset: number | undefined; readonly node: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return isNode(item) ? { offset: item.range?.[0], node: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
  return pair !== undefined && isScalar(pair.key) ? { offset: pair.key.range?.[0], node: pair.value } : undefined;
}

function toPlain(document: Document): { readonly value: unknown } | { readonly problem: string } {
  if (!isMap(document.contents))
    return { problem: 'is no scenario: a file of "key: value" lines that begins with name:' };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { problem: `is no scenario: ${(error as Error).message}` };
  }
}

/** Several lines of a syntax error as one. */
function explain(message: string): string {
  const line = message.split('\n')[0] ?? message;
  return line === 'Map keys must be unique' ? 'the same key stands twice in one mapping' : `is no YAML: ${line}`;
}

function explainIssue(issue: z.core.$ZodIssue, value: unknown, where: Where, file: string): readonly Problem[] {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
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

function sayIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'invalid_type':
      return `must be ${issue.expected === 'record' || issue.expected === 'object' ? 'a mapping' : issue.expected === 'array' ? 'a list' : `of type ${issue.expected}`}`;
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
