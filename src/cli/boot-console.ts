/**
 * A guest's serial console in the user's terminal. Keys go to the guest as they are, but for Ctrl-], behind which the
 * host's line stands; what the guest prints goes to the terminal as it is.
 * Real time enters here and nowhere else: at which moment of the guest a key or a line of the host arrives. A session is a
 * function of these moments.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import type { Nanoseconds } from '../base/time.ts';
import type { Names } from '../scenario/vocabulary.ts';
import { Editor } from './boot-editor.ts';
import type { EventLines } from './boot-events.ts';
import type { Guest } from './boot-guest.ts';
import { HostLine } from './boot-host-line.ts';
import { Pace } from './boot-pace.ts';
import type { SessionEnd } from './boot-session.ts';
import type { Signals } from './boot-signals.ts';

/** Ctrl-], as telnet has it. */
const ESCAPE = 0x1d;
const RETURN = 0x0d;
const NEW_LINE = 0x0a;
/** A guest that sleeps is looked after so often; a key wakes it at once. Invented. */
const IDLE_MS = 10;
/** Where a terminal does not say. */
const USUAL_SIZE = { rows: 24, columns: 80 };
/** What a guest may have left behind: colours off, cursor on. ECMA-48 SGR; DEC private mode 25. */
const PLAIN = '\u001b[0m\u001b[?25h';
/** Asks a terminal where its cursor is (ECMA-48, DSR): not to be asked again when a line is shown again. */
const WHERE_IS_THE_CURSOR = '\u001b[6n';

export interface ConsoleOptions {
  readonly guest: Guest;
  readonly names: Names;
  readonly events: EventLines;
  readonly signals: Signals;
  /** Ends the session when the guest is that old. */
  readonly until: Nanoseconds;
}

export class ConsoleSession {
  private readonly options: ConsoleOptions;
  private readonly editor: Editor;
  private readonly line: HostLine;
  private readonly keys: number[] = [];
  private output: number[] = [];
  /** What the guest prints while the host's line is open, as far as it is no whole line. */
  private held: number[] = [];
  private hasQuit = false;

  constructor(options: ConsoleOptions) {
    this.options = options;
    const { guest, names, events } = options;
    this.line = new HostLine(guest, names, {
      say: (text) => this.editor.say(text),
      complain: (text) => this.editor.say(text),
      quit: () => {
        this.hasQuit = true;
      },
      showEvents: (on) => {
        events.on = on;
      },
    });
    this.editor = new Editor({
      output: process.stdout,
      complete: (line) => this.line.complete(line),
      typed: (line) => this.typed(line),
      left: () => this.leaveLine(),
    });
  }

  /** Returns when it is over; the terminal is then as it was. */
  async run(): Promise<SessionEnd> {
    const { guest, signals } = this.options;
    const { stdin, stdout } = process;
    const take = (keys: Buffer): void => {
      this.keys.push(...keys);
      signals.wake();
    };
    const end = (): void => this.line.view.quit();
    const resize = (): void => guest.resize(stdout.rows ?? USUAL_SIZE.rows, stdout.columns ?? USUAL_SIZE.columns);
    const stop = (): void => this.suspend();
    this.showConsole();
    makeRaw();
    stdin.on('data', take).on('end', end);
    stdout.on('resize', resize);
    process.on('SIGTSTP', stop);
    resize();
    try {
      return await this.loop();
    } finally {
      this.editor.leave();
      process.off('SIGTSTP', stop);
      stdout.off('resize', resize);
      stdin.off('data', take).off('end', end);
      stdin.pause();
      this.restore();
      stdout.write(guest.lastLine.length > 0 ? '\r\n' : '');
    }
  }

