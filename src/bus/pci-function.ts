/**
 * A PCI function that is passed through to the guest, as the guest touches it: configuration space, memory windows, a
 * doorbell for frames that it is to send and a queue of those that it received.
 * Source: PCI Local Bus Specification 3.0, 6.1 and 6.2.5 (header, sizing of BARs); reads of a device that is not there
 * give all ones.
 * What this leaves out: capabilities, MSI-X tables, registers in the windows (they read as zero), DMA: a frame goes
 * over as one piece.
 */
import { assert } from '../base/assert.ts';
import { type MacAddress, ZERO_MAC } from '../base/mac.ts';
import { Cell } from '../sim/cell.ts';
import type { Footprint } from '../sim/footprint.ts';
import { Operation, SharedObject } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import type { Mailbox } from './mailbox.ts';

/** What configuration space says. */
export interface PciIdentity {
  readonly vendor: number;
  readonly device: number;
  readonly revision: number;
  /** Base class, subclass and interface as one number of 24 bits: 0x020000 is an Ethernet controller. */
  readonly classCode: number;
  readonly barSizes: readonly number[];
  /** The address that the function's own firmware tells its driver: the same as the synthetic NIC's beside it. */
  readonly mac: MacAddress;
  /** The serial number in its PCI description: that of its slot, where it stands in one. */
  readonly serial: number;
}

/**
 * `absent`: nothing answers. `alive`: everything does. `dead`: it is still listed on its bus, but reads give all ones
 * and frames vanish (surprise removal, firmware failure).
 */
export type FunctionState = 'absent' | 'alive' | 'dead';

export const ALL_ONES = 0xffff_ffff;
/** PCI header, type 0. */
export const PCI_REGISTER = {
  id: 0x00,
  command: 0x04,
  class: 0x08,
  header: 0x0c,
  bar0: 0x10,
  subsystem: 0x2c,
} as const;
const BARS = 6;

export interface FunctionRecord {
  /** Mailbox of its owner. */
  readonly owner: string;
  readonly state: FunctionState;
  readonly identity: PciIdentity | undefined;
  readonly registers: ReadonlyMap<number, number>;
  readonly present: boolean;
  readonly ejecting: boolean;
  readonly link: boolean;
  readonly received: readonly Uint8Array[];
}

export class PciFunction extends SharedObject {
  /** Whether it is on its bus. */
  readonly present: Cell<boolean>;
  /** Whether the guest is asked to let go of its slot: the eject request of a slot that is hot-plugged by ACPI. */
  readonly ejecting: Cell<boolean>;
  /** Whether the wire is good, as the function's own link state says. */
  readonly link: Cell<boolean>;
  /** Frames from the host, in order. */
  readonly rx: Queue<Uint8Array>;
  private readonly owner: Mailbox;
  private state: FunctionState = 'absent';
  private what: PciIdentity | undefined;
  /** What was written: command, and BARs as far as they can be. */
  private readonly registers = new Map<number, number>();

  constructor(sim: Simulation, name: string, owner: Mailbox) {
    super(sim, name);
    this.owner = owner;
    this.present = new Cell(sim, `${name} present`, false);
    this.ejecting = new Cell(sim, `${name} ejecting`, false);
    this.link = new Cell(sim, `${name} link`, true);
    this.rx = new Queue(sim, `${name} rx`);
  }

  get alive(): boolean {
    this.sim.footprint?.read(this.place);
    return this.state === 'alive';
  }

  /** What the function is, for whoever made it. */
  get identity(): PciIdentity | undefined {
    this.sim.footprint?.read(this.place);
    return this.what;
  }

  /** What the firmware tells the driver; a function that nothing is in has none. */
  get mac(): MacAddress {
    this.sim.footprint?.read(this.place);
    return this.what?.mac ?? ZERO_MAC;
  }

  /** Hands a frame to the function; false when it is dead and the frame has vanished. */
  transmit(frame: Uint8Array): Operation<boolean> {
    return this.owner.put({ what: 'frame', from: this.name, frame });
  }

  /** {@link transmit} from outside of all contexts: a CPU's write to the function's doorbell. */
  deliverFrame(frame: Uint8Array): void {
    this.owner.inject({ what: 'frame', from: this.name, frame });
  }

