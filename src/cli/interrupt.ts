/** Ctrl-C while this thread comes back to its event loop now and then; see `interruptible.ts` for when it does not. */
import { EXIT } from './input-error.ts';
import { clearProgress } from './progress.ts';
import { dropDraft } from './write-file.ts';

/** Calls `stop` at the first interrupt; the second one ends the program. Returns how to hear of it no more. */
export function onInterrupt(stop: () => void): () => void {
  let isAsked = false;
  const heard = (): void => {
    if (isAsked) {
      dropDraft();
      clearProgress();
      process.exit(EXIT.interrupted);
    }
    isAsked = true;
    stop();
  };
  process.on('SIGINT', heard);
  return () => process.off('SIGINT', heard);
}
