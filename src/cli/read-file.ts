/** Files that the user names, read whole; what cannot be read is said with its name. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { explainSystemError, InputError } from './input-error.ts';

/** Larger than any scenario, schedule or trace that makes sense. */
const LARGEST = 1 << 30;
const LARGEST_TEXT = 16 << 20;
/** What a shell hands over for `<(command)` and `| netvsim check /dev/stdin`: its other end is open already. */
const HANDED_OVER = /^\/dev\/(?:stdin|fd\/\d+)$/;

export function readBytes(file: string, largest = LARGEST): Uint8Array {
  if (file === '') throw new InputError('an empty text is no file name');
  try {
    const found = statSync(file);
    checkReadable(file, found);
    if (found.size > largest) throw new InputError(`${file}: is too large (${found.size} bytes)`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: ${explainSystemError(error)}`);
  }
}

/** A device or a pipe that nobody writes to would be read for ever. */
function checkReadable(file: string, found: Stats): void {
  if (found.isFile() || found.isDirectory()) return;
  if (found.isFIFO() && HANDED_OVER.test(file)) return;
  const what = found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device';
  throw new InputError(`${file}: is ${what}, not a file`);
}

/** A text in UTF-8; anything else is no text. */
export function readText(file: string): string {
  const bytes = readBytes(file, LARGEST_TEXT);
  const zero = bytes.indexOf(0);
  try {
    if (zero !== -1) throw new TypeError();
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${file}:${lineOf(bytes, zero)}: is no text file`);
  }
}

function lineOf(bytes: Uint8Array, at: number): number {
  return at === -1 ? 1 : bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
}
