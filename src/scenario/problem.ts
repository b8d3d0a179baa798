/** What is wrong with a text that somebody wrote, and where: the same shape for scenarios, schedules and flags. */
import { closest, distance } from 'fastest-levenshtein';

export interface Problem {
  readonly file: string;
  /** Counted from one; undefined when the file as a whole is meant. */
  readonly line: number | undefined;
  readonly message: string;
}

/** `file.yaml:12: no step reads ...`, as editors and terminals make links of it. */
export function formatProblem(problem: Problem): string {
  const where = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return printable(`${where}: ${problem.message}`);
}

const LONGEST_LINE = 700;

/** Of what strangers wrote, only what a terminal shows on one line: no control characters, and not a whole file. */
export function printable(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, '?');
  return plain.length <= LONGEST_LINE ? plain : `${plain.slice(0, LONGEST_LINE)} ...`;
}

/** Behind it the search for near names takes longer than anybody waits. */
const LONGEST_NAME = 200;

/** `; nearest: mlx5`, or what there is to choose from when nothing is near. */
export function nearest(word: string, choices: readonly string[]): string {
  if (choices.length === 0) return '; there is none';
  if (word.length > LONGEST_NAME) return `; there is ${choices.join(', ')}`;
  const best = closest(word, choices);
  if (distance(word, best) <= Math.max(2, Math.floor(word.length / 2))) return `; nearest: ${best}`;
  return `; there is ${choices.join(', ')}`;
}

/** The complaint about a name that nobody knows: `no NIC is called "nic2"; nearest: nic1`. */
export function unknownName(what: string, word: string, choices: readonly string[]): string {
  return `no ${what} is called "${word}"${nearest(word, choices)}`;
}
