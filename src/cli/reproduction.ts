/** Commands as a shell takes them: a failed run prints its own, since the same command gives the same run. */
import { type Choice, formatChoices } from '../explore/schedule.ts';

/** The command that was given. */
export function reproduction(argv: readonly string[] = process.argv.slice(2)): string {
  return ['netvsim', ...argv].map(quote).join(' ');
}

/** What of a search's command says what was searched; the rest says how. */
export interface What {
  readonly guest?: string;
  readonly without: readonly string[];
  readonly time: 'idle' | 'any';
  readonly transport?: 'direct' | 'bytes';
}

/** The command that runs what a search was given, in the usual order or in one that was made small. */
export function runOf(file: string, { guest, without, time, transport }: What, order?: readonly Choice[]): string {
  return reproduction([
    'run',
    file,
    ...(guest === undefined ? [] : ['--guest', guest]),
    ...without.flatMap((fix) => ['--without', fix]),
    ...(transport === undefined ? [] : ['--transport', transport]),
    ...(time === 'idle' ? [] : ['--time', time]),
    ...(order === undefined ? [] : ['--order', formatChoices(order)]),
  ]);
}

function quote(word: string): string {
  if (/^[\w./:=@%+,-]+$/.test(word)) return word;
  return /\p{Cc}/u.test(word) ? `$'${withEscapes(word)}'` : `'${word.replaceAll("'", "'\\''")}'`;
}

/** As bash, zsh and ksh read it: a terminal would do what control characters in a name say. */
const withEscapes = (word: string): string =>
  word.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, (control) => {
    const bytes = [...Buffer.from(control)];
    return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
