import { describe, expect, test } from 'vitest';
import { AcpiHotplug } from '../../../src/vm/processor/acpi-hotplug.ts';
import { PciSlots } from '../../../src/vm/processor/pci-slots.ts';
import { Power } from '../../../src/vm/processor/power.ts';
import type { Processor } from '../../../src/vm/processor/processor.ts';
import { SerialLine } from '../../../src/vm/processor/serial-line.ts';
import type { V86Cpu, V86PciDevice } from '../../../src/vm/processor/v86-parts.ts';

/** The parts around the processor, over a machine that is nothing but ports. */

type Ports = Record<number, { reads: (() => number)[]; writes: ((value: number) => void)[] }>;

function portsOnly() {
  const ports: Ports = {};
  const at = (port: number) => {
    ports[port] ??= { reads: [], writes: [] };
    return ports[port];
  };
  const irqs: number[] = [];
  const cpu = {
    io: {
      register_read: (port: number, _device: object, ...reads: (() => number)[]) => Object.assign(at(port), { reads }),
      register_write: (port: number, _device: object, ...writes: (() => void)[]) => Object.assign(at(port), { writes }),
    },
    device_raise_irq: (irq: number) => irqs.push(irq),
    device_lower_irq: (irq: number) => irqs.push(-irq),
  };
  const in8 = (port: number): number => at(port).reads[0]?.() as number;
  const in32 = (port: number): number => at(port).reads[2]?.() as number;
  const out8 = (port: number, value: number): void => at(port).writes[0]?.(value);
  const out32 = (port: number, value: number): void => at(port).writes[2]?.(value);
  return { cpu: cpu as unknown as V86Cpu, irqs, in8, in32, out8, out32 };
}

describe('ACPI hot-plug', () => {
  test('an event is there until it is written over with ones', () => {
    const { cpu, in8, in32, out8 } = portsOnly();
    const hotplug = new AcpiHotplug(cpu);
    expect([in8(0xafe0), in8(0xafe1), in32(0xae00), in32(0xae04), in32(0xae0c)]).toEqual([0, 0, 0, 0, -1]);
    hotplug.plugged(9);
    expect([in8(0xafe0), in32(0xae00)]).toEqual([2, 1 << 9]);
    out8(0xafe0, 1);
    expect(in8(0xafe0)).toBe(2);
    out8(0xafe0, 2);
    expect([in8(0xafe0), in32(0xae00), in32(0xae00)]).toEqual([0, 1 << 9, 1 << 9]);
  });

  test('the interrupt is a level: an event that comes while it is disabled interrupts when it is enabled', () => {
    const { cpu, irqs, out8 } = portsOnly();
    const hotplug = new AcpiHotplug(cpu);
    const isHigh = () => irqs.at(-1) === 9;
    hotplug.plugged(9);
    expect(isHigh()).toBe(false);
    out8(0xafe2, 2);
    expect(isHigh()).toBe(true);
    // As Linux does it: disabled, cleared, and enabled again when the event was looked at.
    out8(0xafe2, 0);
    out8(0xafe0, 2);
    hotplug.askToEject(9);
    expect(isHigh()).toBe(false);
    out8(0xafe2, 2);
    expect(isHigh()).toBe(true);
    out8(0xafe0, 2);
    expect(isHigh()).toBe(false);
  });

  test('two slots are asked for at once, and each is let go of by itself', () => {
    const { cpu, in32, out32 } = portsOnly();
    const hotplug = new AcpiHotplug(cpu);
    const ejected: number[] = [];
    hotplug.onEject = (slot) => ejected.push(slot);
    hotplug.plugged(9);
    hotplug.plugged(31);
    hotplug.askToEject(9);
    hotplug.askToEject(31);
    expect([in32(0xae00), in32(0xae04)]).toEqual([0, (1 << 9) | (1 << 31)]);
    out32(0xae08, 1 << 31);
    expect([ejected, in32(0xae04)]).toEqual([[31], 1 << 9]);
    const other = portsOnly();
    new AcpiHotplug(other.cpu).restore(hotplug.save());
    expect(other.in32(0xae04)).toBe(1 << 9);
  });
});

describe('PCI slots', () => {
  function bus() {
    const space = new Int32Array(64).fill(0x1234);
    const device = { pci_id: 5 << 3, pci_bars: [], name: 'card', pci_space: [] } as V86PciDevice;
    const written: string[] = [];
    const pci = {
      devices: [] as (V86PciDevice | undefined)[],
      device_spaces: [] as (Int32Array | undefined)[],
      pci_addr32: new Int32Array(1),
      pci_response32: new Int32Array(1),
      pci_query: () => {
        pci.pci_response32[0] = pci.device_spaces[((pci.pci_addr32[0] as number) >> 8) & 0xffff]?.[0] ?? -1;
      },
      // What v86 does: a look at the buffer of what need not be there.
      pci_write8: (address: number) => {
        written.push(String((pci.device_spaces[address >> 8] as Int32Array).buffer.byteLength));
      },
      pci_write16: (address: number) => pci.pci_write8(address),
    };
    pci.devices[device.pci_id] = device;
    pci.device_spaces[device.pci_id] = space;
    const slots = new PciSlots({ devices: { pci } } as unknown as V86Cpu);
    const id = (slot: number): number => {
      pci.pci_addr32[0] = (0x8000_0000 | (slot << 11)) >>> 0;
      pci.pci_query();
      return pci.pci_response32[0] as number;
    };
    return { pci, device, slots, id, written };
  }

  test('a device answers in the slot that it is put into, and only while it is said to', () => {
    const { device, slots, id } = bus();
    let answers = true;
    const space = slots.takeOut(device);
    slots.gate(device, () => answers);
    expect(id(5)).toBe(-1);
    slots.putIn(device, space, 12);
    expect([id(5), id(12)]).toEqual([-1, 0x1234]);
    answers = false;
    expect(id(12)).toBe(-1);
  });

  test('a narrow write to where nothing is vanishes', () => {
    const { pci, written } = bus();
    pci.pci_write8(20 << 11);
    pci.pci_write16((5 << 11) | 4);
    expect(written).toEqual(['256']);
  });
});

test('a machine that is switched off says so, and one that only sleeps does not', () => {
  let control = 0;
  const note = (value: number): void => {
    control = value;
  };
  const entry = { write16: note, device: {} };
  const cpu = { io: { ports: { 45060: entry } }, reboot_internal: () => undefined };
  const power = new Power(cpu as unknown as V86Cpu);
  entry.write16(1);
  expect([power.state, control]).toEqual(['on', 1]);
  entry.write16((1 << 13) | (1 << 10));
  expect(power.state).toBe('on');
  entry.write16(1 << 13);
  expect(power.state).toBe('off');
  cpu.reboot_internal();
  expect(power.state).toBe('reset');
});

test('a serial line gives no more than the FIFO takes, and keeps the rest through a snapshot', () => {
  const machine = () => {
    const input: number[] = [];
    const processor = {
      emulator: { add_listener: () => undefined, bus: { send: (_name: string, byte: number) => input.push(byte) } },
      cpu: { devices: { uart1: { input } } },
    };
    return { input, line: new SerialLine(processor as unknown as Processor, 1) };
  };
  const { input, line } = machine();
  line.send(Uint8Array.from({ length: 20 }, (_, i) => i));
  expect([line.feed(), input.length, line.feed()]).toEqual([true, 16, false]);
  input.splice(0, 10);
  const other = machine();
  other.line.restore(line.save());
  expect(other.input).toEqual([10, 11, 12, 13, 14, 15]);
  other.line.feed();
  expect(other.input).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});
