/**
 * The parts of v86 that are used here and that its own types do not tell of: names as in v86 0.5.462's sources.
 * `npm run check` cannot see whether they are still so; test/real does.
 */
import type { WasmMemory, WasmTable } from './web-assembly.ts';

/** A device's handlers for ports, as `IO.register_read` and `IO.register_write` take them. */
type PortRead = () => number;
type PortWrite = (value: number) => void;

/** src/io.js: what is behind one port. */
export interface PortEntry {
  read8: (port: number) => number;
  read16: (port: number) => number;
  read32: (port: number) => number;
  write8: (value: number) => void;
  write16: (value: number) => void;
  write32: (value: number) => void;
  device: unknown;
}

export interface V86Io {
  readonly ports: PortEntry[];
  register_read(port: number, device: object, r8?: PortRead, r16?: PortRead, r32?: PortRead): void;
  register_write(port: number, device: object, w8?: PortWrite, w16?: PortWrite, w32?: PortWrite): void;
}

/** src/pci.js: a base address register of a device and the ports that stand behind it. */
export interface V86Bar {
  readonly size: number;
  readonly original_bar: number;
  readonly entries: PortEntry[];
}

export interface V86PciDevice {
  pci_id: number;
  readonly pci_space: readonly number[];
  readonly pci_bars: readonly V86Bar[];
  readonly name: string;
}

/** src/pci.js; both lists are by bus, device and function as one number. */
export interface V86Pci {
  readonly devices: (V86PciDevice | undefined)[];
  readonly device_spaces: (Int32Array | undefined)[];
  readonly pci_addr32: Int32Array;
  readonly pci_response32: Int32Array;
  pci_query(): void;
  lower_irq(id: number): void;
  pci_write8(address: number, value: number): void;
  pci_write16(address: number, value: number): void;
  pci_write32(address: number, value: number): void;
  set_io_bars(bar: V86Bar, from: number, to: number): void;
}

/** src/ne2k.js. */
export interface V86Ne2k extends V86PciDevice {
  readonly id: number;
  readonly bus: V86Bus;
  readonly mac: Uint8Array;
  /** The card's 32 KiB, which begin with the address PROM: each byte twice. */
  readonly memory: Uint8Array;
  receive(frame: Uint8Array): void;
  get_state(): unknown[];
  set_state(state: unknown[]): void;
}

export type V86Ne2kClass = new (
  cpu: V86Cpu,
  bus: V86Bus,
  preserveMac: boolean,
  translateMac: boolean,
  id: number,
) => V86Ne2k;

/** src/uart.js. */
export interface V86Uart {
  readonly input: number[];
}

/** src/bus.js. */
export interface V86Bus {
  send(name: string, value?: unknown): void;
  register(name: string, listener: (value: never) => void, self?: object): void;
}

export interface V86Cpu {
  readonly wasm_memory: WasmMemory;
  readonly wm: { readonly exports: Record<string, () => number>; readonly wasm_table: WasmTable };
  readonly jit_imports: object;
  readonly mem8: Uint8Array;
  readonly reg32: Int32Array;
  readonly flags: Int32Array;
  readonly cpl: Uint8Array;
  readonly in_hlt: Uint8Array;
  readonly instruction_counter: Uint32Array;
  readonly io: V86Io;
  readonly devices: {
    readonly pci: V86Pci;
    readonly net: V86Ne2k;
    readonly uart0: V86Uart;
    readonly uart1: V86Uart;
  };
  codegen_finalize: (index: number, start: number, flags: number, pointer: number, length: number) => void;
  codegen_finalize_finished(index: number, start: number, flags: number): void;
  main_loop(): number;
  reboot_internal(): void;
  get_apic_addr(): number;
  zero_memory(from: number, length: number): void;
  device_raise_irq(irq: number): void;
  device_lower_irq(irq: number): void;
  write_blob(blob: Uint8Array, offset: number): void;
}

/** src/main.js. */
export interface V86Core {
  readonly cpu: V86Cpu;
  init(settings: unknown): void;
  save_state(): ArrayBuffer;
  restore_state(state: ArrayBuffer): void;
}

/** src/browser/starter.js. */
export interface V86Starter {
  v86: V86Core;
  readonly bus: V86Bus;
  add_listener(event: string, listener: (value: never) => void): void;
}
