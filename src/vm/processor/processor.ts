/**
 * The x86 processor with its memory and its devices (v86), as something that is stepped: a function of what was put in.
 * Its clock is its instruction counter and the time that it was let sleep; compiled code is taken into use between two
 * quanta and not when the engine happens to have finished with it.
 * What this leaves out: more than one processor, caches and pipelines (an instruction takes a nanosecond).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import type { V86Options } from 'v86';
import { known } from '../../base/assert.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Nanoseconds } from '../../base/time.ts';
import { machineOptions, type ProcessorImages, type ProcessorOptions, whyNotInMemory } from './machine-options.ts';
import type { V86Core, V86Cpu, V86Starter } from './v86-parts.ts';
import { inVirtualTime, loadV86, modulePath, type VirtualTime } from './virtual-time.ts';
import { patchModule, QUANTUM_EXPORT, QUANTUM_MAX, TRAP_IMPORT, TRAPS } from './wasm-patch.ts';
import { type WasmGlobal, wasm } from './web-assembly.ts';

/** v86, src/rust/cpu/cpu.rs: TSC_RATE of 1,000,000 a millisecond; so an instruction is a tick of it. Invented. */
const NS_PER_INSTRUCTION = 1;
const NS_PER_MS = 1_000_000;
const COUNTER_RANGE = 2 ** 32;
/** v86, src/rust/jit.rs: WASM_TABLE_OFFSET, where compiled code begins in the table of functions. */
const TABLE_OFFSET = 1024;
/** v86, src/cpu.js, load_bios(): firmware is put below the first megabyte's end. */
const FIRMWARE_END = 2 ** 20;
/** EFLAGS.IF. Intel SDM volume 1, 3.4.3. */
const INTERRUPT_FLAG = 1 << 9;
/** v86, src/rust/cpu/apic.rs: words of struct Apic from which on interrupts are requested, and are level-triggered. */
const APIC_REQUESTED = 64;
const APIC_LEVEL = 128;

/** Who is asked first when an instruction traps; true when it was dealt with. */
export interface InstructionTraps {
  cpuid(): boolean;
  rdmsr(): boolean;
  wrmsr(): boolean;
}

/** What became of a quantum. */
export interface Slice {
  /** How long the processor would sleep: to its own next timer. Undefined when it is not asleep. */
  readonly idle: Nanoseconds | undefined;
  /** It sleeps and can never wake: interrupts are off. */
  readonly stopped: boolean;
}

interface Compiled {
  readonly index: number;
  readonly start: number;
  readonly flags: number;
  readonly code: Uint8Array<ArrayBuffer>;
}

/** The processor's own clock, beside what is in the emulator's state. */
export interface ClockRecord {
  readonly skipped: Nanoseconds;
  readonly wraps: number;
  readonly counter: number;
  readonly seed: number;
}

export class Processor {
  traps: InstructionTraps | undefined;
  readonly cpu: V86Cpu;
  readonly emulator: V86Starter;
  private readonly core: V86Core;
  private readonly time: Clockwork;
  private readonly variable: WasmGlobal;
  private readonly compiled: Compiled[] = [];
  private view: Uint8Array<ArrayBuffer>;
  /** What v86 has said last: why it gives up, before it does. */
  private lastWords = '';

  private constructor(emulator: V86Starter, time: Clockwork, variable: WasmGlobal) {
    this.variable = variable;
    this.emulator = emulator;
    this.core = emulator.v86;
    this.cpu = emulator.v86.cpu;
    this.time = time;
    this.view = this.newView();
    this.cpu.codegen_finalize = (index, start, flags, pointer, length) => {
      const code = new Uint8Array(this.cpu.wasm_memory.buffer, pointer >>> 0, length >>> 0).slice();
      this.compiled.push({ index, start, flags, code });
    };
  }

