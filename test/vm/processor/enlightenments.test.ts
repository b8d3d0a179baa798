import { describe, expect, test } from 'vitest';
import { Bus } from '../../../src/bus/bus.ts';
import { GuestMemory } from '../../../src/bus/memory.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import { Enlightenments } from '../../../src/vm/processor/enlightenments.ts';
import type { Processor } from '../../../src/vm/processor/processor.ts';
import { SynicPages } from '../../../src/vm/processor/synic-pages.ts';
import { CRASH_NOTIFY, HYPERCALL, HYPERCALL_CONTROL, MSR, SINT } from '../../../src/vm/processor/tlfs.ts';
import { encodePostMessage, HV_STATUS } from '../../../src/wire/synic.ts';

/** What the processor would do, without one: registers, memory, and calls where it would trap. */

const [EAX, ECX, EDX, EBX] = [0, 1, 2, 3];
const RAM = 2 ** 18;
const CHUNK = 2 ** 16;

function machine() {
  const ram = new Uint8Array(RAM);
  const reg32 = new Int32Array(8);
  const cpl = new Uint8Array(1);
  const interrupts: number[] = [];
  let hypercall = (): void => undefined;
  const cpu = {
    reg32,
    cpl,
    io: {
      register_write: (_port: number, _device: object, _w8: unknown, _w16: unknown, w32: () => void) => {
        hypercall = w32;
      },
    },
    // The processor's own leaf 1.
    wm: { exports: { instr_0FA2: () => reg32.set([0x673, 0x80_0000, 0x1, 0x1_0800], EAX) } },
    write_blob: (bytes: Uint8Array, at: number) => ram.set(bytes, at),
  };
  const processor = { cpu, ram, now: 12_345, interrupt: (vector: number) => interrupts.push(vector) };
  const sim = new Simulation();
  const backing = (chunk: number) =>
    (chunk + 1) * CHUNK <= RAM ? ram.subarray(chunk * CHUNK, (chunk + 1) * CHUNK) : undefined;
  const bus = new Bus(sim, 'bytes', new GuestMemory('bytes', backing));
  const pages = new SynicPages(processor as unknown as Processor, bus);
  const enlightenments = new Enlightenments(processor as unknown as Processor, bus, pages, () => undefined);
  const write = (msr: number, value: bigint): boolean => {
    reg32.set([Number(value & 0xffff_ffffn), msr, Number(value >> 32n)], EAX);
    return enlightenments.wrmsr();
  };
  const read = (msr: number): bigint => {
    reg32[ECX] = msr;
    enlightenments.rdmsr();
    return (BigInt((reg32[EDX] as number) >>> 0) << 32n) | BigInt((reg32[EAX] as number) >>> 0);
  };
  const call = (control: number, low: number, high = 0): number => {
    reg32.set([control, low, 0, high], EAX);
    hypercall();
    return reg32[EAX] as number;
  };
  const cpuid = (leaf: number): string[] => {
    reg32[EAX] = leaf;
    const known = enlightenments.cpuid();
    return known ? [EAX, EBX, ECX, EDX].map((i) => ((reg32[i] as number) >>> 0).toString(16)) : [];
  };
  return { ram, reg32, cpl, sim, bus, interrupts, enlightenments, write, read, call, cpuid };
}

describe('CPUID', () => {
  test('says that this is Hyper-V', () => {
    const { cpuid } = machine();
    const text = cpuid(0x4000_0000)
      .slice(1)
      .map((word) => Buffer.from(word.padStart(8, '0'), 'hex').reverse().toString());
    expect(text.join('')).toBe('Microsoft Hv');
    expect(cpuid(0x4000_0001)[0]).toBe('31237648');
    // SynIC, hypercalls, index, frequencies, invariant TSC; posting and signalling; frequencies, crash registers.
    expect(cpuid(0x4000_0003)).toEqual(['8864', '30', '0', '500']);
  });

  test("leaf 1 is the processor's own, with the bit that says so", () => {
    expect(machine().cpuid(1)).toEqual(['673', '10800', '80800000', '1']);
  });

  test('what is not the hypervisor is left to the processor', () => {
    const { cpuid } = machine();
    expect([cpuid(0), cpuid(2), cpuid(0x4000_0007), cpuid(0x8000_0000)]).toEqual([[], [], [], []]);
  });
});

