/**
 * A guest's console for scripts: lines come out of a pipe and are typed when the guest waits for one, and what it prints
 * goes out line by line, without what only a terminal understands. Nobody sits before it, so that time passes as fast as
 * it can, and stands still while the next line is not there: the same lines give the same output.
 */
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { type Nanoseconds, seconds } from '../base/time.ts';
import type { Names } from '../scenario/vocabulary.ts';
import type { EventLines } from './boot-events.ts';
import type { Guest } from './boot-guest.ts';
import { HostLine } from './boot-host-line.ts';
import { Rest } from './boot-rest.ts';
import type { SessionEnd } from './boot-session.ts';
import type { Signals } from './boot-signals.ts';
import { InputError } from './input-error.ts';
import { complain, print } from './terminal.ts';

/** A line that begins with Ctrl-] is for the host. */
const ESCAPE = '\u001d';
/** What ends the input of a program that reads from a terminal: Ctrl-D (termios(3), VEOF). */
const END_OF_TRANSMISSION = 0x04;
/** Resting so long without a prompt, a guest is given the next line. Invented. */
const UNASKED = seconds(10);
/** Resting so long when there is none, it is left alone. Invented. */
const NOTHING_COMES = seconds(3600);
/** What a script's terminal is like: wide, so that long lines are not broken. */
const SIZE = { rows: 24, columns: 200 };

export interface PipeOptions {
  readonly guest: Guest;
  readonly names: Names;
  readonly events: EventLines;
  readonly signals: Signals;
  /** How long the guest has for a line, and behind the last one; when that is not said, until it waits for another. */
  readonly span: Nanoseconds | undefined;
}

export class PipeSession {
  /** The host has refused something. */
  hasFailed = false;
  private readonly options: PipeOptions;
  private readonly line: HostLine;
  private readonly rest: Rest;
  private printed: number[] = [];
  private hasQuit = false;
  private mistake: string | undefined;
  private typedAt: Nanoseconds;

  constructor(options: PipeOptions) {
    this.options = options;
    const { guest, names, events } = options;
    this.rest = new Rest(guest);
    this.typedAt = guest.now;
    this.line = new HostLine(guest, names, {
      say: (text) => print(text.endsWith('\n') ? text : `${text}\n`),
      complain: (text, whose) => {
        if (whose === 'input') {
          this.mistake = text;
          return;
        }
        complain(text);
        this.hasFailed = true;
      },
      quit: () => {
        this.hasQuit = true;
      },
      showEvents: (on) => {
        events.on = on;
      },
    });
    events.show = (line) => print(`${line}\n`);
  }

  /** Returns when the guest has done what the last line says, or before for another reason. */
  async run(): Promise<SessionEnd> {
    const { guest, signals } = this.options;
    this.showConsole();
    guest.resize(SIZE.rows, SIZE.columns);
    const lines = createInterface({ input: process.stdin.setEncoding('latin1'), crlfDelay: Number.POSITIVE_INFINITY });
    const stopped = new Promise<'stopped'>((resolve) => {
      signals.signal.addEventListener('abort', () => resolve('stopped'));
    });
    try {
      const source = lines[Symbol.asyncIterator]();
      for (;;) {
        const end = await this.goOn(UNASKED);
        if (end !== undefined) return end;
        const line = await Promise.race([source.next(), stopped]);
        if (line === 'stopped') return { by: 'signal' };
        if (line.done === true) break;
        this.type(line.value);
      }
      return (await this.finish()) ?? { by: 'user' };
    } finally {
      lines.close();
      process.stdin.destroy();
      if (this.printed.length > 0) this.printLine();
    }
  }

  /**
   * Until it waits for a line. Behind so long a silence it may be at something that asks for none but takes one: a line
   * that comes too early stays in its terminal.
   */
  private async goOn(silence: Nanoseconds): Promise<SessionEnd | undefined> {
    const { guest, span } = this.options;
    const due = span === undefined ? Number.MAX_SAFE_INTEGER : this.typedAt + span;
    while (guest.now < due) {
      const waits = this.rest.look();
      const end = await this.over();
      if (end !== undefined || waits || this.rest.silence >= silence) return end;
    }
    return undefined;
  }

  /** There is no other line. Whatever reads is told so, as a terminal does it. */
  private async finish(): Promise<SessionEnd | undefined> {
    const { guest, span } = this.options;
    if (span !== undefined) {
      while (guest.now < this.typedAt + span) {
        this.rest.look();
        const end = await this.over();
        if (end !== undefined) return end;
      }
      return { by: 'time' };
    }
    const end = await this.goOn(UNASKED);
    if (end !== undefined || this.rest.silence < UNASKED) return end;
    guest.machine.console.type(Uint8Array.of(END_OF_TRANSMISSION));
    return await this.goOn(NOTHING_COMES);
  }

  private async over(): Promise<SessionEnd | undefined> {
    const { guest, signals } = this.options;
    await signals.sleep(0);
    if (process.stdout.writableNeedDrain) await new Promise((resume) => process.stdout.once('drain', resume));
    if (this.mistake !== undefined) throw new InputError(this.mistake);
    if (signals.caught !== undefined) return { by: 'signal' };
    if (guest.ending !== undefined) return { by: 'guest', ending: guest.ending };
    if (this.rest.hangs) {
      const text = 'the guest hangs: its processor is busy and it prints nothing';
      return { by: 'guest', ending: { isFailure: true, text } };
    }
    return this.hasQuit ? { by: 'user' } : undefined;
  }

  private type(line: string): void {
    const isTwice = line.startsWith(ESCAPE + ESCAPE);
    this.typedAt = this.options.guest.now;
    if (line.startsWith(ESCAPE) && !isTwice) {
      this.line.carryOut(line.slice(1).trim());
      return;
    }
    this.rest.typed();
    this.options.guest.machine.console.type(Buffer.from(`${isTwice ? line.slice(1) : line}\r`, 'latin1'));
  }

  private showConsole(): void {
    const { guest } = this.options;
    this.printed.push(...guest.lastLine);
    guest.machine.console.listeners.push((byte) => {
      if (byte === NEW_LINE) this.printLine();
      else this.printed.push(byte);
    });
  }

  private printLine(): void {
    process.stdout.write(Buffer.from(`${asSeen(Buffer.from(this.printed).toString('latin1'))}\n`, 'latin1'));
    this.printed = [];
  }
}

const NEW_LINE = 0x0a;
/** What erases the line behind the cursor. ECMA-48, ED and EL. */
const ERASING = ['\u001b[J', '\u001b[K'];

/** A line as it stands on a terminal in the end: what comes behind a carriage return is written over what was there. */
function asSeen(printed: string): string {
  let line = '';
  for (const part of printed.split('\r')) {
    const text = stripVTControlCharacters(part);
    line = ERASING.some((sequence) => part.includes(sequence)) ? text : text + line.slice(text.length);
  }
  return line;
}