  private async loop(): Promise<SessionEnd> {
    const { guest, signals, until } = this.options;
    const pace = new Pace(guest);
    for (;;) {
      await this.route();
      const idle = pace.go();
      await this.flush();
      if (signals.caught !== undefined) return { by: 'signal' };
      if (this.hasQuit) return { by: 'user' };
      if (guest.ending !== undefined) return { by: 'guest', ending: guest.ending };
      if (guest.now >= until) return { by: 'time' };
      await signals.sleep(idle === 0 ? 0 : Math.max(idle, IDLE_MS));
    }
  }

  /** Gives each key to whom it is for. A line of the host is over before the next key is looked at. */
  private async route(): Promise<void> {
    const { keys, editor, options } = this;
    while (keys.length > 0 && !this.hasQuit) {
      const isOpen = editor.isOpen;
      const at = keys.findIndex((key) => key === ESCAPE || (isOpen && key === RETURN));
      const isEscape = keys[at] === ESCAPE;
      const mine = keys.splice(0, at === -1 ? keys.length : isEscape ? at : at + 1);
      if (isEscape) keys.shift();
      if (isOpen) {
        editor.feed(Uint8Array.from(mine));
        // The editor has its keys through streams, which take them up when they have a turn.
        await new Promise((resume) => setImmediate(resume));
      } else options.guest.machine.console.type(Uint8Array.from(mine));
      if (isEscape) this.escape();
    }
  }

  private escape(): void {
    if (!this.editor.isOpen) {
      this.enterLine();
      return;
    }
    const isTwice = this.editor.isEmpty;
    this.leaveLine();
    if (isTwice) this.options.guest.machine.console.type(Uint8Array.of(ESCAPE));
  }

  private typed(line: string): void {
    if (line.trim() === '') {
      this.leaveLine();
      return;
    }
    this.line.carryOut(line.trim());
    if (!this.hasQuit) this.editor.prompt();
  }

  private enterLine(): void {
    const { guest, events } = this.options;
    this.writeOutput();
    if (guest.lastLine.length > 0) process.stdout.write('\r\n');
    this.editor.enter();
    for (const line of events.takeMissed()) this.editor.say(line);
    events.show = (line) => this.editor.say(line);
  }

  private leaveLine(): void {
    const { guest, events } = this.options;
    events.show = undefined;
    this.held = [];
    this.editor.leave();
    process.stdout.write(withoutQuestions(guest.lastLine));
  }

  /** From here on what the guest prints is shown. */
  private showConsole(): void {
    const { console } = this.options.guest.machine;
    process.stdout.write(withoutQuestions(this.options.guest.lastLine));
    console.listeners.push((byte) => {
      if (!this.editor.isOpen) this.output.push(byte);
      else if (byte !== NEW_LINE) this.held.push(byte);
      else this.sayHeld();
    });
  }

  private sayHeld(): void {
    this.editor.say(withoutQuestions(Buffer.from(this.held)));
    this.held = [];
  }

  private writeOutput(): boolean {
    const bytes = Uint8Array.from(this.output);
    this.output = [];
    return bytes.length === 0 || process.stdout.write(bytes);
  }

  /** A terminal that is slower than the guest holds the guest up. */
  private async flush(): Promise<void> {
    if (this.writeOutput()) return;
    await new Promise((resume) => process.stdout.once('drain', resume));
  }

  /** Stopped from outside: the terminal is the shell's until it goes on. */
  private suspend(): void {
    this.restore();
    process.once('SIGCONT', makeRaw);
    process.kill(process.pid, constants.signals.SIGSTOP);
  }

  private restore(): void {
    process.stdin.setRawMode(false);
    process.stdout.write(PLAIN);
  }
}

/**
 * Keys come as they are, and what is written stays as it is. Node leaves the terminal to make CR LF of LF, which a guest's
 * terminal has done already where it is wanted; where there is no stty(1), full-screen programs may look odd.
 */
function makeRaw(): void {
  process.stdin.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

const withoutQuestions = (line: Buffer): string => line.toString('latin1').replaceAll(WHERE_IS_THE_CURSOR, '');
