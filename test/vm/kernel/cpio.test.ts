import { expect, test } from 'vitest';
import { type CpioEntry, encodeCpio, foldersOf } from '../../../src/vm/kernel/cpio.ts';

const ENTRIES: readonly CpioEntry[] = [
  { path: 'a', kind: 'directory' },
  { path: 'a/b', kind: 'file', mode: 0o644, bytes: Buffer.from('hello\n') },
  { path: 'a/l', kind: 'link', target: 'b' },
  { path: 'c', kind: 'character-device', mode: 0o600, major: 5, minor: 1 },
];

/** Of these entries, GNU cpio 2.13: `cpio -o -H newc --reproducible -R 0:0`, times set to 0; ~ stands for a zero byte. */
const GNU_CPIO = [
  '07070100000000000041ED0000000000000000000000020000000000000000000000000000000000000000000000000000000200000000a~',
  '07070100000001000081A40000000000000000000000010000000000000006000000000000000000000000000000000000000400000000a/b~~~',
  'hello\n~~',
  '070701000000020000A1FF0000000000000000000000010000000000000001000000000000000000000000000000000000000400000000a/l~~~',
  'b~~~',
  '07070100000003000021800000000000000000000000010000000000000000000000000000000000000005000000010000000200000000c~',
  '07070100000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000B00000000',
  'TRAILER!!!~~~~',
].join('');

test('entries are encoded byte for byte as GNU cpio does it', () => {
  const archive = Buffer.from(encodeCpio(ENTRIES)).toString('latin1').replaceAll('\0', '~');
  expect(archive).toBe(GNU_CPIO.padEnd(1024, '~'));
});

test('every archive is whole blocks, so that the next one can stand behind it', () => {
  for (const size of [0, 1, 300, 511, 512, 513]) {
    const archive = encodeCpio([{ path: 'f', kind: 'file', mode: 0o600, bytes: new Uint8Array(size) }]);
    expect(archive.length % 512).toBe(0);
  }
});

test('the folders above a file come outermost first, each once', () => {
  expect(foldersOf(['lib/modules/x/a.ko', 'lib/modules/y', 'bin']).map(({ path }) => path)).toEqual([
    'lib',
    'lib/modules',
    'lib/modules/x',
  ]);
});

test('a path from the root is a mistake of ours', () => {
  expect(() => encodeCpio([{ path: '/etc', kind: 'directory' }])).toThrow('no relative path');
});
