import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeRingPacket,
  encodeRingPacket,
  packetLength,
  packetSize,
  RING_TRAILER_SIZE,
  type RingPacket,
} from '../../src/wire/ring-packet.ts';
import { bytesArbitrary, damaged } from './arbitrary.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const head = {
  transactionId: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  completionRequested: fc.boolean(),
  // Payloads come back padded, so whole units survive a round trip.
  payload: fc.nat({ max: 20 }).chain((units) => bytesArbitrary(units * 8, units * 8)),
};
const page = fc
  .tuple(fc.nat({ max: 4095 }), fc.nat(), fc.maxSafeNat())
  .map(([offset, len, pfn]) => ({ offset, len: 1 + (len % (4096 - offset)), pfn: pfn % 2 ** 52 }));
const plain = { noNullPrototype: true } as const;

const packets: fc.Arbitrary<RingPacket> = fc.oneof(
  fc.record({ ...head, type: fc.constantFrom('inband' as const, 'completion' as const) }, plain),
  fc.record(
    {
      ...head,
      type: fc.constant('transferPages' as const),
      transferPages: fc.record(
        {
          setId: fc.integer({ min: 0, max: 0xffff }),
          ranges: fc.array(fc.record({ byteCount: u32, byteOffset: u32 }, plain), { maxLength: 20 }),
        },
        plain,
      ),
    },
    plain,
  ),
  fc.record({ ...head, type: fc.constant('gpaDirect' as const), pages: fc.array(page, { maxLength: 32 }) }, plain),
);

describe('ring packets', () => {
  test('survive a round trip and take the room they say', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const bytes = encodeRingPacket(packet);
        expect(bytes.length + RING_TRAILER_SIZE).toBe(packetSize(packet, packet.payload.length));
        expect(packetLength(bytes)).toBe(bytes.length);
        expect(decodeRingPacket(bytes)).toEqual(packet);
      }),
    );
  });

  test('are read with more bytes behind them', () => {
    fc.assert(
      fc.property(packets, bytesArbitrary(0, 30), (packet, behind) => {
        expect(decodeRingPacket(Uint8Array.of(...encodeRingPacket(packet), ...behind))).toEqual(packet);
      }),
    );
  });

  test('cut anywhere they are short', () => {
    fc.assert(
      fc.property(packets, fc.nat(), (packet, at) => {
        const bytes = encodeRingPacket(packet);
        expect(decodeRingPacket(bytes.subarray(0, at % bytes.length))).toMatchObject({ problem: 'short' });
      }),
    );
  });

  test('of random or damaged bytes throw nothing', () => {
    const bytes = fc.oneof(bytesArbitrary(0, 200), damaged(packets.map((packet) => encodeRingPacket(packet))));
    fc.assert(
      fc.property(bytes, (received) => {
        expect(typeof decodeRingPacket(received)).toBe('object');
      }),
      { numRuns: 1000 },
    );
  });

  test('a payload is padded to 8 and comes back so', () => {
    const packet = {
      type: 'inband',
      transactionId: 1n,
      completionRequested: true,
      payload: Uint8Array.of(1, 2, 3, 4),
    } as const;
    expect(packetSize(packet, 4)).toBe(32);
    expect(decodeRingPacket(encodeRingPacket(packet))).toMatchObject({
      payload: Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0),
    });
  });
});

/** Written by hand from the offsets of reference C.2 and C.10. */
describe('ring packets as bytes', () => {
  const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s+/g, ''), 'hex'));

  test.each<readonly [string, RingPacket, string]>([
    [
      'in-band, completion requested',
      { type: 'inband', transactionId: 0x42n, completionRequested: true, payload: hex('0102030405060708') },
      '0600 0200 0300 0100 4200000000000000 0102030405060708',
    ],
    [
      'completion without payload',
      { type: 'completion', transactionId: 0x8000_0000_0000_0000n, completionRequested: false, payload: hex('') },
      '0b00 0200 0200 0000 0000000000000080',
    ],
    [
      'transfer pages',
      {
        type: 'transferPages',
        transactionId: 1n,
        completionRequested: true,
        transferPages: {
          setId: 0xcafe,
          ranges: [
            { byteCount: 104, byteOffset: 0 },
            { byteCount: 60, byteOffset: 1728 },
          ],
        },
        payload: hex('6b00000000000000'),
      },
      '0700 0500 0600 0100 0100000000000000 feca 00 00 02000000 68000000 00000000 3c000000 c0060000 6b00000000000000',
    ],
    [
      'GPA direct',
      {
        type: 'gpaDirect',
        transactionId: 2n,
        completionRequested: true,
        pages: [{ len: 76, offset: 0x100, pfn: 0x1234 }],
        payload: hex('6b00000001000000'),
      },
      '0900 0500 0600 0100 0200000000000000 00000000 01000000 4c000000 00010000 3412000000000000 6b00000001000000',
    ],
  ])('%s', (_, packet, bytes) => {
    expect(encodeRingPacket(packet)).toEqual(hex(bytes));
    expect(decodeRingPacket(hex(bytes))).toEqual(packet);
  });

  test('one range over three pages is three entries', () => {
    const bytes = hex(`0900 0700 0700 0000 0200000000000000 00000000 01000000
      01180000 00080000 0100000000000000 0200000000000000 0300000000000000 0000000000000000`);
    expect(decodeRingPacket(bytes)).toMatchObject({
      pages: [
        { len: 0x800, offset: 0x800, pfn: 1 },
        { len: 0x1000, offset: 0, pfn: 2 },
        { len: 1, offset: 0, pfn: 3 },
      ],
    });
  });

  test.each([
    ['a type that no driver here uses', 0, 8, 'unknown'],
    ['a payload before the end of the descriptor', 2, 1, 'invalid'],
    ['a payload behind the end', 2, 9, 'invalid'],
    ['more than there is', 4, 9, 'short'],
  ])('%s is refused', (_, at, value, problem) => {
    const bytes = hex('0600 0200 0300 0100 4200000000000000 0102030405060708');
    new DataView(bytes.buffer).setUint16(at, value, true);
    expect(decodeRingPacket(bytes)).toMatchObject({ name: 'malformed', problem });
  });

  test('encoders refuse what does not fit', () => {
    const base = { transactionId: 0n, completionRequested: false, payload: hex('') };
    const pages = (len: number, offset: number): RingPacket => ({
      ...base,
      type: 'gpaDirect',
      pages: [{ len, offset, pfn: 0 }],
    });
    expect(() => encodeRingPacket(pages(4000, 100))).toThrow('4000 bytes at 100 of a page');
    expect(() => encodeRingPacket(pages(0, 0))).toThrow('0 bytes');
    expect(() => encodeRingPacket({ ...base, type: 'inband', payload: new Uint8Array(0x80000) })).toThrow(
      'a packet of',
    );
  });
});