describe('synthetic registers', () => {
  test('read back as they were written, and those that count count', () => {
    const { write, read } = machine();
    write(MSR.guestOsId, 0x8100_0006_01b0_0000n);
    expect(read(MSR.guestOsId)).toBe(0x8100_0006_01b0_0000n);
    expect(read(MSR.timeReferenceCount)).toBe(123n);
    expect([read(MSR.tscFrequency), read(MSR.apicFrequency), read(MSR.vpIndex)]).toEqual([10n ** 9n, 10n ** 9n, 0n]);
    expect(read(MSR.interruptSource0 + 5)).toBe(BigInt(SINT.masked));
  });

  test('user mode has none of them, and the processor has its own', () => {
    const { write, cpl } = machine();
    expect(write(0x1b, 0n)).toBe(false);
    cpl[0] = 3;
    expect(write(MSR.guestOsId, 1n)).toBe(false);
  });

  test('a crash is noted with what the guest says of it', () => {
    const { write, enlightenments } = machine();
    for (let i = 0; i < 5; i++) write(MSR.crashParameter0 + i, BigInt(10 + i));
    write(MSR.crashControl, CRASH_NOTIFY);
    expect(enlightenments.crash).toEqual({ parameters: [10n, 11n, 12n, 13n, 14n] });
  });

  test('a page beyond memory is none', () => {
    const { write, bus, sim } = machine();
    write(MSR.hypercall, 0xffff_ffff_f001n);
    write(MSR.messagePage, 0xffff_ffff_f001n);
    write(MSR.eventFlagsPage, 0xffff_ffff_f001n);
    write(MSR.interruptSource0 + 2, 0xf3n);
    sim.spawn('host', 'host', bus.synic.deliver({ name: 'allOffersDelivered' }) as never);
    sim.spawn('host', 'host', bus.interrupt(3) as never);
    expect(() => sim.run()).not.toThrow();
  });

  test('they survive being saved', () => {
    const [one, other] = [machine(), machine()];
    one.write(MSR.eventFlagsPage, 0x3001n);
    one.write(MSR.interruptSource0 + 2, 0xf3n);
    other.enlightenments.restore(one.enlightenments.save());
    other.sim.spawn('host', 'host', other.bus.interrupt(9) as never);
    other.sim.run();
    expect([other.interrupts, other.ram[0x3000 + 2 * 256 + 1]]).toEqual([[0xf3], 2]);
  });
});

describe('the interrupt controller', () => {
  test('a message lies in the slot and interrupts; the next one comes when the guest says so', () => {
    const { write, ram, bus, sim, interrupts } = machine();
    write(MSR.interruptSource0 + 2, 0xf3n);
    write(MSR.messagePage, 0x2001n);
    for (const childRelid of [1, 2]) {
      sim.spawn('host', 'host', bus.synic.deliver({ name: 'rescindChannelOffer', childRelid }) as never);
    }
    sim.run();
    const slot = new DataView(ram.buffer, 0x2000 + 2 * 256);
    expect([slot.getUint32(0, true), slot.getUint8(5), slot.getUint32(24, true), interrupts]).toEqual([
      1,
      1,
      1,
      [0xf3],
    ]);
    slot.setUint32(0, 0, true);
    write(MSR.endOfMessage, 0n);
    expect([slot.getUint32(24, true), interrupts]).toEqual([2, [0xf3, 0xf3]]);
  });

  test('a source that is masked is silent', () => {
    const { write, bus, sim, interrupts } = machine();
    write(MSR.eventFlagsPage, 0x3001n);
    write(MSR.interruptSource0 + 2, 0x1_00f3n);
    sim.spawn('host', 'host', bus.interrupt(9) as never);
    sim.run();
    expect(interrupts).toEqual([]);
  });
});

describe('hypercalls', () => {
  const message = encodePostMessage({
    connectionId: 4,
    messageType: 1,
    payload: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0),
  });

  test('the page has the code that calls', () => {
    const { write, ram } = machine();
    write(MSR.hypercall, 0x5001n);
    expect([...ram.subarray(0x5000, 0x5003)]).toEqual([0xe7, 0xea, 0xc3]);
  });

  test('a message reaches the one who listens', () => {
    const { call, ram, bus } = machine();
    ram.set(message, 0x6000);
    expect(call(HYPERCALL.postMessage, 0x6000)).toBe(HV_STATUS.invalidConnectionId);
    bus.connect(4);
    expect(call(HYPERCALL.postMessage, 0x6000)).toBe(HV_STATUS.success);
    expect(bus.mailbox('host.vmbus').length).toBe(1);
  });

  test('a signal reaches the one who serves the channel, from registers and from memory', () => {
    const { call, ram, bus } = machine();
    bus.route(7, 'host.nic1');
    expect(call(HYPERCALL.signalEvent | HYPERCALL_CONTROL.fast, 0x1_0007)).toBe(HV_STATUS.success);
    new DataView(ram.buffer).setUint32(0x6000, 0x1_0008, true);
    expect(call(HYPERCALL.signalEvent, 0x6000)).toBe(HV_STATUS.invalidConnectionId);
  });

  test.each([
    ['an unknown code', 0x1234, 0x6000, 0, HV_STATUS.invalidHypercallCode],
    ['a message in registers', HYPERCALL.postMessage | HYPERCALL_CONTROL.fast, 0, 0, HV_STATUS.invalidHypercallInput],
    ['a pointer that is not aligned', HYPERCALL.postMessage, 0x6004, 0, HV_STATUS.invalidAlignment],
    ['input over the end of a page', HYPERCALL.postMessage, 0x6ff0, 0, HV_STATUS.invalidAlignment],
    ['a pointer beyond memory', HYPERCALL.postMessage, RAM, 0, HV_STATUS.invalidParameter],
    ['a pointer far beyond memory', HYPERCALL.postMessage, 0x6000, 0xffff_ffff, HV_STATUS.invalidParameter],
    ['a signal from beyond memory', HYPERCALL.signalEvent, 0xffff_f000, 0, HV_STATUS.invalidParameter],
  ])('%s is refused with the status that the TLFS has for it', (_, control, low, high, status) => {
    expect(machine().call(control, low, high)).toBe(status);
  });

  test('a message that is longer than messages are is refused', () => {
    const { call, ram, bus } = machine();
    bus.connect(4);
    ram.set(message, 0x6000);
    new DataView(ram.buffer).setUint32(0x600c, 241, true);
    expect(call(HYPERCALL.postMessage, 0x6000)).toBe(HV_STATUS.invalidParameter);
  });
});
