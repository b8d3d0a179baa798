/**
 * A serial line of the machine, seen from its other end.
 * Source: v86 0.5.462, src/uart.js; 16550A data sheet (a FIFO of 16 bytes). v86's takes any number at a time, and a
 * guest that empties its FIFO when it opens the line would lose them.
 */
import type { Processor } from './processor.ts';
import type { V86Uart } from './v86-parts.ts';

const FIFO = 16;

export interface SerialRecord {
  /** Bytes that the guest has still to read, and those that are on the line. */
  readonly unread: readonly number[];
  readonly waiting: readonly number[];
}

export class SerialLine {
  /** Called with each byte that the guest sends. */
  readonly listeners: ((byte: number) => void)[] = [];
  private readonly processor: Processor;
  private readonly number: 0 | 1;
  private waiting: number[] = [];

  constructor(processor: Processor, number: 0 | 1) {
    this.processor = processor;
    this.number = number;
    processor.emulator.add_listener(`serial${number}-output-byte`, (byte: number) => {
      for (const listener of this.listeners) listener(byte);
    });
  }

  /** Puts bytes on the line; they reach the guest as it has room for them. */
  send(bytes: Uint8Array): void {
    for (const byte of bytes) this.waiting.push(byte);
  }

  /** Gives the guest what it has room for; true when that was something. */
  feed(): boolean {
    const count = Math.min(this.waiting.length, FIFO - this.uart.input.length);
    if (count <= 0) return false;
    for (const byte of this.waiting.splice(0, count))
      this.processor.emulator.bus.send(`serial${this.number}-input`, byte);
    return true;
  }

  save(): SerialRecord {
    return { unread: [...this.uart.input], waiting: [...this.waiting] };
  }

  restore({ unread, waiting }: SerialRecord): void {
    this.uart.input.splice(0, this.uart.input.length, ...unread);
    this.waiting = [...waiting];
  }

  private get uart(): V86Uart {
    return this.processor.cpu.devices[`uart${this.number}`];
  }
}
