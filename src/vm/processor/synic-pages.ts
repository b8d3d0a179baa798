/**
 * The interrupt controller's end in the processor: the flags in the event page, and the vector that each interrupt
 * source has. The message page belongs to the bus (bus/synic.ts), which says here only that something lies in it.
 * Source: TLFS 6.0b, 12.2 and 12.8; drivers/hv/vmbus_drv.c, vmbus_isr().
 */
import type { Bus } from '../../bus/bus.ts';
import { VMBUS_MESSAGE_SINT } from '../../wire/synic.ts';
import type { Processor } from './processor.ts';
import { EVENT_FLAGS, EVENT_FLAGS_SIZE, SINT } from './tlfs.ts';

export class SynicPages {
  /** Where the guest has put the event flags, and whether it has. */
  eventFlags: number | undefined;
  /** What the guest has written to an interrupt source's register. */
  source: (index: number) => number = () => SINT.masked;
  private readonly processor: Processor;

  constructor(processor: Processor, bus: Bus) {
    this.processor = processor;
    bus.synic.onMessage = () => this.interrupt();
    bus.flags.onRaise = (relid) => this.raise(relid);
  }

  /** Sets a channel's flag. One that is set already has its interrupt on the way. */
  private raise(relid: number): void {
    const { ram } = this.processor;
    if (this.eventFlags === undefined || relid >= EVENT_FLAGS) return;
    const at = this.eventFlags + VMBUS_MESSAGE_SINT * EVENT_FLAGS_SIZE + (relid >> 3);
    const flags = ram[at];
    if (flags === undefined) return;
    ram[at] = flags | (1 << (relid & 7));
    this.interrupt();
  }

  private interrupt(): void {
    const source = this.source(VMBUS_MESSAGE_SINT);
    if ((source & SINT.masked) === 0) this.processor.interrupt(source & SINT.vector);
  }
}
