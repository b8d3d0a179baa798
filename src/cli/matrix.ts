/** `netvsim matrix`: FreeBSD's own test of cloned interfaces, with all orders instead of ten random seconds a case. */
import { type Command, Option } from 'commander';
import { each } from '../campaign/each.ts';
import { followWith } from '../campaign/explore.ts';
import { MATRIX, planCase, rowOf } from '../drill/clone-matrix.ts';
import { FIXES, PROFILES } from '../guest/freebsd/profile.ts';
import { formatMatrix, type TimedRow } from '../report/clone-matrix.ts';
import { asJson } from '../report/json.ts';
import { unknownName } from '../scenario/problem.ts';
import { crewForFights, type Fight } from './fight.ts';
import { EXIT, InputError } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { jobs, oneOf } from './options.ts';
import { SearchProgress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { complain, INTERRUPTED, print } from './terminal.ts';

interface MatrixFlags {
  readonly guest: string;
  readonly without: readonly string[];
  readonly jobs: number;
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
    .addOption(jobs())
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Ends with 1 when something fails: memory, the kernel's own claims, the order of locks, a thread that never ends, units
and references of cloners. A case that fails is searched no further than its first 2,000 orders.

Examples:
  netvsim matrix faith --guest ideal
  netvsim matrix vlan   # exits 1: what freebsd-14 lacks`,
    )
    .action(async (kinds: readonly string[], flags: MatrixFlags) => end(await matrix(kinds, flags)));
}

async function matrix(kinds: readonly string[], { guest, without, jobs, json }: MatrixFlags): Promise<number> {
  const known = [...new Set(MATRIX.map(({ kind }): string => kind))];
  const unknown = kinds.find((kind) => !known.includes(kind));
  if (unknown !== undefined) throw new InputError(unknownName('kind', unknown, known));
  const cases = MATRIX.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  const rows = await searchAll(
    cases.map((each) => ({ ...each, guest, without })),
    jobs,
  );
  const interrupted = rows.length < cases.length;
  const name = [guest, ...without.map((fix) => `without ${fix}`)].join(' ');
  print(
    json === true
      ? asJson('netvsim matrix', { guest, without, interrupted, rows: rows.map(plain) })
      : formatMatrix(rows, name, interrupted),
  );
  const exit = interrupted ? EXIT.interrupted : exitOf(rows);
  if (exit !== EXIT.held) complain(interrupted ? INTERRUPTED : `reproduce with: ${reproduction()}`);
  return exit;
}

function exitOf(rows: readonly TimedRow[]): number {
  if (rows.some(({ exploration }) => exploration.verdict === 'fails')) return EXIT.failed;
  return rows.every(({ exploration }) => exploration.verdict === 'all') ? EXIT.held : EXIT.limit;
}

/** A row for each that was searched to the end: for all, if it was not interrupted. */
async function searchAll(fights: readonly Fight[], jobs: number): Promise<readonly TimedRow[]> {
  const crew = crewForFights(fights, jobs);
  let done = 0;
  const progress = new SearchProgress(() => {
    const { orders, failing } = crew.board;
    const counted = 'cases';
    return { doing: 'searching', done, of: fights.length, counted, isAtMost: false, orders, failing };
  });
  const ignore = onInterrupt(() => crew.stop());
  try {
    const rows = await each([...fights.entries()], jobs, async ([at, fight]): Promise<readonly TimedRow[]> => {
      const exploration = await followWith(crew, at, planCase());
      if (crew.board.isStopped) return [];
      done++;
      return [{ ...rowOf(fight, exploration), milliseconds: crew.millisecondsOf(at) }];
    });
    return rows.flat();
  } finally {
    progress.end();
    ignore();
    await crew.close();
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
