/** The signals that end a session, and a sleep that ends with them. */
import { constants } from 'node:os';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Ending = (typeof ENDING)[number];

/** npm and timeout pass on what the terminal has sent us as well: nobody presses twice so fast. Invented. */
const ONE_PRESS_MS = 400;

export class Signals {
  /** The first that came. */
  caught: Ending | undefined;
  private readonly abort = new AbortController();
  private wakeUp: (() => void) | undefined;
  private caughtAt = 0;

  /** It hears them up to the end of the program. */
  constructor() {
    for (const signal of ENDING) process.on(signal, () => this.hear(signal));
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

  private hear(signal: Ending): void {
    if (this.caught === undefined) {
      this.caught = signal;
      this.caughtAt = performance.now();
      this.abort.abort();
      this.wake();
    } else if (performance.now() - this.caughtAt > ONE_PRESS_MS) process.exit(this.exit);
  }
}
