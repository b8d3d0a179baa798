/** The toy's Promela twin under SPIN, where it is installed (Debian: spin, gcc). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/cli/package-files.ts';
import type { Line } from './measure.ts';

const MODEL = join(packageRoot(), 'test/bench/toy.pml');
const LIMIT_MS = 120_000;

interface Verified {
  /** From the model to a program that can be run. */
  readonly buildMs: number;
  readonly runMs: number;
  readonly states: number;
}

/** What is missing, or the figures. */
export function spinLines(): Line[] | string {
  const missing = ['spin', 'gcc'].filter((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing.length > 0) return `SPIN beside it: ${missing.join(' and ')} not found (Debian packages spin, gcc)`;
  const [one, two] = [verify(1), verify(2)];
  return [
    { what: 'SPIN: the toy, states', figure: one.states, unit: 'states' },
    { what: '  spin and gcc, before it can run', figure: one.buildMs, unit: 'ms' },
    { what: '  the run', figure: one.runMs, unit: 'ms' },
    { what: 'SPIN: two toys side by side, states', figure: two.states, unit: 'states' },
    { what: '  the run', figure: two.runMs, unit: 'ms' },
    { what: '  rate', figure: (two.states / two.runMs) * 1e3, unit: 'states/s' },
  ];
}

/** Goes through all states of so many toys; what it finds wrong does not stop it. */
function verify(toys: number): Verified {
  const folder = mkdtempSync(join(tmpdir(), 'netvsim-spin-'));
  try {
    const begun = performance.now();
    run('spin', [`-DNICS=${toys}`, '-a', MODEL], folder);
    run('gcc', ['-O2', '-w', '-o', 'pan', 'pan.c'], folder);
    const built = performance.now();
    const report = run('./pan', ['-c0', '-n'], folder);
    const done = performance.now();
    const states = /(\d+) states, stored/.exec(report)?.[1];
    if (states === undefined) throw new Error(`SPIN says no number of states:\n${report}`);
    return { buildMs: built - begun, runMs: done - built, states: Number(states) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: LIMIT_MS });
  if (error !== undefined || status !== 0) throw new Error(`${program}: ${error?.message ?? stdout + stderr}`);
  return stdout;
}
