/** A program of the machine, run to its end: what it printed, or why it could not be run or failed. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { err, ok, type Result } from '../../base/result.ts';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined`: a signal has ended it. */
  readonly exit: number | undefined;
}

export interface Running {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Called with each line that the program writes to file descriptor 3. */
  readonly status?: (line: string) => void;
}

/** Errors: the program is not there, or `signal` has ended it. An exit code other than 0 is no error here. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, signal, status }: Running,
): Promise<Result<Printed, string>> {
  const env = { ...process.env, LC_ALL: 'C' };
  const child = spawn(program, args, { cwd, signal, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const [stdout, stderr] = [textOf(child.stdio[1] as Readable), textOf(child.stdio[2] as Readable)];
  let rest = '';
  (child.stdio[3] as Readable).on('data', (piece: Buffer) => {
    const all = (rest + piece.toString()).split('\n');
    rest = all.pop() ?? '';
    for (const line of all) status?.(line);
  });
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const said = error.code === 'ENOENT' ? 'is not on this machine' : error.message;
      resolve(err(signal.aborted ? 'interrupted' : `${program}: ${said}`));
    });
    child.on('close', (exit) => {
      if (signal.aborted) resolve(err('interrupted'));
      else resolve(ok({ stdout: stdout(), stderr: stderr(), exit: exit ?? undefined }));
    });
  });
}

function textOf(stream: Readable): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}
