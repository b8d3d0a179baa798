/**
 * A guest's console for scripts: lines come out of a pipe and are typed when the guest waits for one, and what it prints
 * goes out line by line, without what only a terminal understands. Nobody sits before it, so that time passes as fast as
 * it can, and stands still while the next line is not there: the same lines give the same output.
 */
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { Nanoseconds } from '../base/time.ts';
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
/** What a script's terminal is like: wide, so that long lines are not broken. */
const SIZE = { rows: 24, columns: 200 };

export interface PipeOptions {
  readonly guest: Guest;
  readonly names: Names;
  readonly events: EventLines;
  readonly signals: Signals;
  /** How long it goes on when the last line is typed; when that is not said, until it rests. */
  readonly goOn: Nanoseconds | undefined;
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

  constructor(options: PipeOptions) {
    this.options = options;
    const { guest, names, events } = options;
    this.rest = new Rest(guest);
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

  /** Returns when the last line is typed and the guest rests, or before for another reason. */
  async run(): Promise<SessionEnd> {
    const { guest, signals, goOn } = this.options;
    this.showConsole();
    guest.resize(SIZE.rows, SIZE.columns);
    const lines = createInterface({ input: process.stdin.setEncoding('latin1'), crlfDelay: Number.POSITIVE_INFINITY });
    const stopped = new Promise<'stopped'>((resolve) => {
      signals.signal.addEventListener('abort', () => resolve('stopped'));
    });
    try {
      const source = lines[Symbol.asyncIterator]();
      for (;;) {
        const end = await this.toRest();
        if (end !== undefined) return end;
        const line = await Promise.race([source.next(), stopped]);
        if (line === 'stopped') return { by: 'signal' };
        if (line.done === true) break;
        this.type(line.value);
      }
      return goOn === undefined ? { by: 'user' } : await this.goOn(guest.now + goOn);
    } finally {
      lines.close();
      process.stdin.destroy();
      if (this.printed.length > 0) this.printLine();
    }
  }

  /** Undefined: it waits for a line. */
  private async toRest(): Promise<SessionEnd | undefined> {
    for (;;) {
      const rests = this.rest.look();
      const end = await this.over();
      if (end !== undefined || rests) return end;
      if (this.rest.hangs) {
        const text = 'the guest hangs: its processor is busy and it prints nothing';
        return { by: 'guest', ending: { isFailure: true, text } };
      }
    }
  }

  private async goOn(due: Nanoseconds): Promise<SessionEnd> {
    const { guest } = this.options;
    while (guest.now < due) {
      this.rest.look();
      const end = await this.over();
      if (end !== undefined) return end;
    }
    return { by: 'time' };
  }

  private async over(): Promise<SessionEnd | undefined> {
    const { guest, signals } = this.options;
    await signals.sleep(0);
    if (process.stdout.writableNeedDrain) await new Promise((resume) => process.stdout.once('drain', resume));
    if (this.mistake !== undefined) throw new InputError(this.mistake);
    if (signals.caught !== undefined) return { by: 'signal' };
    if (guest.ending !== undefined) return { by: 'guest', ending: guest.ending };
    return this.hasQuit ? { by: 'user' } : undefined;
  }

  private type(line: string): void {
    const isTwice = line.startsWith(ESCAPE + ESCAPE);
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
