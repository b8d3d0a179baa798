/**
 * A VF as hardware: one of the emulator's own network cards (NE2000, PCI 10ec:8029), which stands in the slot that the
 * host's function says, and whose frames go to and come from that function.
 * Source: v86 0.5.462, src/ne2k.js: a card has an id, which says its ports (0x300, 0x400, ...) and the names of its
 * events, so that there can be several; linux drivers/net/ethernet/8390/ne2k-pci.c for what its driver reads.
 * What this leaves out: the vendor, the windows and the MSI-X vectors that the host's VF model has; a card that has no
 * room for a frame drops it.
 */
import { known } from '../../base/assert.ts';
import { macBytes } from '../../base/mac.ts';
import type { PciFunction } from '../../bus/pci-function.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { AcpiHotplug } from './acpi-hotplug.ts';
import type { PciSlots } from './pci-slots.ts';
import type { Processor } from './processor.ts';
import type { V86Ne2k, V86Ne2kClass } from './v86-parts.ts';

export interface VfNicParts {
  readonly sim: Simulation;
  readonly processor: Processor;
  readonly slots: PciSlots;
  readonly hotplug: AcpiHotplug;
  readonly fn: PciFunction;
  /** Which of the cards, from 0. */
  readonly index: number;
  /** Called with what the guest sends. */
  readonly sent: (frame: Uint8Array) => void;
}

export interface VfNicRecord {
  /** The slot that it stands in. */
  readonly slot: number | undefined;
  readonly space: readonly number[];
  readonly card: readonly unknown[];
}

export class VfNic {
  readonly fn: PciFunction;
  /** The slot that it stands in; undefined while the host has it. */
  slot: number | undefined;
  private readonly parts: VfNicParts;
  private readonly card: V86Ne2k;
  private readonly space: Int32Array;

  constructor(parts: VfNicParts) {
    this.parts = parts;
    this.fn = parts.fn;
    this.card = cardOf(parts.processor, parts.index);
    this.space = parts.slots.takeOut(this.card);
    parts.slots.gate(this.card, () => this.answers());
    parts.processor.emulator.add_listener(`net${this.card.id}-send`, (frame: Uint8Array) => parts.sent(frame.slice()));
  }

  /** Begins to do what the host says. */
  start(): void {
    const { sim, fn } = this.parts;
    sim.spawn(`${fn.name} slot`, 'host', this.followSlot(), { daemon: true });
    sim.spawn(`${fn.name} eject request`, 'host', this.followRequests(), { daemon: true });
    sim.spawn(`${fn.name} card`, 'host', this.receive(), { daemon: true });
  }

  save(): VfNicRecord {
    return { slot: this.slot, space: [...this.space], card: this.card.get_state() };
  }

  /** Takes a saved state over, in a machine whose cards are all as they were made. */
  restore({ slot, space, card }: VfNicRecord): void {
    this.card.set_state([...card]);
    this.parts.slots.restore(this.card, this.space, Int32Array.from(space));
    this.slot = slot;
    if (slot !== undefined) this.parts.slots.putIn(this.card, this.space, slot);
  }

  /** Leaves its slot for a moment in which nothing runs, and comes back to it. */
  withdraw(): void {
    if (this.slot !== undefined) this.parts.slots.takeOut(this.card);
  }

  putBack(): void {
    if (this.slot !== undefined) this.parts.slots.putIn(this.card, this.space, this.slot);
  }

  private *followSlot(): Task {
    const { fn } = this.parts;
    for (;;) {
      yield* fn.present.heed(false);
      // In a machine that goes on from a snapshot it may be in its slot already.
      if (this.slot === undefined) this.plug();
      yield* fn.present.heed(true);
      if (this.slot !== undefined) this.unplug();
    }
  }

  private *followRequests(): Task {
    const { fn, hotplug } = this.parts;
    for (let asked = fn.ejecting.now; ; asked = !asked) {
      yield* fn.ejecting.heed(asked);
      if (!asked && this.slot !== undefined) hotplug.askToEject(this.slot);
    }
  }

  private *receive(): Task {
    for (;;) {
      const frame = yield* this.parts.fn.rx.take();
      if (this.answers()) this.card.receive(frame);
    }
  }

  private plug(): void {
    const { sim, slots, hotplug, fn } = this.parts;
    const slot = known(fn.identity, fn.name).serial;
    // Two VFs of one serial number: a bus has one place for both.
    if (!slots.isFree(slot)) {
      sim.trace.emit({ kind: 'host.refused', dev: fn.name, what: 'plug', why: `slot ${slot} has another VF in it` });
      return;
    }
    const address = macBytes(fn.mac);
    this.card.mac.set(address);
    address.forEach((byte, i) => {
      this.card.memory.fill(byte, 2 * i, 2 * i + 2);
    });
    this.slot = slot;
    slots.putIn(this.card, this.space, slot);
    slots.reset(this.card, this.space);
    hotplug.plugged(slot);
  }

  private unplug(): void {
    const { slots } = this.parts;
    slots.lowerLine(this.card);
    slots.takeOut(this.card);
    this.slot = undefined;
  }

  private answers(): boolean {
    if (this.slot === undefined) return false;
    if (this.fn.alive) return true;
    // What has died pulls no line any more.
    this.parts.slots.lowerLine(this.card);
    return false;
  }
}

/** The card that v86 has made itself, or another of its kind. */
function cardOf({ cpu }: Processor, index: number): V86Ne2k {
  const first = cpu.devices.net;
  if (index === 0) return first;
  return new (first.constructor as V86Ne2kClass)(cpu, first.bus, true, false, index);
}
