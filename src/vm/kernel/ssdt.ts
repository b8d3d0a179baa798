/**
 * The ACPI table through which the guest finds the VMBus: Hyper-V puts a device with the id "VMBUS" into its DSDT, below a
 * module device whose resources are the bus's memory window (Linux 6.1, drivers/hv/vmbus_drv.c: `vmbus_acpi_device_ids`,
 * `vmbus_acpi_add`). SeaBIOS's tables lack it, so it comes as an SSDT in front of the initrd (CONFIG_ACPI_TABLE_UPGRADE;
 * Documentation/admin-guide/acpi/initrd_table_override.rst).
 *
 * Encodings: ACPI Specification 6.5, chapter 5.2.6 (table header), 6.4 (resource descriptors), 20.2 (AML). Left out: every
 * object that this one table does not need.
 */

/** AML opcodes, chapter 20.2. */
const OP = {
  zero: [0x00],
  name: [0x08],
  byte: [0x0a],
  string: [0x0d],
  scope: [0x10],
  buffer: [0x11],
  device: [0x5b, 0x82],
} as const;

/** One byte, or the low half byte and then as many bytes as bits 7-6 say (20.2.4); it counts itself. */
function withLength(op: readonly number[], body: readonly number[]): number[] {
  const ONE_BYTE_MAX = 0x3f;
  if (body.length + 1 <= ONE_BYTE_MAX) return [...op, body.length + 1, ...body];
  const length = body.length + 2;
  return [...op, 0x40 | (length & 0x0f), length >> 4, ...body];
}

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
/** A name segment has four characters, filled up with underscores (20.2.2). */
const segment = (name: string): number[] => ascii(name.padEnd(4, '_'));
const u32 = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((byte) => byte & 0xff);

const named = (name: string, value: readonly number[]): number[] => [...OP.name, ...segment(name), ...value];
const text = (value: string): number[] => [...OP.string, ...ascii(value), 0];
const byte = (value: number): number[] => (value === 0 ? [...OP.zero] : [...OP.byte, value]);
const device = (name: string, ...objects: readonly number[][]): number[] =>
  withLength(OP.device, [...segment(name), ...objects.flat()]);

/** A buffer of descriptors with the end tag (6.4.2.9); its checksum 0 means that there is none. */
function resources(...descriptors: readonly number[][]): number[] {
  const all = [...descriptors.flat(), 0x79, 0];
  return withLength(OP.buffer, [...byte(all.length), ...all]);
}

interface Window {
  readonly first: number;
  readonly last: number;
}

/** DWord address space descriptor (6.4.3.5.2) of memory that a bridge hands on. */
function memoryWindow({ first, last }: Window): number[] {
  const MEMORY = 0;
  /** Producer, positive decoding, minimum and maximum fixed. */
  const GENERAL = 0x0c;
  /** Cacheable, read and write. */
  const SPECIFIC = 0x03;
  const [granularity, translation] = [0, 0];
  const body = [granularity, first, last, translation, last - first + 1].flatMap(u32);
  const rest = [MEMORY, GENERAL, SPECIFIC, ...body];
  return [0x87, rest.length, 0, ...rest];
}

/** IRQ descriptor without flags (6.4.2.1): edge, active high. */
function interrupt(number: number): number[] {
  const mask = 1 << number;
  return [0x22, mask & 0xff, mask >> 8];
}

/** Where Hyper-V too has its low window: above the PCI hole, below the IO-APIC. No synthetic NIC uses any of it. */
export const MMIO_WINDOW: Window = { first: 0xf800_0000, last: 0xfbff_ffff };
/** Hyper-V's table names one; the driver takes the interrupts of the SynIC. Which one is invented. */
const INTERRUPT = 5;
/** Present, enabled, shown, functioning (6.3.7, _STA). */
const STATUS = 0x0f;

/** Signature, length, revision, checksum, OEM id and table id and revision, creator id and revision. */
function withHeader(body: readonly number[]): Uint8Array {
  const HEADER = 36;
  const CHECKSUM_AT = 9;
  const bytes = Buffer.from([
    ...[...ascii('SSDT'), ...u32(HEADER + body.length), 2, 0],
    ...[...ascii('NTVSIM'), ...ascii('VMBUS\0\0\0'), ...u32(1)],
    ...[...ascii('NTVS'), ...u32(1)],
    ...body,
  ]);
  // The sum of all bytes is 0.
  bytes[CHECKSUM_AT] = -bytes.reduce((sum, value) => sum + value, 0) & 0xff;
  return bytes;
}

/** The table. In ACPI's own language: `Scope (\_SB) { Device (VMOD) { _HID, _UID, _CRS; Device (VMBS) { ... } } }`. */
export function vmbusSsdt(): Uint8Array {
  const bus = device(
    'VMBS',
    named('_STA', byte(STATUS)),
    named('_HID', text('VMBUS')),
    named('_UID', byte(0)),
    named('_CRS', resources(interrupt(INTERRUPT))),
  );
  // ACPI0004 is a module device: what stands below it has its resources (ACPI 6.5, table 5.165).
  const module = device(
    'VMOD',
    named('_HID', text('ACPI0004')),
    named('_UID', byte(0)),
    named('_CRS', resources(memoryWindow(MMIO_WINDOW))),
    bus,
  );
  return withHeader(withLength(OP.scope, [...ascii('\\'), ...segment('_SB'), ...module]));
}
