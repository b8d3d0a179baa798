import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Processor } from '../../../src/vm/processor/processor.ts';
import { modulePath } from '../../../src/vm/processor/virtual-time.ts';
import { patchModule, QUANTUM_EXPORT, QUANTUM_MAX } from '../../../src/vm/processor/wasm-patch.ts';
import { wasm } from '../../../src/vm/processor/web-assembly.ts';

const original = readFileSync(modulePath());
const problem = (module: Uint8Array): string => {
  const result = patchModule(module);
  return result.ok ? 'none' : result.error;
};
/** The module with one piece of it in another's place. */
const changed = (from: string, to: string): Uint8Array => {
  const bytes = Uint8Array.from(original);
  const at = original.indexOf(from, 0, 'latin1');
  if (at === -1) throw new Error(`there is no ${from}`);
  bytes.set(Buffer.from(to, 'latin1'), at);
  return bytes;
};

describe("v86's module", () => {
  test('compiles with traps in it, which cost a few bytes each, and with a variable', () => {
    const result = patchModule(original);
    if (!result.ok) throw new Error(result.error);
    expect(() => new wasm.Module(result.value)).not.toThrow();
    // i32.const in 3 bytes, call, if, return, end: 10 bytes three times; type, constant and end: 7; name, kind, index: 18.
    expect(result.value.length - original.length).toBe(30 + 7 + 18);
    expect(Buffer.from(result.value).includes(QUANTUM_EXPORT)).toBe(true);
  });

  test.each([0, -1, 1.5, QUANTUM_MAX + 1, Number.NaN])('a quantum of %d cannot be', async (quantum) => {
    const none = new Uint8Array();
    const images = { bios: none, vgaBios: none, kernel: none, initrd: none, cmdline: '' };
    const processor = await Processor.create(images, { memoryMb: 1, quantum, isEmpty: true });
    expect(processor).toEqual({ ok: false, error: `a quantum of ${quantum} instructions: 1 to 1048575 can be` });
  });

  const known = 'this is not the v86 module that is known: ';
  test.each([
    ['no module', new Uint8Array(100), `${known}it does not begin as WebAssembly 1.0`],
    ['one that is cut short', original.subarray(0, 9), `${known}it ends too early`],
    ['one without sections', original.subarray(0, 8), `${known}it has no section 2`],
    ['one that imports otherwise', changed('io_port_read32', 'io_port_read64'), `${known}it imports no io_port_read32`],
    ['one that exports otherwise', changed('instr_0FA2', 'instr_0FA3'), `${known}it exports no instr_0FA2`],
    ['one with another quantum', changed('\x41\xa3\x8d\x06', '\x41\xa4\x8d\x06'), `${known}its quantum occurs nowhere`],
  ])('%s is refused in one line', (_, module, expected) => {
    expect(problem(module)).toBe(expected);
  });
});
