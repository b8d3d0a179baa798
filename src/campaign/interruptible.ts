/** Work that never comes back to the event loop, where a handler of Ctrl-C would be called. */
import { runInNewContext } from 'node:vm';

/** Does it so that Ctrl-C stops it anywhere: it throws then, see {@link isInterrupt}. */
export function interruptible<T>(work: () => T): T {
  try {
    return runInNewContext('work()', { work }, { breakOnSigint: true }) as T;
  } finally {
    hearAgain();
  }
}

export const isInterrupt = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';

/** Who began to listen meanwhile would hear nothing: node gives the signal back as it was before (node_watchdog.cc). */
function hearAgain(): void {
  const listeners = process.rawListeners('SIGINT') as NodeJS.SignalsListener[];
  process.removeAllListeners('SIGINT');
  for (const listener of listeners) process.on('SIGINT', listener);
}
