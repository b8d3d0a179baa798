/**
 * Changes three things in v86's WebAssembly module when it is loaded: instructions that a hypervisor would trap ask us
 * first, one call of the main loop runs one quantum of instructions, and that quantum is a variable of the module.
 * Source: WebAssembly Core Specification 1.0, chapter 5 (binary format); v86 0.5.462, src/rust/cpu/cpu.rs
 * (main_loop(), do_many_cycles_native(), LOOP_COUNTER 100003, TIME_PER_FRAME 1.0) and gen/generate_interpreter.js
 * (an export `instr_0F30` for the opcode 0F 30).
 * Nothing is renumbered: the trapped functions get a few instructions in front, constants are written over in place, the
 * variable comes behind all others.
 */
import { err, ok, type Result } from '../../base/result.ts';

/** The function that v86 imports for 32-bit port reads: the one way out that takes a number and gives one. */
export const TRAP_IMPORT = 'io_port_read32';

/** Instructions that trap, by v86's export, and the port, beyond all 16-bit ones, under which they ask. Invented. */
export const TRAPS = { wrmsr: 0x1_0030, rdmsr: 0x1_0032, cpuid: 0x1_00a2 } as const;
const TRAPPED: Readonly<Record<string, number>> = {
  instr_0F30: TRAPS.wrmsr,
  instr_0F32: TRAPS.rdmsr,
  instr_0FA2: TRAPS.cpuid,
};

/** v86's own number of instructions between two looks for interrupts. */
export const DEFAULT_QUANTUM = 100_003;
/** For a guest, a millisecond without an interrupt. Invented. */
export const QUANTUM_MAX = 2 ** 20 - 1;
/** The variable, among the exports of the module. */
export const QUANTUM_EXPORT = 'netvsim_quantum';

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { import: 2, global: 6, export: 7, code: 10 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;
const OP = {
  if: 0x04,
  end: 0x0b,
  return: 0x0f,
  call: 0x10,
  globalGet: 0x23,
  i32Const: 0x41,
  f64Const: 0x44,
} as const;
const EMPTY_BLOCK = 0x40;
/** A 32-bit number that can be changed. */
const VARIABLE_I32 = [0x7f, 0x01] as const;

/** The module with traps and a quantum, which is v86's own at first; or what about it is not as expected. */
export function patchModule(module: Uint8Array): Result<Uint8Array<ArrayBuffer>, string> {
  try {
    return ok(new Patch(module).run());
  } catch (problem) {
    if (problem instanceof ShapeError) return err(`this is not the v86 module that is known: ${problem.message}`);
    throw problem;
  }
}

class ShapeError extends Error {}

interface Section {
  readonly id: number;
  /** Where the section begins, its contents begin and it ends. */
  readonly from: number;
  readonly body: number;
  readonly to: number;
}

class Patch {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  run(): Uint8Array<ArrayBuffer> {
    if (MAGIC.some((byte, i) => this.bytes[i] !== byte)) throw new ShapeError('it does not begin as WebAssembly 1.0');
    const sections = this.sections();
    const imports = this.imports(find(sections, SECTION.import));
    const exports = this.exports(find(sections, SECTION.export));
    const trap = imports.indexOf(TRAP_IMPORT);
    if (trap === -1) throw new ShapeError(`it imports no ${TRAP_IMPORT}`);
    const own = (name: string): number => {
      const index = exports.get(name);
      if (index === undefined) throw new ShapeError(`it exports no ${name}`);
      return index - imports.length;
    };
    const prefixes = new Map(Object.entries(TRAPPED).map(([name, port]) => [own(name), ask(port, trap)]));
    const globals = find(sections, SECTION.global);
    // None is imported (see imports()), so that those of the module begin at 0.
    const quantum = this.countOf(globals);
    const changed: Readonly<Record<number, (section: Section) => Uint8Array>> = {
      [SECTION.global]: (section) => this.withOneMore(section, [...VARIABLE_I32, ...constant(DEFAULT_QUANTUM), OP.end]),
      [SECTION.export]: (section) =>
        this.withOneMore(section, [...text(QUANTUM_EXPORT), KIND.global, ...unsigned(quantum)]),
      [SECTION.code]: (section) => this.code(section, prefixes, { mainLoop: own('main_loop'), quantum }),
    };
    const out = sections.flatMap((section) => {
      const change = changed[section.id];
      if (change === undefined) return [this.bytes.subarray(section.from, section.to)];
      const body = change(section);
      return [Uint8Array.of(section.id), unsigned(body.length), body];
    });
    return concat([Uint8Array.from(MAGIC), ...out]);
  }

  /** How many things a section lists. */
  private countOf({ body }: Section): number {
    this.at = body;
    return this.number();
  }

  private withOneMore(section: Section, last: readonly number[]): Uint8Array {
    const count = this.countOf(section);
    return concat([unsigned(count + 1), this.bytes.subarray(this.at, section.to), Uint8Array.from(last)]);
  }

  private sections(): Section[] {
    const sections: Section[] = [];
    for (this.at = MAGIC.length; this.at < this.bytes.length; ) {
      const from = this.at;
      const id = this.byte();
      const length = this.number();
      sections.push({ id, from, body: this.at, to: this.at + length });
      this.at += length;
    }
    return sections;
  }

  /** Names of the imported functions, by index. */
  private imports({ body }: Section): string[] {
    this.at = body;
    const names: string[] = [];
    for (let left = this.number(); left > 0; left--) {
      this.text();
      const name = this.text();
      const kind = this.byte();
      if (kind === KIND.function) {
        this.number();
        names.push(name);
      } else if (kind === KIND.table || kind === KIND.memory) {
        if (kind === KIND.table) this.byte();
        const hasMaximum = (this.number() & 1) === 1;
        this.number();
        if (hasMaximum) this.number();
      } else {
        throw new ShapeError('it imports a variable');
      }
    }
    return names;
  }

  private exports({ body }: Section): Map<string, number> {
    this.at = body;
    const functions = new Map<string, number>();
    for (let left = this.number(); left > 0; left--) {
      const name = this.text();
      const kind = this.byte();
      const index = this.number();
      if (kind === KIND.function) functions.set(name, index);
    }
    return functions;
  }

  /** The code section with traps in front of some functions, and a main loop that comes back after each quantum. */
  private code(
    { body }: Section,
    prefixes: ReadonlyMap<number, Uint8Array>,
    { mainLoop, quantum }: { readonly mainLoop: number; readonly quantum: number },
  ): Uint8Array {
    this.at = body;
    const count = this.number();
    const parts: Uint8Array[] = [unsigned(count)];
    for (let index = 0; index < count; index++) {
      const size = this.number();
      const start = this.at;
      const prefix = prefixes.get(index);
      let whole: Uint8Array = this.bytes.subarray(start, start + size);
      if (prefix !== undefined) {
        const locals = this.afterLocals() - start;
        whole = concat([whole.subarray(0, locals), prefix, whole.subarray(locals)]);
      } else if (index === mainLoop) {
        // It goes on while less than a millisecond has passed: with no time at all it goes on once.
        whole = Uint8Array.from(whole);
        replaceOnce(whole, [OP.f64Const, ...double(1)], [OP.f64Const, ...double(0)], 'frame time in main_loop');
      }
      parts.push(unsigned(whole.length), whole);
      this.at = start + size;
    }
    const code = concat(parts);
    replaceOnce(code, constant(DEFAULT_QUANTUM), [OP.globalGet, ...unsignedIn3(quantum)], 'quantum');
    return code;
  }

  private afterLocals(): number {
    for (let groups = this.number(); groups > 0; groups--) {
      this.number();
      this.byte();
    }
    return this.at;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new ShapeError('it ends too early');
    return byte;
  }

  private number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
      if (shift > 28) throw new ShapeError('a number is too long');
    }
  }

  private text(): string {
    const length = this.number();
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
}