  /** A processor that is switched on and has not run an instruction; or why there is none. */
  static async create(images: ProcessorImages, options: ProcessorOptions): Promise<Result<Processor, string>> {
    const { quantum } = options;
    if (!Number.isInteger(quantum) || quantum < 1 || quantum > QUANTUM_MAX) {
      return err(`a quantum of ${quantum} instructions: 1 to ${QUANTUM_MAX} can be`);
    }
    const problem = whyNotInMemory(images, options);
    if (problem !== undefined) return err(problem);
    const [V86, module] = await Promise.all([loadV86(), compiledModule()]);
    if (!module.ok) return module;
    const time = new Clockwork();
    let asked: ((port: number) => boolean | undefined) | undefined;
    let said: ((at: number, length: number) => void) | undefined;
    let variable: WasmGlobal | undefined;
    const emulator = await switchOn(V86, time, {
      ...machineOptions(images, options),
      wasm_fn: async (imports: Readonly<Record<string, unknown>>) => {
        const env = imports['env'] as Record<string, unknown>;
        const read = env[TRAP_IMPORT] as (port: number) => number;
        env[TRAP_IMPORT] = (port: number): number => (port > 0xffff ? Number(asked?.(port) ?? false) : read(port));
        env['microtick'] = () => time.now();
        env['get_rand_int'] = () => time.draw();
        env['console_log_from_wasm'] = (at: number, length: number) => said?.(at, length);
        const { exports } = new wasm.Instance(module.value, imports);
        variable = exports[QUANTUM_EXPORT] as WasmGlobal;
        return exports;
      },
    });
    const processor = new Processor(emulator, time, known(variable, QUANTUM_EXPORT));
    processor.quantum = quantum;
    time.counter = processor.cpu.instruction_counter;
    asked = (port) => processor.trapped(port);
    said = (at, length) => processor.heard(at, length);
    return ok(processor);
  }

  get now(): Nanoseconds {
    return this.time.nanoseconds;
  }

  /** Instructions since it was switched on. */
  get instructions(): number {
    return this.time.instructions;
  }

  /** Its memory as it is now: a view that is not to be kept over a quantum, because memory may move. */
  get ram(): Uint8Array<ArrayBuffer> {
    if (this.hasMoved) this.view = this.newView();
    return this.view;
  }

  /** Whether {@link ram} is another view than the one that was given out last. */
  get hasMoved(): boolean {
    return this.view.buffer !== this.cpu.wasm_memory.buffer;
  }

  /** How many instructions {@link slice} runs. A block of compiled code is run to its end, so that it may be some more. */
  get quantum(): number {
    return this.variable.value;
  }

  set quantum(instructions: number) {
    this.variable.value = instructions;
  }

  /** Runs one quantum, or less when the processor goes to sleep. */
  slice(): Slice {
    const wait = inVirtualTime(this.time, () => this.cpu.main_loop());
    this.takeCompiled();
    if (this.cpu.in_hlt[0] === 0) return { idle: undefined, stopped: false };
    const stopped = ((this.cpu.flags[0] as number) & INTERRUPT_FLAG) === 0;
    // A wait that was rounded down to nothing would be waited for for ever.
    return { idle: Math.max(1, Math.ceil(wait * NS_PER_MS)), stopped };
  }

  /** Why v86 has given up: a guest can do what it does not know. Undefined for an error that does not say that. */
  trapOf(error: unknown): string | undefined {
    const { name, message } = error as Error;
    if (name !== 'RuntimeError') return undefined;
    return this.lastWords === '' ? message : `${message} (${this.lastWords})`;
  }

  /** Lets time pass in which it sleeps. */
  skip(span: Nanoseconds): void {
    this.time.skipped += span;
  }

  /** Requests an interrupt from its local APIC, as an edge. */
  interrupt(vector: number): void {
    const apic = new Uint32Array(this.cpu.wasm_memory.buffer, this.cpu.get_apic_addr());
    const [word, bit] = [vector >> 5, 1 << (vector & 31)];
    const [requested, level] = [APIC_REQUESTED / 4 + word, APIC_LEVEL / 4 + word];
    apic[requested] = (apic[requested] as number) | bit;
    apic[level] = (apic[level] as number) & ~bit;
  }

  /** The same of memory and registers in two machines means that they have come to the same. For tests. */
  hash(): string {
    const hash = createHash('sha1');
    hash.update(this.ram);
    hash.update(new Uint8Array(this.cpu.reg32.buffer, this.cpu.reg32.byteOffset, this.cpu.reg32.byteLength));
    return hash.digest('hex');
  }

  /** Everything that v86 knows how to save, in its own form. */
  saveState(): ArrayBuffer {
    return inVirtualTime(this.time, () => this.core.save_state());
  }

  /**
   * Takes a saved state over, of which parts become its own. An empty machine can, once: v86 does not come to the same
   * when it is done again.
   */
  restoreState(state: ArrayBuffer, clock: ClockRecord): void {
    this.time.frozen = clock.skipped + (clock.wraps * COUNTER_RANGE + clock.counter) * NS_PER_INSTRUCTION;
    const zero = this.cpu.zero_memory;
    // An empty machine has its firmware in memory and nothing else: what is beyond need not be touched.
    this.cpu.zero_memory = (from, length) => zero(from, Math.min(length, FIRMWARE_END - from));
    inVirtualTime(this.time, () => this.core.restore_state(state));
    this.cpu.zero_memory = zero;
    this.compiled.length = 0;
    this.time.restore(clock);
  }

