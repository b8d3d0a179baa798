import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guid, guidBytes, guidFromBytes } from '../../src/base/guid.ts';

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

// HV_NIC_GUID, include/linux/hyperv.h:
// GUID_INIT(0xf8615163, 0xdf3e, 0x46c5, 0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e); the first three are little-endian.
const NIC = guid('f8615163-df3e-46c5-913f-f2d2f965ed0e');
const NIC_BYTES = '63 51 61 f8 3e df c5 46 91 3f f2 d2 f9 65 ed 0e';

test('a GUID lies in memory as the VMBus has it', () => {
  expect(hex(guidBytes(NIC))).toBe(NIC_BYTES);
});

test('and is read back from the middle of a message', () => {
  const message = new Uint8Array(24);
  message.set(guidBytes(NIC), 8);
  expect(guidFromBytes(message, 8)).toBe(NIC);
});

test('every sixteen bytes are a GUID, and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      expect(hex(guidBytes(guidFromBytes(bytes)))).toBe(hex(bytes));
    }),
  );
});

test('text in upper case is the same GUID', () => {
  expect(guid('F8615163-DF3E-46C5-913F-F2D2F965ED0E')).toBe(NIC);
});

test.each(['', 'f8615163', '{f8615163-df3e-46c5-913f-f2d2f965ed0e}'])('%j is our own mistake', (text) => {
  expect(() => guid(text)).toThrow('is no GUID');
});
