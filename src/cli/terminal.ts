/** Standard output and error, for people and for pipes. */
import { EXIT, explainSystemError } from './input-error.ts';

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Writes to standard error. */
export function complain(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Colour is for people at terminals who have not said that they want none (no-color.org). */
export function wantsColour(): boolean {
  return process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

/** Whoever reads our output may stop reading (`| head`): that is no failure of ours. A full disk is one. */
export function endWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      if (stream === process.stdout) complain(`cannot write the output: ${explainSystemError(error)}`);
      process.exit(EXIT.wrongInput);
    });
  }
}
