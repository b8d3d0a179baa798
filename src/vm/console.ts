/**
 * The guest's console: what it prints, in lines with their moments, and whether it says that the kernel has stopped.
 * Source: linux kernel/panic.c, panic() (the line "Kernel panic - not syncing"), lib/dump_stack.c and
 * arch/x86/kernel/dumpstack.c, die() (`BUG:`, `Oops:`).
 */
import type { Nanoseconds } from '../base/time.ts';
import type { SerialLine } from './processor/serial-line.ts';

export interface ConsoleLine {
  readonly at: Nanoseconds;
  readonly text: string;
}

const PANIC = /Kernel panic - not syncing/;
const END_OF_PANIC = /---\[ end Kernel panic/;
/** A line of more bytes is cut: a guest may print for ever and never end one. Invented; printk() has 1,024 (LOG_LINE_MAX). */
const LINE_MOST = 2 ** 16;
/** So many lines say what led to the end. */
const TAIL = 20;

export interface ConsoleRecord {
  readonly lines: readonly ConsoleLine[];
  readonly partial: readonly number[];
}

export class Console {
  /** Called with each byte, as a terminal wants them. */
  readonly listeners: ((byte: number) => void)[] = [];
  /** Called with each line, when it is whole. */
  readonly lineListeners: ((line: ConsoleLine) => void)[] = [];
  /** What the kernel said when it stopped for good. */
  panic: string | undefined;
  /** Whether it has said all that it says then. */
  hasPanicked = false;
  private readonly line: SerialLine;
  private readonly now: () => Nanoseconds;
  private all: ConsoleLine[] = [];
  private partial: number[] = [];

  constructor(line: SerialLine, now: () => Nanoseconds) {
    this.line = line;
    this.now = now;
    line.listeners.push((byte) => this.hear(byte));
  }

  /** All lines that were printed. */
  get lines(): readonly ConsoleLine[] {
    return this.all;
  }

  /** What stands in the line that is not whole. */
  get lastLine(): Buffer {
    return Buffer.from(this.partial);
  }

  /** The last lines, and what stands in the one that is not whole. */
  tail(): readonly string[] {
    const rest = textOf(this.partial);
    return [...this.all.slice(-TAIL).map(({ text }) => text), ...(rest === '' ? [] : [rest])];
  }

  /** Types for the user who sits before it. */
  type(bytes: Uint8Array): void {
    this.line.send(bytes);
  }

  save(): ConsoleRecord {
    return { lines: [...this.all], partial: [...this.partial] };
  }

  restore({ lines, partial }: ConsoleRecord): void {
    this.all = [...lines];
    this.partial = [...partial];
  }

  private hear(byte: number): void {
    for (const listener of this.listeners) listener(byte);
    if (byte !== NEW_LINE) this.partial.push(byte);
    if (byte !== NEW_LINE && this.partial.length < LINE_MOST) return;
    const line = { at: this.now(), text: textOf(this.partial) };
    this.partial = [];
    this.all.push(line);
    if (PANIC.test(line.text)) this.panic ??= line.text;
    if (END_OF_PANIC.test(line.text)) this.hasPanicked = true;
    for (const listener of this.lineListeners) listener(line);
  }
}

const NEW_LINE = 10;

const textOf = (bytes: readonly number[]): string => Buffer.from(bytes).toString().replaceAll('\r', '');
