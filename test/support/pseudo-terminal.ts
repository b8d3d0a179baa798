/** A program in a pseudo-terminal, and somebody who types and reads. */

type NodePty = typeof import('node-pty');

/** node-pty is an optional dependency: without it there is no terminal to test in. */
export const pty: NodePty | undefined = await import('node-pty').catch(() => undefined);

export interface TerminalOptions {
  readonly rows?: number;
  readonly cols?: number;
}

const PATIENCE_MS = 90_000;
/** What was written last can come behind the news of the end. */
const DRAIN_MS = 1000;

export class PseudoTerminal {
  /** All that was written to it. */
  screen = '';
  readonly pid: number;
  /** The exit code of the program. */
  readonly ended: Promise<number>;
  private readonly terminal: import('node-pty').IPty;
  private seen = 0;
  private isOver = false;
  private readonly waiting = new Set<() => void>();

  constructor(command: readonly string[], { rows = 40, cols = 120 }: TerminalOptions = {}) {
    if (pty === undefined) throw new Error('node-pty is not installed (Debian packages python3, make, g++)');
    const [program = '', ...args] = command;
    const { NO_COLOR: _, ...env }: NodeJS.ProcessEnv = { ...process.env, TERM: 'xterm-256color' };
    this.terminal = pty.spawn(program, args, { cols, rows, env });
    this.pid = this.terminal.pid;
    this.terminal.onData((text) => {
      this.screen += text;
      for (const look of this.waiting) look();
    });
    this.ended = new Promise((resolve) => {
      this.terminal.onExit(({ exitCode }) => {
        setTimeout(() => {
          this.isOver = true;
          for (const look of this.waiting) look();
          resolve(exitCode);
        }, DRAIN_MS);
      });
    });
  }

  type(keys: string): void {
    this.terminal.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(cols, rows);
  }

  /** Waits until something is written behind what was seen last. Returns all that is new up to its end. */
  see(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        stop();
        reject(new Error(`${why} of ${pattern} in:\n${this.screen.slice(this.seen)}`));
      };
      const timer = setTimeout(() => fail(`${PATIENCE_MS} ms and nothing`), PATIENCE_MS);
      const stop = (): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
      };
      const look = (): void => {
        const found = pattern.exec(this.screen.slice(this.seen));
        if (found !== null) {
          const from = this.seen;
          this.seen += found.index + found[0].length;
          stop();
          resolve(this.screen.slice(from, this.seen));
        } else if (this.isOver) fail('the program has ended and nothing');
      };
      this.waiting.add(look);
      look();
    });
  }

  kill(): void {
    if (!this.isOver) this.terminal.kill('SIGKILL');
  }
}
