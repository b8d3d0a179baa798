import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mac, macBytes, macFromBytes, parseMac } from '../../src/base/mac.ts';

describe('text', () => {
  test.each([
    ['00:0d:3a:12:34:56', '00:0d:3a:12:34:56'],
    ['00-0D-3A-AB-CD-EF', '00:0d:3a:ab:cd:ef'],
  ])('%s is %s', (text, address) => {
    expect(parseMac(text)).toBe(address);
  });

  test.each([
    ['00:0d:3a:12:34', /six hex pairs/],
    ['00:0d:3a:12:34:5g', /six hex pairs/],
    ['00:00:00:00:00:00', /all-zero/],
    ['01:00:5e:00:00:01', /multicast/],
    ['ff:ff:ff:ff:ff:ff', /multicast/],
  ])('%s is none, and the problem says why', (text, problem) => {
    expect(parseMac(text)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

test('the bytes stand in wire order', () => {
  expect([...macBytes(mac('00:0d:3a:12:34:56'))]).toEqual([0x00, 0x0d, 0x3a, 0x12, 0x34, 0x56]);
});

test('six bytes come back, wherever in a frame they stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.nat({ max: 8 }), (bytes, at) => {
      const frame = new Uint8Array(at + 6);
      frame.set(bytes, at);
      expect([...macBytes(macFromBytes(frame, at))]).toEqual([...bytes]);
    }),
  );
});
