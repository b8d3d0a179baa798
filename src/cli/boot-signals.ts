/** The signals that end a session, and a sleep that ends with them. */
import { constants } from 'node:os';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Ending = (typeof ENDING)[number];

export class Signals {
  /** The first that came. */
  caught: Ending | undefined;
  private readonly abort = new AbortController();
  private wakeUp: (() => void) | undefined;
  private readonly heard = (signal: Ending): void => {
    this.caught ??= signal;
    this.abort.abort();
    this.wake();
  };

  constructor() {
    for (const signal of ENDING) process.on(signal, this.heard);
  }

  /** Aborted with the first signal. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** The exit code that a shell gives whoever is ended by it (bash(1), EXIT STATUS). */
  get exit(): number {
    return 128 + (this.caught === undefined ? 0 : constants.signals[this.caught]);
  }

  /** Sleeps; {@link wake} ends it. With 0 only the event loop has its turn. */
  async sleep(milliseconds: number): Promise<void> {
    if (this.caught !== undefined) return;
    await new Promise<void>((resolve) => {
      if (milliseconds === 0) {
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(resolve, milliseconds);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }

  wake(): void {
    this.wakeUp?.();
  }

  dispose(): void {
    for (const signal of ENDING) process.off(signal, this.heard);
  }
}