function find(sections: readonly Section[], id: number): Section {
  const section = sections.find((one) => one.id === id);
  if (section === undefined) throw new ShapeError(`it has no section ${id}`);
  return section;
}

/** `if (io_port_read32(port)) return;` */
function ask(port: number, trap: number): Uint8Array {
  return concat([
    Uint8Array.from(constant(port)),
    Uint8Array.of(OP.call),
    unsigned(trap),
    Uint8Array.of(OP.if, EMPTY_BLOCK, OP.return, OP.end),
  ]);
}

/** A number of three bytes of LEB128, of which v86 has just so many for its quantum. */
const constant = (value: number): number[] => [OP.i32Const, ...unsignedIn3(value)];

/** LEB128 in three bytes: below 2^20 the same with a sign and without. */
const unsignedIn3 = (value: number): number[] => [
  (value & 0x7f) | 0x80,
  ((value >> 7) & 0x7f) | 0x80,
  (value >> 14) & 0x7f,
];

/** A name as the format has it, of ASCII. */
const text = (name: string): number[] => [...unsigned(name.length), ...Buffer.from(name)];

function unsigned(value: number): Uint8Array {
  const out: number[] = [];
  let left = value;
  do {
    const low = left & 0x7f;
    left >>>= 7;
    out.push(left === 0 ? low : low | 0x80);
  } while (left !== 0);
  return Uint8Array.from(out);
}

function double(value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}

function replaceOnce(bytes: Uint8Array, from: readonly number[], to: readonly number[], what: string): void {
  const at = indexOf(bytes, from, 0);
  if (at === -1 || indexOf(bytes, from, at + 1) !== -1) {
    throw new ShapeError(`its ${what} occurs ${at === -1 ? 'nowhere' : 'more than once'}`);
  }
  bytes.set(to, at);
}

const indexOf = (bytes: Uint8Array, pattern: readonly number[], from: number): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(Uint8Array.from(pattern), from);

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
