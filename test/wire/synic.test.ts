import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeHvMessage,
  decodePostMessage,
  encodeHvMessage,
  encodePostMessage,
  HV_MESSAGE_TYPE,
  signalEventInput,
} from '../../src/wire/synic.ts';
import { messageTarget } from '../../src/wire/vmbus.ts';
import { bytesArbitrary } from './arbitrary.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const plain = { noNullPrototype: true } as const;

describe('message slots', () => {
  test('survive a round trip in 256 bytes', () => {
    const messages = fc.record(
      {
        messageType: u32,
        messagePending: fc.boolean(),
        sender: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        payload: bytesArbitrary(0, 240),
      },
      plain,
    );
    fc.assert(
      fc.property(messages, (message) => {
        expect(encodeHvMessage(message).length).toBe(256);
        expect(decodeHvMessage(encodeHvMessage(message))).toEqual(message);
      }),
    );
  });

  test('as bytes: type, size and flags, then the payload at 16', () => {
    const payload = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0);
    const bytes = encodeHvMessage({ messageType: HV_MESSAGE_TYPE.vmbus, messagePending: true, sender: 0x10n, payload });
    expect([...bytes.subarray(0, 24)]).toEqual([1, 0, 0, 0, 8, 1, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, ...payload]);
  });

  test('hold no more than 240 bytes', () => {
    const payload = new Uint8Array(241);
    expect(() => encodeHvMessage({ messageType: 1, messagePending: false, sender: 0n, payload })).toThrow('241');
    const bytes = new Uint8Array(256);
    bytes[4] = 241;
    expect(decodeHvMessage(bytes)).toMatchObject({ name: 'malformed', problem: 'invalid' });
  });
});

describe('the input of the hypercalls', () => {
  test('POST_MESSAGE survives a round trip', () => {
    const inputs = fc.record({ connectionId: u32, messageType: u32, payload: bytesArbitrary(0, 240) }, plain);
    fc.assert(
      fc.property(inputs, (input) => {
        expect(decodePostMessage(encodePostMessage(input))).toEqual(input);
      }),
    );
  });

  test('POST_MESSAGE as bytes: connection, a hole, type and size', () => {
    const bytes = encodePostMessage({ connectionId: 4, messageType: 1, payload: Uint8Array.of(0xaa) });
    expect([...bytes.subarray(0, 17)]).toEqual([4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xaa]);
  });

  test('SIGNAL_EVENT packs connection and flag', () => {
    expect(signalEventInput.pack(0x2000b, 3)).toBe(0x3_0002_000bn);
    expect(signalEventInput.unpack(0x3_0002_000bn)).toEqual({ connectionId: 0x2000b, flag: 3 });
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(bytesArbitrary(0, 300), (bytes) => {
        expect([typeof decodeHvMessage(bytes), typeof decodePostMessage(bytes)]).toEqual(['object', 'object']);
      }),
      { numRuns: 1000 },
    );
  });
});

test('protocol 5.0 packs its message target where the interrupt page was', () => {
  expect(messageTarget.pack(2, 0)).toBe(2n);
  expect(messageTarget.unpack(0x0102n)).toEqual({ sint: 2, vtl: 1 });
});
