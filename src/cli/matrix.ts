/** `netvsim matrix`: FreeBSD's own test of cloned interfaces, with all orders instead of ten random seconds a case. */
import { type Command, Option } from 'commander';
import { interruptible, isInterrupt } from '../campaign/interruptible.ts';
import { MATRIX, searchCase } from '../drill/clone-matrix.ts';
import { FIXES, PROFILES, withFixes } from '../guest/freebsd/profile.ts';
import { formatMatrix, type TimedRow } from '../report/clone-matrix.ts';
import { asJson } from '../report/json.ts';
import { unknownName } from '../scenario/problem.ts';
import { EXIT, InputError } from './input-error.ts';
import { oneOf } from './options.ts';
import { SearchProgress } from './progress.ts';
import { print } from './terminal.ts';

interface MatrixFlags {
  readonly guest: string;
  readonly without: readonly string[];
  readonly json?: true;
}

export function addMatrix(program: Command, end: (exit: number) => void): void {
  const guests = Object.keys(PROFILES);
  program
    .command('matrix')
    .description('two threads fight over a cloned interface of FreeBSD, in all orders: 24 cases')
    .argument('[kinds...]', 'only these kinds: epair tap (default: all)')
    .addOption(
      new Option('--guest <profile>', `the kernel: ${guests.join(', ')}`)
        .argParser(oneOf(guests))
        .default('freebsd-14'),
    )
    .addOption(
      new Option('--without <fix>', 'switch a fix off (see netvsim list fixes); can stand several times')
        .argParser((given: string, before: readonly string[]) => [...before, oneOf(Object.keys(FIXES))(given)])
        .default([], 'none'),
    )
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Ends with 1 when something fails: memory, the kernel's own claims, the order of locks, a thread that never ends, units
and references of cloners. A case that fails is searched no further than its first 2,000 orders.

Examples:
  netvsim matrix lo --guest ideal
  netvsim matrix   # exits 1: what freebsd-14 lacks`,
    )
    .action(async (kinds: readonly string[], flags: MatrixFlags) => end(await matrix(kinds, flags)));
}

async function matrix(kinds: readonly string[], { guest, without, json }: MatrixFlags): Promise<number> {
  const known = [...new Set(MATRIX.map(({ kind }): string => kind))];
  const unknown = kinds.find((kind) => !known.includes(kind));
  if (unknown !== undefined) throw new InputError(unknownName('kind', unknown, known));
  const cases = MATRIX.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  const off = Object.fromEntries(without.map((fix) => [fix, false]));
  const profile = withFixes(PROFILES[guest] as (typeof PROFILES)[string], off);
  const rows: TimedRow[] = [];
  const interrupted = await searchAll(cases, profile, rows);
  const name = [guest, ...without.map((fix) => `without ${fix}`)].join(' ');
  print(
    json === true
      ? asJson('netvsim matrix', { guest, without, interrupted, rows: rows.map(plain) })
      : formatMatrix(rows, name, interrupted),
  );
  if (interrupted) return EXIT.interrupted;
  if (rows.some(({ exploration }) => exploration.verdict === 'fails')) return EXIT.failed;
  return rows.every(({ exploration }) => exploration.verdict === 'all') ? EXIT.held : EXIT.limit;
}

/** Fills `rows`, one a case; true when Ctrl-C has ended it before. */
async function searchAll(
  cases: typeof MATRIX,
  profile: Parameters<typeof searchCase>[1],
  rows: TimedRow[],
): Promise<boolean> {
  const progress = new SearchProgress(() => {
    const orders = rows.reduce((sum, { exploration }) => sum + (exploration.searched?.orders ?? 0), 0);
    const failing = rows.filter(({ exploration }) => exploration.verdict === 'fails').length;
    const doing = `${rows.length} of ${cases.length} cases`;
    return { doing, done: rows.length, of: cases.length, isAtMost: false, orders, failing };
  });
  try {
    for (const each of cases) {
      await new Promise((resume) => setImmediate(resume)); // the progress is shown from the event loop
      const begun = performance.now();
      const row = interruptible(() => searchCase(each, profile));
      rows.push({ ...row, milliseconds: performance.now() - begun });
    }
    return false;
  } catch (error) {
    if (isInterrupt(error)) return true;
    throw error;
  } finally {
    progress.end();
  }
}

function plain({ kind, fight, operations, exploration, milliseconds }: TimedRow): object {
  const { verdict, searched, steps, found } = exploration;
  const seconds = milliseconds / 1000;
  return {
    kind,
    fight,
    operations,
    verdict,
    ...searched,
    steps,
    found: found.map(({ key, text }) => ({ key, text })),
    seconds,
  };
}
