/** Ctrl-C, or a request to end, while this thread comes back to its event loop now and then; see `interruptible.ts` for when it does not. */
import { EXIT } from './input-error.ts';
import { clearProgress } from './progress.ts';
import { dropDraft } from './write-file.ts';

/** That of a terminal, and that of timeout(1) and of whoever shuts a machine down. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** npm and timeout pass on an interrupt that the terminal has sent us as well: nobody presses twice so fast. Invented. */
const ONE_PRESS_MS = 400;

/** Calls `stop` at the first interrupt; the next one ends the program. Returns how to hear of it no more. */
export function onInterrupt(stop: () => void): () => void {
  let asked: number | undefined;
  const heard = (): void => {
    if (asked === undefined) {
      asked = performance.now();
      stop();
    } else if (performance.now() - asked > ONE_PRESS_MS) {
      dropDraft();
      clearProgress();
      process.exit(EXIT.interrupted);
    }
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
}
