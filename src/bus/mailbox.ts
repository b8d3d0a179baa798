/**
 * Where one worker of the host gets everything that it is to look at: messages, signals, frames, timers, requests.
 * One object a worker, so that it waits at one place and the order of what comes to it is one choice after another.
 */
import { type Footprint, HEAD, itemPart } from '../sim/footprint.ts';
import { Operation, SharedObject } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { HV_STATUS } from '../wire/synic.ts';
import type { Payload } from './memory.ts';

/** Anything for a mailbox: a plain record with a word that says what it is. The host adds kinds of its own. */
export interface MailItem {
  readonly what: string;
}

/** What the bus itself puts into mailboxes. */
export type BusItem =
  /** Hypercall POST_MESSAGE. */
  | { readonly what: 'message'; readonly connection: number; readonly message: Payload }
  /** Several that were posted as one: a GPADL header with its bodies. */
  | { readonly what: 'messages'; readonly connection: number; readonly messages: readonly Payload[] }
  /** Hypercall SIGNAL_EVENT: a channel's ring has something. Pending twice is pending once. */
  | { readonly what: 'signal'; readonly channel: number }
  /** A frame that a PCI function was made to send. */
  | { readonly what: 'frame'; readonly from: string; readonly frame: Uint8Array }
  /** The guest has let go of the slot that a PCI function is in. */
  | { readonly what: 'ejected'; readonly from: string };

/** Result of a hypercall. */
export type HvStatus = (typeof HV_STATUS)[keyof typeof HV_STATUS];

export interface MailboxRecord<T> {
  readonly items: readonly T[];
  readonly refused: readonly string[];
}

export class Mailbox<T extends MailItem = BusItem> extends SharedObject {
  private items: (T | BusItem)[] = [];
  /** The channels whose signal is pending. */
  private readonly signals = new Set<number>();
  /** Items that were taken; with those that are in it, the number of the next one. */
  private taken = 0;
  /** Senders whose doorbells lead nowhere: their functions are dead. */
  private readonly refused = new Set<string>();

  constructor(sim: Simulation, name: string) {
    super(sim, name);
  }

  /** False when the sender's doorbell leads nowhere any more. */
  put(item: T | BusItem): Operation<boolean> {
    return new Operation(this, 'put', item);
  }

  /** One operation for items that belong together: a GPADL header and its bodies. */
  putAll(items: readonly (T | BusItem)[]): Operation<void> {
    return new Operation(this, 'putAll', items);
  }

  /** The same, as a hypercall that answers with a status. */
  call(items: readonly (T | BusItem)[]): Operation<HvStatus> {
    return new Operation(this, 'call', items);
  }

  /** A hypercall that the hypervisor itself refuses. */
  refuseCall(status: HvStatus): Operation<HvStatus> {
    return new Operation(this, 'refuseCall', status);
  }

  take(): Operation<T | BusItem> {
    return new Operation(this, 'take');
  }

  /** From now on frames of this sender vanish, or are taken again. */
  refuse(sender: string, refused: boolean): Operation<void> {
    return new Operation(this, 'refuse', { sender, refused });
  }

  /** Puts an item in from outside of all contexts: a timer, a CPU, the machine around. */
  inject(item: T | BusItem): void {
    if (this.sim.footprint !== undefined) this.touchPut([item], this.sim.footprint);
    this.add(item);
    this.changed();
  }

  get length(): number {
    return this.items.length;
  }

  enabled(operation: Operation): boolean {
    return operation.kind !== 'take' || this.items.length > 0;
  }

  perform(operation: Operation): T | BusItem | boolean | HvStatus | undefined {
    switch (operation.kind) {
      case 'take':
        return this.remove();
      case 'put':
        return this.add(operation.arg as T);
      case 'refuseCall':
        return operation.arg as HvStatus;
      case 'refuse': {
        const { sender, refused } = operation.arg as { readonly sender: string; readonly refused: boolean };
        if (refused) this.refused.add(sender);
        else this.refused.delete(sender);
        return undefined;
      }
      default:
        for (const item of operation.arg as readonly T[]) this.add(item);
        return HV_STATUS.success;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    switch (operation.kind) {
      case 'take':
        this.touchTake(footprint);
        break;
      case 'put':
        this.touchPut([operation.arg as T], footprint);
        break;
      case 'refuse':
        footprint.write(this.place, REFUSED);
        break;
      case 'refuseCall':
        break;
      default:
        this.touchPut(operation.arg as readonly T[], footprint);
    }
  }

  peek(): number {
    return this.items.length;
  }

  save(): MailboxRecord<MailItem> {
    return { items: [...this.items], refused: [...this.refused] };
  }

  restore(record: MailboxRecord<MailItem>): void {
    this.items = [];
    this.signals.clear();
    this.refused.clear();
    for (const item of record.items) this.add(item as T);
    for (const sender of record.refused) this.refused.add(sender);
    this.changed();
  }

  private add(item: T | BusItem): boolean {
    if (isSignal(item)) {
      if (this.signals.has(item.channel)) return true;
      this.signals.add(item.channel);
    } else if (this.refused.size > 0 && isFrame(item) && this.refused.has(item.from)) {
      return false;
    }
    this.items.push(item);
    return true;
  }

  private touchTake(footprint: Footprint): void {
    const [first] = this.items;
    footprint.write(this.place, HEAD);
    footprint.need(this.place, itemPart(this.taken));
    if (first !== undefined && isSignal(first)) footprint.write(this.place, signalPart(first.channel));
  }

  /** A signal that is pending already changes nothing, unless it is taken before. */
  private touchPut(items: readonly (T | BusItem)[], footprint: Footprint): void {
    let next = this.taken + this.items.length;
    for (const item of items) {
      if (isFrame(item)) footprint.read(this.place, REFUSED);
      if (isSignal(item)) {
        footprint.write(this.place, signalPart(item.channel));
        if (this.signals.has(item.channel)) continue;
      }
      footprint.write(this.place);
      footprint.put(this.place, next, next - this.taken);
      next++;
    }
  }

  private remove(): T | BusItem {
    const item = this.items.shift() as T | BusItem;
    this.taken++;
    if (isSignal(item)) this.signals.delete(item.channel);
    return item;
  }
}

/** The part of a mailbox that says whose frames it refuses. */
const REFUSED = 2;

/** The part of a mailbox that says whether a channel's signal is pending. */
const signalPart = (channel: number): number => itemPart(channel);

const isSignal = (item: MailItem): item is Extract<BusItem, { what: 'signal' }> => item.what === 'signal';
const isFrame = (item: MailItem): item is Extract<BusItem, { what: 'frame' }> => item.what === 'frame';
