import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTrace, encodeTrace, type TraceHeader } from '../../src/trace/codec.ts';
import type { Event } from '../../src/trace/event.ts';

const header: TraceHeader = {
  scenario: 'a test',
  guest: 'linux-6.12',
  transport: 'bytes',
  schedule: '',
  netvsim: '0.1.0',
};
const events: readonly Event[] = [
  { time: 0, step: 0, context: 'set-up', kind: 'module', module: 'hv_netvsc', loaded: true },
  { time: 1e15, step: 4_000_000_000, context: 'x', kind: 'netdev.mtu', dev: 'nic1', mtu: -1 },
  { time: 3, step: 2, context: 'x', kind: 'host.timeout', dev: 'nic1', what: '', after: 0.5 },
];
const bytes = encodeTrace({ header, events });

test('what goes in comes out', () => {
  expect(decodeTrace(bytes)).toEqual({ ok: true, value: { header, events } });
});

test('any flat event survives', () => {
  const value = fc.oneof(fc.string(), fc.boolean(), fc.maxSafeInteger(), fc.double({ noNaN: true }));
  const key = fc.stringMatching(/^[a-z][A-Za-z0-9]{2,8}$/).filter((name) => !(name in Object.prototype));
  const stamp = { time: fc.maxSafeNat(), step: fc.nat(0xffff_ffff), context: fc.string(), kind: fc.string() };
  const anything = fc.tuple(fc.record(stamp), fc.dictionary(key, value)).map(([a, b]) => ({ ...b, ...a }));
  fc.assert(
    fc.property(fc.array(anything), (made) => {
      const decoded = decodeTrace(encodeTrace({ header, events: made as unknown as Event[] }));
      const plain = made.map((event) => ({ ...event }));
      expect(decoded.ok && decoded.value.events).toEqual(plain);
    }),
  );
});

test('the same events give the same bytes', () => {
  expect(encodeTrace({ header, events: structuredClone(events) as Event[] })).toEqual(bytes);
});

describe('a file that is no trace of ours', () => {
  test('is cut off anywhere', () => {
    for (let length = 1; length < bytes.length; length++) {
      const decoded = decodeTrace(bytes.subarray(0, length));
      expect(decoded.ok ? length : decoded.error).toMatch(/^is cut off/);
    }
  });

  test.each([
    ['empty', new Uint8Array(), 'is empty'],
    ['text', new TextEncoder().encode('name: a scenario'), 'is no netvsim trace'],
    ['other protobuf', Uint8Array.from([0x0a, 3, 1, 2, 3]), 'is no netvsim trace'],
    [
      'newer',
      Uint8Array.from([...bytes.subarray(0, 15), 0x10, 2]),
      'is of format version 2; this netvsim reads version 1',
    ],
  ])('is %s', (_what, given, error) => {
    expect(decodeTrace(given)).toEqual({ ok: false, error });
  });

  test('damage never throws', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = value;
        expect(typeof decodeTrace(damaged).ok).toBe('boolean');
      }),
    );
  });

  test('noise never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        expect(decodeTrace(Uint8Array.from([...bytes.subarray(0, 17), ...noise])).ok).toBeTypeOf('boolean');
      }),
    );
  });
});
