import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBzImage } from '../../../src/vm/kernel/bzimage.ts';
import { makeBzImage, RELEASE } from './files.ts';

test('a kernel says its release, and where its payload lies', () => {
  const payload = Buffer.from('packed');
  expect(readBzImage(makeBzImage({ payload }))).toEqual({ ok: true, value: { release: RELEASE, payload } });
});

/** Every flag that boot.rst names; XLF_KERNEL_64 is the first. */
const XLOADFLAGS_ALL = 0x7f;

test.each([
  ['nothing', Buffer.alloc(0), 'is no bzImage'],
  ['zeros', Buffer.alloc(4096), 'is no bzImage'],
  ['a boot sector', boot(), 'is no bzImage'],
  ['a zImage', makeBzImage({ loadFlags: 0 }), 'is a zImage, not a bzImage'],
  ['a very old kernel', makeBzImage({ protocol: 0x020b }), 'is a kernel of boot protocol 2.11: older than Linux 3.8'],
  [
    'a 64-bit kernel',
    makeBzImage({ xloadFlags: XLOADFLAGS_ALL }),
    'is a 64-bit kernel (XLF_KERNEL_64 in its boot header): the emulated processor has 32 bits',
  ],
  ['a kernel without a name', makeBzImage({ release: '' }), 'is a bzImage that does not say its release'],
  ['a kernel named in bytes', makeBzImage({ release: '6.1\u0007' }), 'is a bzImage that does not say its release'],
])('%s is refused', (_, bytes, error) => {
  expect(readBzImage(bytes)).toEqual({ ok: false, error });
});

test('a kernel that was not copied whole is cut short', () => {
  const whole = makeBzImage({ payload: Buffer.alloc(5000) });
  expect(readBzImage(whole.subarray(0, 4000))).toEqual({
    ok: false,
    error: `is cut short: 4000 bytes, the kernel in it ends at ${whole.length}`,
  });
});

test('cut anywhere, or with any bytes behind the magic, it is read or refused: it never throws', () => {
  const whole = makeBzImage();
  for (let size = 0; size < whole.length; size++) expect(readBzImage(whole.subarray(0, size)).ok).toBe(false);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0x268, maxLength: 2048 }), (bytes) => {
      const file = Buffer.from(bytes);
      file.writeUInt16LE(0xaa55, 0x1fe);
      file.write('HdrS', 0x202, 'latin1');
      expect(typeof readBzImage(file).ok).toBe('boolean');
    }),
  );
});

/** With the flag of any boot sector and no kernel behind it. */
function boot(): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.writeUInt16LE(0xaa55, 0x1fe);
  return bytes;
}
