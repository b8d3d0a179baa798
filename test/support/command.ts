import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The built program, as users run it. */
export const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js');

export interface Outcome {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built program to its end. */
export function netvsim(args: readonly string[], cwd?: string): Outcome {
  const done: SpawnSyncReturns<string> = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 1 << 28,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { exit: done.status, out: done.stdout, err: done.stderr };
}

/**
 * The same as somebody whom file permissions bind: root is run without the capabilities to pass them over (setpriv is
 * in Debian's util-linux, which every system has).
 */
export function netvsimWithoutPrivileges(args: readonly string[], cwd: string): Outcome {
  const isRoot = process.getuid?.() === 0;
  const dropped = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];
  const [program = '', ...rest] = [...(isRoot ? dropped : []), process.execPath, MAIN, ...args];
  const done = spawnSync(program, rest, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, cwd });
  return { exit: done.status, out: done.stdout, err: done.stderr };
}

/** An empty directory that is gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'netvsim-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
