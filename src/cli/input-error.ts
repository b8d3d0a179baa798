/** What the user gave is wrong: said without a stack trace, and the program ends with 2. */
import { formatProblem, type Problem, printable } from '../scenario/problem.ts';

export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(lines: string | readonly string[]) {
    super((typeof lines === 'string' ? [lines] : lines).map(printable).join('\n'));
  }

  static of(problems: readonly Problem[]): InputError {
    return new InputError(problems.map(formatProblem));
  }
}

/** The exit codes of the program. */
export const EXIT = { held: 0, failed: 1, wrongInput: 2, limit: 3, bug: 70, interrupted: 130 } as const;

/** What a system error means, for people. */
export function explainSystemError(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const said = code === undefined ? undefined : MEANINGS[code];
  return said ?? (error as Error).message;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is no directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many links',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'the disk is full',
  ENXIO: 'there is no such device',
  EROFS: 'the file system can only be read',
};