  /** The guest lets go of the slot: a CPU's write to the port that ejects. */
  deliverEjected(): void {
    this.owner.inject({ what: 'ejected', from: this.name });
  }

  /** A word of configuration space; all ones when nothing answers. */
  configRead(register: number): Operation<number> {
    return new Operation(this, 'configRead', register);
  }

  configWrite(register: number, value: number): Operation<void> {
    return new Operation(this, 'configWrite', { register, value });
  }

  /** A word of a memory window, as drivers poll it to learn whether their device still lives. */
  barRead(bar: number): Operation<number> {
    return new Operation(this, 'barRead', bar);
  }

  // -- for the host --

  /** It appears, or another one in its place. */
  plugIn(identity: PciIdentity): Operation<void> {
    return new Operation(this, 'plugIn', identity);
  }

  /** It stops to answer: `dead` while its bus still lists it, `absent` when it has left. */
  fallSilent(state: 'dead' | 'absent'): Operation<void> {
    return new Operation(this, 'fallSilent', state);
  }

  enabled(): boolean {
    return true;
  }

  perform(operation: Operation): number | undefined {
    switch (operation.kind) {
      case 'configRead':
        return this.alive ? this.readConfig(operation.arg as number) : ALL_ONES;
      case 'configWrite': {
        const { register, value } = operation.arg as { readonly register: number; readonly value: number };
        if (this.alive) this.registers.set(register, value >>> 0);
        return undefined;
      }
      case 'barRead':
        return this.alive && this.sizeOfBar(operation.arg as number) > 0 ? 0 : ALL_ONES;
      case 'plugIn':
        this.what = operation.arg as PciIdentity;
        this.registers.clear();
        this.rx.discard(); // frames for the one that was here before
        this.state = 'alive';
        return undefined;
      default:
        this.state = operation.arg as FunctionState;
        return undefined;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'configRead' || operation.kind === 'barRead') footprint.read(this.place);
    else footprint.write(this.place);
  }

  peek(): string {
    return this.state;
  }

  save(): FunctionRecord {
    return {
      owner: this.owner.name,
      state: this.state,
      identity: this.what,
      registers: new Map(this.registers),
      present: this.present.now,
      ejecting: this.ejecting.now,
      link: this.link.now,
      received: [...this.rx.contents()],
    };
  }

  /** Takes over a saved state; whoever waits at one of its parts is looked at again. */
  restore(record: FunctionRecord): void {
    this.state = record.state;
    this.what = record.identity;
    this.registers.clear();
    for (const [register, value] of record.registers) this.registers.set(register, value);
    const { present, ejecting, link } = this;
    for (const [cell, value] of [
      [present, record.present] as const,
      [ejecting, record.ejecting] as const,
      [link, record.link] as const,
    ]) {
      cell.perform(cell.set(value));
      this.sim.reconsider(cell);
    }
    while (this.rx.length > 0) this.rx.perform(this.rx.take());
    for (const frame of record.received) this.rx.inject(frame);
    this.sim.reconsider(this.rx);
  }

  private sizeOfBar(bar: number): number {
    return this.what?.barSizes[bar] ?? 0;
  }

  private readConfig(register: number): number {
    const { vendor, device, revision, classCode } = this.what as PciIdentity;
    switch (register) {
      case PCI_REGISTER.id:
      case PCI_REGISTER.subsystem:
        return ((device << 16) | vendor) >>> 0;
      case PCI_REGISTER.command:
        return this.registers.get(register) ?? 0;
      case PCI_REGISTER.class:
        return ((classCode << 8) | revision) >>> 0;
      default: {
        const bar = (register - PCI_REGISTER.bar0) / 4;
        return Number.isInteger(bar) && bar >= 0 && bar < BARS ? this.readBar(bar, register) : 0;
      }
    }
  }

  /** Address bits below the size cannot be set: whoever writes all ones reads the size back. */
  private readBar(bar: number, register: number): number {
    const size = this.sizeOfBar(bar);
    if (size === 0) return 0;
    assert(Number.isInteger(Math.log2(size)), `a BAR of ${size} bytes`);
    return ((this.registers.get(register) ?? 0) & ~(size - 1)) >>> 0;
  }
}
