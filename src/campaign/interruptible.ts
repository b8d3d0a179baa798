/** Work that never comes back to the event loop, where a handler of Ctrl-C would be called. */
import { runInNewContext } from 'node:vm';

/** Does it so that Ctrl-C stops it anywhere: it throws then, see {@link isInterrupt}. */
export function interruptible<T>(work: () => T): T {
  return runInNewContext('work()', { work }, { breakOnSigint: true }) as T;
}

export const isInterrupt = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
