/**
 * The ACPI PCI hot-plug controller of QEMU's PIIX4 machine, which SeaBIOS's tables (and so v86's guests) expect: its
 * ports, and the general-purpose event that says that a slot has something new.
 * Source: QEMU docs/specs/acpi_pci_hotplug.rst (ports, meaning); SeaBIOS src/fw/ssdt-pcihp.dsl, acpi-dsdt-hpet.dsl and
 * acpi-dsdt.dsl (GPE0 block at 0xafe0, _E01); ACPI specification 6.4, 4.8.4.1 (status bits are cleared by writing ones).
 * v86 answers the same ports otherwise: its status is no write-one-to-clear, and what it does not know reads as all
 * ones, on which a guest drops every PCI device it has. So this takes the ports over before the guest is started.
 */
import type { V86Cpu } from './v86-parts.ts';

/** GPE0_BLK of the tables: status bytes, then enable bytes. */
const GPE0_STATUS = 0xafe0;
const GPE0_ENABLE = 0xafe2;
const GPE0_BYTES = 2;
/** acpi_pci_hotplug: PCIU, PCID, B0EJ, PCRM. */
const PORT = { up: 0xae00, down: 0xae04, eject: 0xae08, removable: 0xae0c } as const;
/** _E01 of the tables. */
const HOTPLUG_EVENT = 1 << 1;
/** SCI_INT of the tables. */
const SCI = 9;
export const SLOTS = 32;

export interface HotplugRecord {
  readonly status: number;
  readonly enable: number;
  readonly up: number;
  readonly down: number;
}

export class AcpiHotplug {
  /** The guest has let go of a slot. */
  onEject: ((slot: number) => void) | undefined;
  private readonly cpu: V86Cpu;
  private status = 0;
  private enable = 0;
  /**
   * Slots that something came into, and slots that are asked for. The tables read both once a slot, so that a bit stays
   * until its slot is asked for, or is let go of; a guest that is told of a slot again finds nothing new there.
   */
  private up = 0;
  private down = 0;

  constructor(cpu: V86Cpu) {
    this.cpu = cpu;
    const { io } = cpu;
    for (let i = 0; i < GPE0_BYTES; i++) {
      const shift = 8 * i;
      io.register_read(GPE0_STATUS + i, this, () => (this.status >> shift) & 0xff);
      io.register_write(GPE0_STATUS + i, this, (value) => {
        this.status &= ~(value << shift);
        this.drive();
      });
      io.register_read(GPE0_ENABLE + i, this, () => (this.enable >> shift) & 0xff);
      io.register_write(GPE0_ENABLE + i, this, (value) => {
        this.enable = (this.enable & ~(0xff << shift)) | (value << shift);
        this.drive();
      });
    }
    const narrow = (): number => 0;
    io.register_read(PORT.up, this, narrow, narrow, () => this.up);
    io.register_read(PORT.down, this, narrow, narrow, () => this.down);
    io.register_read(PORT.eject, this, narrow, narrow, narrow);
    io.register_read(PORT.removable, this, narrow, narrow, () => -1);
    const ignored = (): void => undefined;
    io.register_write(PORT.eject, this, ignored, ignored, (slots) => this.ejected(slots));
  }

  /** Says that something is in the slot. */
  plugged(slot: number): void {
    this.up |= 1 << slot;
    this.down &= ~(1 << slot);
    this.raise();
  }

  /** Asks the guest to let go of the slot. */
  askToEject(slot: number): void {
    this.up &= ~(1 << slot);
    this.down |= 1 << slot;
    this.raise();
  }

  save(): HotplugRecord {
    const { status, enable, up, down } = this;
    return { status, enable, up, down };
  }

  restore({ status, enable, up, down }: HotplugRecord): void {
    Object.assign(this, { status, enable, up, down });
  }

  private raise(): void {
    this.status |= HOTPLUG_EVENT;
    this.drive();
  }

  /**
   * The interrupt is a level (ACPI 6.4, 4.8.4.1; QEMU hw/acpi/core.c, acpi_update_sci()): what comes while the guest has
   * the event disabled, because it is at the last one, interrupts when it is enabled again. v86 lowers the line whenever
   * its ACPI timer is looked at, so that it may have to be raised anew.
   */
  private drive(): void {
    this.cpu.device_lower_irq(SCI);
    if ((this.status & this.enable) !== 0) this.cpu.device_raise_irq(SCI);
  }

  private ejected(slots: number): void {
    this.up &= ~slots;
    this.down &= ~slots;
    for (let slot = 0; slot < SLOTS; slot++) if (((slots >>> slot) & 1) === 1) this.onEject?.(slot);
  }
}