  saveClock(): ClockRecord {
    return this.time.save();
  }

  private heard(at: number, length: number): void {
    const bytes = new Uint8Array(this.cpu.wasm_memory.buffer, at, length);
    this.lastWords = Buffer.from(bytes).toString('latin1').replaceAll(/\s+/g, ' ').trim();
  }

  private trapped(port: number): boolean | undefined {
    switch (port) {
      case TRAPS.cpuid:
        return this.traps?.cpuid();
      case TRAPS.rdmsr:
        return this.traps?.rdmsr();
      case TRAPS.wrmsr:
        return this.traps?.wrmsr();
      default:
        return false;
    }
  }

  private takeCompiled(): void {
    for (const { index, start, flags, code } of this.compiled) {
      const { exports } = new wasm.Instance(new wasm.Module(code), { e: this.cpu.jit_imports });
      this.cpu.wm.wasm_table.set(index + TABLE_OFFSET, exports['f']);
      this.cpu.codegen_finalize_finished(index, start, flags);
    }
    this.compiled.length = 0;
  }

  private newView(): Uint8Array<ArrayBuffer> {
    const { byteOffset, byteLength } = this.cpu.mem8;
    return new Uint8Array(this.cpu.wasm_memory.buffer, byteOffset, byteLength);
  }
}

/** One for all machines: what the engine has made fast stays so for the next one. */
let compiled: Promise<Result<object, string>> | undefined;

function compiledModule(): Promise<Result<object, string>> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<Result<object, string>> {
  const patched = patchModule(await readFile(modulePath()));
  if (!patched.ok) return patched;
  const module = await wasm.compile(patched.value);
  // From here on modules are blocks of the guest, thousands of them and short-lived: the optimizing compiler took three
  // times the time that they ran. The emulator itself is compiled above, and is still made fast.
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  return ok(module);
}

/** What time it is inside, and what chance there is. */
class Clockwork implements VirtualTime {
  skipped: Nanoseconds = 0;
  /** While a state is taken over, the moment at which it was saved. */
  frozen: Nanoseconds | undefined;
  counter: Uint32Array | undefined;
  private wraps = 0;
  private last = 0;
  private seed = 1;

  get instructions(): number {
    const count = (this.counter?.[0] ?? 0) >>> 0;
    if (count < this.last) this.wraps++;
    this.last = count;
    return this.wraps * COUNTER_RANGE + count;
  }

  get nanoseconds(): Nanoseconds {
    return this.frozen ?? this.skipped + this.instructions * NS_PER_INSTRUCTION;
  }

  now(): number {
    return this.nanoseconds / NS_PER_MS;
  }

  /** 32 random bits: xorshift (Marsaglia 2003, 13-17-5). */
  draw(): number {
    this.seed ^= this.seed << 13;
    this.seed ^= this.seed >>> 17;
    this.seed ^= this.seed << 5;
    return this.seed;
  }

  random(): number {
    return (this.draw() >>> 0) / COUNTER_RANGE;
  }

  save(): ClockRecord {
    return { skipped: this.skipped, wraps: this.wraps, counter: this.instructions % COUNTER_RANGE, seed: this.seed };
  }

  restore({ skipped, wraps, counter, seed }: ClockRecord): void {
    this.skipped = skipped;
    this.wraps = wraps;
    this.last = counter;
    this.seed = seed;
    if (this.counter !== undefined) this.counter[0] = counter;
    this.frozen = undefined;
  }
}

/** Makes the machine. Its devices are made in `init`, when all images are there, and remember what time that was. */
async function switchOn(
  V86: new (options: V86Options) => V86Starter,
  time: VirtualTime,
  options: V86Options,
): Promise<V86Starter> {
  const emulator = inVirtualTime(time, () => new V86(options));
  let core: V86Core | undefined;
  Object.defineProperty(emulator, 'v86', {
    configurable: true,
    get: () => core,
    set: (made: V86Core) => {
      const { init } = made;
      made.init = (settings) => inVirtualTime(time, () => init.call(made, settings));
      core = made;
    },
  });
  await new Promise<void>((done) => emulator.add_listener('emulator-loaded', () => done()));
  return emulator;
}
