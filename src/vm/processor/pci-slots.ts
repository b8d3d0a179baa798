/**
 * The slots of v86's PCI bus, into which devices can come and out of which they can go.
 * Source: v86 0.5.462, src/pci.js: both of its tables are by bus, device and function; it finds nothing where they have
 * nothing, but a narrow write there ends in a TypeError, which is mended here. PCI Local Bus Specification 3.0, 6.1 (a
 * read of a device that is not there gives all ones).
 */
import type { PortEntry, V86Cpu, V86Pci, V86PciDevice } from './v86-parts.ts';

/** PCI header, type 0. */
const COMMAND = 1;
const BAR0 = 4;
const ADDRESS_MASK = 0xfffe;
/** Where bus, device and function begin in a configuration address (3.2.2.3.2). */
const FUNCTION_SHIFT = 8;

export class PciSlots {
  private readonly pci: V86Pci;
  /** Which of the devices answers, where one may be there and not do so. */
  private readonly answering = new Map<V86PciDevice, () => boolean>();

  constructor(cpu: V86Cpu) {
    this.pci = cpu.devices.pci;
    const { pci } = this;
    const query = pci.pci_query;
    pci.pci_query = () => {
      query.call(pci);
      const asked = pci.devices[((pci.pci_addr32[0] as number) >> FUNCTION_SHIFT) & 0xffff];
      if (asked !== undefined && this.answering.get(asked)?.() === false) pci.pci_response32[0] = -1;
    };
    for (const width of ['pci_write8', 'pci_write16'] as const) {
      const write = pci[width];
      pci[width] = (address, value) => {
        if (pci.device_spaces[(address >> FUNCTION_SHIFT) & 0xffff] !== undefined) write.call(pci, address, value);
      };
    }
  }

  /** Whether nothing is in the slot. */
  isFree(slot: number): boolean {
    return this.pci.devices[slot << 3] === undefined;
  }

  /** Takes a device out of the bus that v86 has made; its configuration space is its own from then on. */
  takeOut(device: V86PciDevice): Int32Array {
    const { devices, device_spaces } = this.pci;
    const space = device_spaces[device.pci_id] as Int32Array;
    devices[device.pci_id] = undefined;
    device_spaces[device.pci_id] = undefined;
    return space;
  }

  putIn(device: V86PciDevice, space: Int32Array, slot: number): void {
    device.pci_id = slot << 3;
    this.pci.devices[device.pci_id] = device;
    this.pci.device_spaces[device.pci_id] = space;
  }

  /** Lets a device answer only while it is said to: else it reads as all ones, and what is written to it vanishes. */
  gate(device: V86PciDevice, answers: () => boolean): void {
    this.answering.set(device, answers);
    for (const entry of device.pci_bars.flatMap(({ entries }) => entries)) gatePort(entry, answers);
  }

  /** Its interrupt line falls. */
  lowerLine(device: V86PciDevice): void {
    if (this.pci.device_spaces[device.pci_id] !== undefined) this.pci.lower_irq(device.pci_id);
  }

  /** What a reset does to configuration space: nothing is enabled, and windows are where they were at first. */
  reset(device: V86PciDevice, space: Int32Array): void {
    space[COMMAND] = 0;
    for (const [i, bar] of device.pci_bars.entries()) {
      const at = (space[BAR0 + i] as number) & ADDRESS_MASK;
      this.pci.set_io_bars(bar, at, bar.original_bar & ADDRESS_MASK);
      space[BAR0 + i] = bar.original_bar;
    }
  }

  /** Takes over a saved configuration space, and moves the windows from where they were at first. */
  restore(device: V86PciDevice, space: Int32Array, saved: Int32Array): void {
    space.set(saved);
    for (const [i, bar] of device.pci_bars.entries()) {
      this.pci.set_io_bars(bar, bar.original_bar & ADDRESS_MASK, (saved[BAR0 + i] as number) & ADDRESS_MASK);
    }
  }
}

function gatePort(entry: PortEntry, answers: () => boolean): void {
  const { read8, read16, read32, write8, write16, write32 } = entry;
  entry.read8 = (port) => (answers() ? read8.call(entry.device, port) : 0xff);
  entry.read16 = (port) => (answers() ? read16.call(entry.device, port) : 0xffff);
  entry.read32 = (port) => (answers() ? read32.call(entry.device, port) : -1);
  entry.write8 = (value) => (answers() ? write8.call(entry.device, value) : undefined);
  entry.write16 = (value) => (answers() ? write16.call(entry.device, value) : undefined);
  entry.write32 = (value) => (answers() ? write32.call(entry.device, value) : undefined);
}
