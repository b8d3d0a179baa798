import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elfBits, moduleInfo, neededLibraries } from '../../../src/vm/kernel/elf.ts';
import { makeElf, makeModule } from './files.ts';

const program = makeElf({ interp: '/lib/ld-linux.so.2', needed: ['libmnl.so.0', 'libc.so.6'] });

test('a program needs its linker and its libraries', () => {
  expect(neededLibraries(program)).toEqual({ ok: true, value: ['ld-linux.so.2', 'libmnl.so.0', 'libc.so.6'] });
});

test('a static program needs nothing', () => {
  expect(neededLibraries(makeElf({}))).toEqual({ ok: true, value: [] });
});

test('a module says what it depends on and which kernel it is for', () => {
  const info = moduleInfo(makeModule('hv_vmbus,8390'));
  if (!info.ok) throw new Error(info.error);
  expect(info.value.get('depends')).toBe('hv_vmbus,8390');
  expect(info.value.get('vermagic')).toMatch(/^6\.1\.0-50-686 /);
});

test('a program is no module', () => {
  expect(moduleInfo(program)).toEqual({ ok: false, error: 'is no kernel module (it has no section .modinfo)' });
});

test.each([
  ['nothing', Buffer.alloc(0), 'is no ELF file'],
  ['a script', Buffer.from('#!/bin/sh\nexit 0 # and more than 20 bytes\n'), 'is no ELF file'],
  ['64 bits', makeElf({ bits: 64 }), 'is a 64-bit ELF file: the machine has 32 bits'],
  ['ARM', makeElf({ machine: 40 }), 'is an ELF file of another processor than i386'],
])('%s is refused', (_, bytes, error) => {
  expect(neededLibraries(bytes)).toEqual({ ok: false, error });
});

test('only what begins like an ELF file has a width', () => {
  expect([elfBits(program), elfBits(makeElf({ bits: 64 })), elfBits(Buffer.from('MZ'))]).toEqual([32, 64, undefined]);
});

test('cut anywhere a file is read, or refused: it never throws', () => {
  for (let size = 0; size < program.length; size++) {
    const read = neededLibraries(program.subarray(0, size));
    if (!read.ok) expect(read.error).toMatch(/^is (?:no|a broken) ELF file/);
  }
});

test('with any bytes changed it is read, or refused: it never throws', () => {
  const module = makeModule('hv_vmbus');
  const change = fc.tuple(fc.nat(Math.max(program.length, module.length) - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      for (const [original, read] of [
        [program, neededLibraries],
        [module, moduleInfo],
      ] as const) {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        expect(typeof read(bytes).ok).toBe('boolean');
      }
    }),
    { numRuns: 500 },
  );
});
