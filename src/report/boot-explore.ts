/** What strikes into a real kernel have come to, in words: the verdict first, then the courses that the runs took. */
import { diffArrays } from 'diff';
import { inThousands } from './exploration.ts';

/** Something that was not as it has to be. */
export interface Found {
  /** The same for the same thing in other runs. */
  readonly key: string;
  readonly text: string;
}

/** One run of a scenario into which the host struck. */
export interface StrikeResult {
  /** Its notation: what runs it again. */
  readonly strike: string;
  readonly at: 'instruction' | 'message';
  /** Where that was, from the stretch's beginning on; `isLate`: the guest has not got to the point, and the stretch was over. */
  readonly struck: { readonly instructions: number; readonly time: number; readonly isLate: boolean } | undefined;
  readonly found: readonly Found[];
  /** What could be seen of it from outside, in its order. */
  readonly course: readonly string[];
  /** A hash of the guest's memory in the end, where it was asked for. */
  readonly memory?: string;
}

/** A stretch of a scenario into which the host struck. */
export interface ExploredStretch {
  readonly into: StepName;
  readonly action: StepName;
  /** How many instructions the guest executes in it. */
  readonly instructions: number;
  /** The scenario as it is. When that fails nothing is struck. */
  readonly usual: Pick<StrikeResult, 'found' | 'course'>;
  /** In the order of the strikes. */
  readonly results: readonly StrikeResult[];
  /** So many strikes were run again. */
  readonly repeated: number;
  /** Those that came to something else then. */
  readonly unlike: readonly string[];
}

export interface StepName {
  readonly line: number;
  readonly text: string;
}

export interface BootExploration {
  readonly stretches: readonly ExploredStretch[];
  readonly isInterrupted: boolean;
}

export interface BootExplorationHeader {
  readonly scenario: string;
  readonly guest: string;
  readonly seed: number;
  /** What a scenario asks for and the real kernel does not have, a line each. */
  readonly notes: readonly string[];
  /** The command that runs a strike again. */
  readonly again: (strike: string) => string;
}

/** Runs that were the same to whoever looks from outside, the first of them first. */
interface Course {
  readonly course: readonly string[];
  readonly found: readonly Found[];
  readonly strikes: readonly string[];
}

/** Whether something failed. */
export const isFailing = ({ stretches }: BootExploration): boolean =>
  stretches.some(({ usual, results, unlike }) => [usual, ...results].some(isFound) || unlike.length > 0);

/** For people. No time that it took stands in it: the same exploration gives the same text on every machine. */
export function formatBootExploration(header: BootExplorationHeader, exploration: BootExploration): string {
  const blocks = [
    [...sayVerdict(exploration), `  ${header.scenario} (${header.guest}, seed ${header.seed})`],
    header.notes.map((note) => `  here: ${note}`),
    ...exploration.stretches.flatMap((stretch) => describe(stretch, header)),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => `${line}\n`).join(''))
    .join('\n');
}

/** The courses of a stretch, the most frequent first, and those that fail before all others. */
export function coursesOf(results: readonly StrikeResult[]): readonly Course[] {
  const courses = new Map<string, { course: readonly string[]; found: readonly Found[]; strikes: string[] }>();
  for (const { course, found, strike } of results) {
    const key = JSON.stringify([course, found.map((each) => each.key)]);
    const known = courses.get(key);
    if (known === undefined) courses.set(key, { course, found, strikes: [strike] });
    else known.strikes.push(strike);
  }
  const failing = ({ found }: Course): number => (found.length > 0 ? 0 : 1);
  return [...courses.values()].sort((a, b) => failing(a) - failing(b) || b.strikes.length - a.strikes.length);
}

function sayVerdict(exploration: BootExploration): readonly string[] {
  const { stretches, isInterrupted } = exploration;
  const results = stretches.flatMap((stretch) => stretch.results);
  const strikes = sayCount(results.length, 'strike');
  const lines = stretches.flatMap(({ usual, action, unlike }) => [
    ...usual.found.map(({ text }) => `FAILS without any strike (line ${action.line}): ${text}`),
    ...unlike.map((strike) => `NOT THE SAME when it is run again, which is a bug of netvsim: ${strike}`),
  ]);
  const keys = [...new Set(results.flatMap(({ found }) => found.map(({ key }) => key)))];
  for (const key of keys) {
    const those = results.filter(({ found }) => found.some((each) => each.key === key));
    lines.push(`FAILS: ${key} in ${those.length} of ${strikes}`);
  }
  if (lines.length > 0) return lines;
  const courses = stretches.reduce((sum, stretch) => sum + coursesOf(stretch.results).length, 0);
  const word = isInterrupted ? 'INTERRUPTED: nothing was found in' : 'holds in';
  return [`${word} ${strikes}, ${sayCount(courses, 'different course')}`];
}

/** What was struck and how; a block each for the usual course and for those that the strikes led to. */
function describe(stretch: ExploredStretch, { again }: BootExplorationHeader): readonly (readonly string[])[] {
  const { into, action, instructions, usual, results, repeated, unlike } = stretch;
  const atMessages = results.filter(({ at }) => at === 'message').length;
  const late = results.filter(({ struck }) => struck?.isLate !== false).length;
  const courses = coursesOf(results);
  const head = [
    `line ${action.line}: ${action.text}`,
    `  struck within ${inThousands(instructions)} instructions behind line ${into.line}: ${into.text}`,
    `  ${sayCount(results.length, 'strike')}, ${atMessages} of them at messages; ${sayCount(courses.length, 'different course')}`,
    ...(late > 0 ? [`  ${late} at the end of the stretch: the guest did not get to their points`] : []),
    ...(repeated > 0 ? [`  ${repeated} run twice: ${unlike.length > 0 ? 'NOT ' : ''}the same memory in the end`] : []),
  ];
  return [
    head,
    ['  the scenario as it is:', ...usual.course.map((line) => `    ${line}`)],
    ...courses.map((course, i) => describeCourse(course, i + 1, usual.course, again)),
  ];
}

function describeCourse(
  { course, found, strikes }: Course,
  number: number,
  usual: readonly string[],
  again: BootExplorationHeader['again'],
): readonly string[] {
  return [
    `  course ${number}: ${sayCount(strikes.length, 'strike')}${found.length > 0 ? ', FAILS' : ''}`,
    ...found.map(({ text }) => `    FAILED: ${text.replaceAll('\n', '\n      ')}`),
    ...differences(usual, course),
    `    run it again: ${again(strikes[0] ?? '')}`,
  ];
}

/** What a course has and the usual one has not, and the other way round, with the line before it. */
function differences(usual: readonly string[], course: readonly string[]): readonly string[] {
  const parts = diffArrays([...usual], [...course]);
  if (parts.every(({ added, removed }) => !added && !removed)) return ['    as usual'];
  return parts.flatMap(({ value, added, removed }) => {
    if (added || removed) return value.map((line) => `    ${added ? '+' : '-'} ${line}`);
    return [`      ${value.length > 1 ? '... ' : ''}${value.at(-1) ?? ''}`];
  });
}

const isFound = ({ found }: { readonly found: readonly Found[] }): boolean => found.length > 0;

const sayCount = (count: number, what: string): string => `${inThousands(count)} ${what}${count === 1 ? '' : 's'}`;
