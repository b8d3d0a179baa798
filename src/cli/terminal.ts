/** Standard output and error, for people and for pipes. */
import { writeSync } from 'node:fs';
import { EXIT, explainSystemError } from './input-error.ts';

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Writes to standard error. */
export function complain(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * Writes to standard error past its stream: an interrupt may have ended a write in its middle, and whatever the stream is
 * given behind that never comes out.
 */
export function complainAtOnce(text: string): void {
  try {
    writeSync(process.stderr.fd, text);
  } catch {
    // Nobody reads it.
  }
}

/** A search ends with what it has. */
export const INTERRUPTED = 'interrupted: this is what was found so far';

/** Colour is for people at terminals who have not said that they want none (no-color.org). */
export function wantsColour(): boolean {
  return process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

/** Where no terminal says how wide it is. Invented. */
const USUAL_COLUMNS = 120;

/** For what is drawn: in a pipe always the same. */
export const columns = (): number => process.stdout.columns ?? USUAL_COLUMNS;

/** Narrower than that nothing is wrapped to. */
const NARROWEST = 60;

/** Wrapped at the edge of a terminal, each line so far from its left; in a pipe the text stays on one line, for grep. */
export function wrap(text: string, indent: number): string {
  const width = Math.max(NARROWEST, process.stdout.columns ?? Number.POSITIVE_INFINITY) - indent;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
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
