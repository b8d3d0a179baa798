/**
 * The synthetic interrupt controller's message slot of SINT2, through which the host sends VMBus messages: one message
 * lies in the slot, the others wait until the guest says end-of-message.
 * Source: Hypervisor Top Level Functional Specification, "SynIC"; linux asm/hyperv-tlfs.h, struct hv_message;
 * drivers/hv/vmbus_drv.c, vmbus_signal_eom().
 * What this leaves out: other interrupt sources, timers, other processors.
 */
import { type Footprint, HEAD, itemPart } from '../sim/footprint.ts';
import { Operation, SharedObject } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { isMalformed, type Malformed } from '../wire/message.ts';
import {
  decodeHvMessage,
  encodeHvMessage,
  HV_MESSAGE_TYPE,
  MESSAGE_SLOT_SIZE,
  VMBUS_MESSAGE_SINT,
} from '../wire/synic.ts';
import { VMBUS, type VmbusMessage } from '../wire/vmbus.ts';
import { type GuestMemory, isPage, PAGE_SIZE } from './memory.ts';

/** Byte 5 of a slot: more waits behind this message. */
const PENDING_FLAG_OFFSET = 5;

export interface SynicRecord {
  readonly page: number | undefined;
  readonly slot: VmbusMessage | undefined;
  readonly waiting: readonly VmbusMessage[];
}

export class Synic extends SharedObject {
  /** Called when a message comes to lie in the slot: raises the interrupt of a real CPU. */
  onMessage: (() => void) | undefined;
  private readonly memory: GuestMemory;
  /** The page with the slots: the modelled guest's own, or where a real one has put it. */
  private page: number | undefined;
  /** What lies in the slot, under `direct`. */
  private slot: VmbusMessage | undefined;
  private waiting: VmbusMessage[] = [];
  /** Messages that were taken; with those that are there, the number of the next one. */
  private taken = 0;

  constructor(sim: Simulation, memory: GuestMemory) {
    super(sim, 'synic');
    this.memory = memory;
  }

  deliver(message: VmbusMessage): Operation<void> {
    return new Operation(this, 'deliver', message);
  }

  /** Waits for a message, takes it out of the slot and says end-of-message, which lets the next one in. */
  take(): Operation<VmbusMessage | Malformed> {
    return new Operation(this, 'take');
  }

  /** A real guest says where its message page is (SIMP), or that it has none any more. */
  placeAt(gpa: number | undefined): void {
    this.page = gpa !== undefined && isPage(Math.floor(gpa / PAGE_SIZE)) ? Math.floor(gpa / PAGE_SIZE) : undefined;
    this.refill();
    this.changed();
  }

  /** A real guest has written the end-of-message register. */
  endOfMessage(): void {
    this.refill();
    this.changed();
  }

  enabled(operation: Operation): boolean {
    return operation.kind === 'deliver' || this.isFull;
  }

  perform(operation: Operation): VmbusMessage | Malformed | undefined {
    if (operation.kind === 'take') {
      this.taken++;
      return this.empty();
    }
    this.waiting.push(operation.arg as VmbusMessage);
    this.refill();
    return undefined;
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'take') {
      footprint.write(this.place, HEAD);
      footprint.need(this.place, itemPart(this.taken));
    } else {
      footprint.write(this.place);
      footprint.put(this.place, this.taken + this.peek(), this.peek());
    }
  }

  peek(): number {
    return this.waiting.length + (this.isFull ? 1 : 0);
  }

  save(): SynicRecord {
    return { page: this.page, slot: this.slot, waiting: [...this.waiting] };
  }

  restore(record: SynicRecord): void {
    this.page = record.page;
    this.slot = record.slot;
    this.waiting = [...record.waiting];
    this.changed();
  }

  private get isFull(): boolean {
    if (this.memory.transport === 'direct') return this.slot !== undefined;
    return this.page !== undefined && this.memory.readU32(this.slotAt(this.page)) !== HV_MESSAGE_TYPE.none;
  }

  private slotAt(page: number): number {
    return page * PAGE_SIZE + VMBUS_MESSAGE_SINT * MESSAGE_SLOT_SIZE;
  }

  private refill(): void {
    if (this.waiting.length === 0) return;
    if (this.isFull) {
      this.flagPending();
      return;
    }
    if (this.memory.transport === 'direct') {
      this.slot = this.waiting.shift();
    } else {
      if (this.page === undefined && this.onMessage === undefined) this.page = this.memory.allocate(1);
      if (this.page === undefined) return;
      this.fill(this.page, VMBUS.encode(this.waiting.shift() as VmbusMessage));
    }
    this.onMessage?.();
  }

  private fill(page: number, payload: Uint8Array): void {
    const messagePending = this.waiting.length > 0;
    const message = { messageType: HV_MESSAGE_TYPE.vmbus, messagePending, sender: 0n, payload };
    this.memory.write(this.slotAt(page), encodeHvMessage(message));
  }

  private flagPending(): void {
    if (this.memory.transport === 'direct' || this.page === undefined) return;
    this.memory.write(this.slotAt(this.page) + PENDING_FLAG_OFFSET, Uint8Array.of(1));
  }

  private empty(): VmbusMessage | Malformed | undefined {
    const message = this.memory.transport === 'direct' ? this.slot : this.read(this.page as number);
    this.slot = undefined;
    this.refill();
    return message;
  }

  private read(page: number): VmbusMessage | Malformed {
    const slot = this.slotAt(page);
    const message = decodeHvMessage(this.memory.read(slot, MESSAGE_SLOT_SIZE));
    this.memory.writeU32(slot, HV_MESSAGE_TYPE.none);
    return 'problem' in message && isMalformed(message)
      ? message
      : VMBUS.decode((message as { payload: Uint8Array }).payload);
  }
}
