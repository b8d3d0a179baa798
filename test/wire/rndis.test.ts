import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMalformed } from '../../src/wire/message.ts';
import { RNDIS, type RndisPacket, splitRndis } from '../../src/wire/rndis.ts';
import { bytesArbitrary, damaged } from './arbitrary.ts';

const packets: fc.Arbitrary<RndisPacket> = fc.record(
  {
    name: fc.constant('packet' as const),
    data: bytesArbitrary(0, 200),
    perPacketInfo: fc.array(
      fc.record(
        { type: fc.integer({ min: 0, max: 0x7fff_ffff }), internal: fc.boolean(), data: bytesArbitrary(0, 16) },
        { noNullPrototype: true },
      ),
      { maxLength: 4 },
    ),
  },
  { noNullPrototype: true },
);

describe('RNDIS packets', () => {
  test('survive a round trip, padded or not, and are as long as they say', () => {
    fc.assert(
      fc.property(packets, fc.nat({ max: 7 }), (packet, extra) => {
        const bytes = RNDIS.encode(packet);
        expect(bytes.length).toBe(RNDIS.size(packet));
        const received = new Uint8Array(bytes.length + extra);
        received.set(bytes);
        expect(RNDIS.decode(received)).toEqual(packet);
      }),
    );
  });

  test('cut anywhere they are malformed', () => {
    fc.assert(
      fc.property(packets, fc.nat(), (packet, at) => {
        const bytes = RNDIS.encode(packet);
        expect(RNDIS.decode(bytes.subarray(0, at % bytes.length))).toMatchObject({ name: 'malformed' });
      }),
    );
  });

  test('damaged anywhere, nothing is thrown and nothing outside the message is seen', () => {
    const bytes = damaged(packets.map((packet) => RNDIS.encode(packet)));
    fc.assert(
      fc.property(bytes, (received) => {
        const message = RNDIS.decode(received);
        if (message.name === 'packet') expect(message.data.length).toBeLessThanOrEqual(received.length - 44);
      }),
      { numRuns: 1000 },
    );
  });

  test('the frame is a view of the message: no byte is copied', () => {
    const bytes = RNDIS.encode({ name: 'packet', data: Uint8Array.of(1, 2, 3), perPacketInfo: [] });
    const message = RNDIS.decode(bytes) as RndisPacket;
    expect(message.data.buffer).toBe(bytes.buffer);
  });

  test.each([
    ['data before the end of the header', 8, 0],
    ['data behind the end', 8, 0xffff_fff0],
    ['more data than there is', 12, 0x1000],
    ['info before the end of the header', 28, 0],
    ['info behind the end', 28, 0xffff_fff0],
    ['an info size of nothing', 44, 0],
    ['an info size of too much', 44, 0x100],
    ['an info offset within its header', 52, 4],
    ['an info offset behind its end', 52, 17],
    ['a stump of info', 32, 20],
  ])('%s is refused', (_, at, value) => {
    const bytes = RNDIS.encode({
      name: 'packet',
      data: new Uint8Array(60),
      perPacketInfo: [{ type: 0, internal: false, data: new Uint8Array(4) }],
    });
    new DataView(bytes.buffer).setUint32(at, value, true);
    expect(RNDIS.decode(bytes)).toMatchObject({ name: 'malformed', problem: 'invalid' });
  });
});

describe('a batch in a send section', () => {
  test('is as many messages as were put there', () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 5 }), (batch) => {
        const pieces = splitRndis(Uint8Array.from(batch.flatMap((packet) => [...RNDIS.encode(packet)])));
        if (isMalformed(pieces)) throw new Error('malformed');
        expect(pieces.map((piece) => RNDIS.decode(piece))).toEqual(batch);
      }),
    );
  });

  test('with a length that leads nowhere is malformed', () => {
    expect(splitRndis(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({ problem: 'short' });
    expect(splitRndis(Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0))).toMatchObject({ problem: 'short', expected: 9 });
  });

  test('of random bytes throws nothing', () => {
    fc.assert(
      fc.property(bytesArbitrary(0, 200), (bytes) => typeof splitRndis(bytes) === 'object'),
      { numRuns: 1000 },
    );
  });
});
