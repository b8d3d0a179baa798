/** `netvsim explain`: what a name means, whatever kind of name it is, and for invariants and fixes all there is to say. */
import type { Command } from 'commander';
import { distance } from 'fastest-levenshtein';
import { type FixRow, fixOf, GUESTS, type GuestFamily } from '../machine/guests.ts';
import { asJson } from '../report/json.ts';
import { coveredBy, JUDGED_ELSEWHERE, LEFT_OUT, NUMBERS } from '../scenario/invariants/coverage.ts';
import type { Invariant } from '../scenario/invariants/invariant.ts';
import { INVARIANTS } from '../scenario/invariants/invariants.ts';
import { explainIfindex } from './explain-ifindex.ts';
import { InputError } from './input-error.ts';
import { SECTIONS } from './list.ts';
import { print, wrap } from './terminal.ts';

/** What is said of a name. */
interface Explanation {
  readonly name: string;
  /** What kind of name it is: `invariants`, as `netvsim list` calls it. */
  readonly kind: string;
  readonly meaning: string;
  readonly details: Details;
}

/** What else there is to say, by these heads and in this order. */
const HEADS = {
  why: 'why',
  numbers: 'numbers',
  source: 'source',
  races: 'known races',
  fixes: 'fixes',
  commit: 'commit',
  guests: 'guests with it',
  guestsWithout: 'guests without it',
  invariants: 'invariants',
  notOn: 'does not bind',
} as const;

type Details = { readonly [H in keyof typeof HEADS]?: string | readonly string[] };

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('say what a name means and where it comes from: an invariant, a fix, a verb, anything that list shows')
    .argument('<name...>', 'the name, or the first words of a verb; INV-V1 and D-01 are numbers of the reference')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netvsim explain flagged-before-visible\n  netvsim explain post-init-slave\n  netvsim explain host plug\n  netvsim explain ifindex',
    )
    .action((words: readonly string[], flags: { readonly json?: true }) =>
      explain(words.join(' '), flags.json === true),
    );
}

function explain(name: string, json: boolean): void {
  if (name === 'ifindex') {
    explainIfindex(json);
    return;
  }
  const found = [...ofNumber(name), ...ofName(name)];
  if (found.length === 0) throw new InputError(`there is no name "${name}"; ${near(name)}`);
  print(json ? asJson('netvsim explain', { explanations: found }) : found.map(inText).join('\n'));
}

/** Behind it the search for near names takes longer than anybody waits. */
const LONGEST_NAME = 200;
const NEAREST = 3;

/** The nearest names; of verbs, whose usages are near to nothing that anybody types, their beginnings. */
function near(name: string): string {
  const words = Math.max(2, name.split(' ').length);
  const all = Object.values(SECTIONS).flatMap((entries) => entries().map((entry) => entry.name));
  const names = new Set([...all, ...NUMBERS].map((each) => each.split(' ').slice(0, words).join(' ')));
  const far = Math.max(2, Math.floor(name.length / 3));
  const nearest = (name.length > LONGEST_NAME ? [] : [...names])
    .map((each) => ({ each, off: distance(name, each) }))
    .filter(({ off }) => off <= far)
    .sort((a, b) => a.off - b.off)
    .slice(0, NEAREST);
  const said = nearest.map(({ each }) => each).join(', ');
  return said === '' ? 'netvsim list shows what there is' : `nearest: ${said}`;
}

/** All that `list` knows under this name; of a verb its first words will do. */
function ofName(name: string): readonly Explanation[] {
  return Object.entries(SECTIONS).flatMap(([kind, entries]) =>
    entries()
      .filter((entry) => entry.name === name || (kind === 'verbs' && entry.name.startsWith(`${name} `)))
      .map((entry) => ofEntry(kind, entry.name, entry.meaning)),
  );
}

function ofEntry(kind: string, name: string, meaning: string): Explanation {
  const invariant = kind === 'invariants' ? INVARIANTS.find((each) => each.name === name) : undefined;
  if (invariant !== undefined) return ofInvariant(invariant);
  const fix = kind === 'fixes' ? fixOf(name) : undefined;
  return fix === undefined ? { name, kind, meaning, details: {} } : ofFix(name, fix);
}

function ofInvariant({ name, meaning, why, covers: numbers, source, races, notOn = {} }: Invariant): Explanation {
  const fixes = Object.entries(GUESTS.linux.fixes).filter(([, row]) => source.includes(row.source));
  const unbound = Object.entries(notOn).map(([family, reason]) => `${GUESTS[family as GuestFamily].title}: ${reason}`);
  const details = { why, numbers, source, races, fixes: fixes.map(([fix]) => fix), notOn: unbound };
  return { name, kind: 'invariants', meaning, details };
}

function ofFix(name: string, { meaning, source, family }: FixRow & { readonly family: GuestFamily }): Explanation {
  const { profiles, title } = GUESTS[family];
  const all = Object.values(profiles);
  const isCommit = family === 'linux';
  const details = {
    commit: `${title} ${source}`,
    guests: all.filter(({ fixes }) => fixes.has(name)).map((profile) => profile.name),
    guestsWithout: all.filter(({ fixes }) => !fixes.has(name)).map((profile) => profile.name),
    invariants: isCommit ? INVARIANTS.filter((each) => each.source.includes(source)).map((each) => each.name) : [],
  };
  return { name, kind: 'fixes', meaning, details };
}

/** A number of the reference: of an invariant, or of a known race. */
function ofNumber(number: string): readonly Explanation[] {
  const reason = JUDGED_ELSEWHERE[number] ?? LEFT_OUT[number];
  if (reason !== undefined) {
    const meaning = number in LEFT_OUT ? `left out: ${reason}` : reason;
    return [{ name: number, kind: 'numbers', meaning, details: {} }];
  }
  const racing = INVARIANTS.filter(({ races }) => races.includes(number)).map(({ name }) => name);
  return [...coveredBy(number), ...racing].flatMap((name) => ofName(name));
}

const INDENT = 22;

function inText({ name, kind, meaning, details }: Explanation): string {
  const lines = (Object.keys(HEADS) as (keyof typeof HEADS)[]).flatMap((key) => {
    const text = [details[key] ?? []].flat().join(', ');
    return text === '' ? [] : [`  ${HEADS[key].padEnd(INDENT - 4)}  ${wrap(text, INDENT)}\n`];
  });
  return `${name} (${kind})\n  ${wrap(meaning, 2)}\n${lines.length === 0 ? '' : '\n'}${lines.join('')}`;
}
