import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMalformed } from '../../src/wire/message.ts';
import { slotDevice, slotFunction, slotOf, VPCI_STATUS } from '../../src/wire/vpci.ts';
import {
  decodeVpciCompletion,
  encodeVpciCompletion,
  VPCI_COMPLETIONS,
  type VpciCompletion,
  type VpciCompletionName,
  vpciCompletionSize,
} from '../../src/wire/vpci-completion.ts';
import { bytesArbitrary, damaged, rowArbitrary } from './arbitrary.ts';

const names = Object.keys(VPCI_COMPLETIONS) as VpciCompletionName[];

describe.each(names)('the completion of %s', (of) => {
  const completions = rowArbitrary(of, VPCI_COMPLETIONS[of]) as fc.Arbitrary<VpciCompletion>;

  test('survives a round trip and is as long as it says', () => {
    fc.assert(
      fc.property(completions, (sent) => {
        const bytes = encodeVpciCompletion(of, sent);
        expect(bytes.length).toBe(vpciCompletionSize(of, sent));
        expect(decodeVpciCompletion(of, bytes)).toEqual(sent);
      }),
    );
  });

  test('cut anywhere it is malformed or says no more than is there', () => {
    fc.assert(
      fc.property(completions, fc.nat(), (sent, at) => {
        const bytes = encodeVpciCompletion(of, sent);
        const cut = bytes.subarray(0, at % bytes.length);
        const received = decodeVpciCompletion(of, cut);
        if (!isMalformed(received)) expect(encodeVpciCompletion(of, received).subarray(0, cut.length)).toEqual(cut);
      }),
    );
  });

  test('random and damaged bytes never throw', () => {
    const bytes = fc.oneof(
      bytesArbitrary(0, 200),
      damaged(completions.map((completion) => encodeVpciCompletion(of, completion))),
    );
    fc.assert(
      fc.property(bytes, (received) => {
        expect(typeof decodeVpciCompletion(of, received).name).toBe('string');
      }),
      { numRuns: 1000 },
    );
  });
});

test('sizes are those of the structures in reference C.10, less the descriptor', () => {
  const sizes = Object.fromEntries(Object.entries(VPCI_COMPLETIONS).map(([name, row]) => [name, row.size]));
  expect(sizes).toMatchObject({
    queryResourceRequirements: 44 - 16,
    powerStateChange: 32 - 16,
    createInterrupt: 40 - 16,
    readBlock: 148 - 16 - 128,
    busD0Entry: 20 - 16,
  });
});

test('a translated interrupt as bytes', () => {
  const completion = {
    name: 'createInterrupt',
    status: 0,
    interrupt: { vectorCount: 1, data: 0x4023, address: 0xfee0_0000n },
  } as const;
  const bytes = Uint8Array.from(Buffer.from(`${'00'.repeat(8)}0000010023400000${'0000e0fe00000000'}`, 'hex'));
  expect(encodeVpciCompletion('createInterrupt', completion)).toEqual(bytes);
  expect(decodeVpciCompletion('createInterrupt', bytes)).toEqual(completion);
});

test('a refusal needs no more than its status', () => {
  const bytes = Uint8Array.of(0x59, 0, 0, 0xc0);
  expect(decodeVpciCompletion('queryProtocolVersion', bytes)).toEqual({
    name: 'queryProtocolVersion',
    status: VPCI_STATUS.revisionMismatch,
    version: 0,
  });
  expect(decodeVpciCompletion('queryProtocolVersion', new Uint8Array(4))).toMatchObject({
    problem: 'short',
    expected: 8,
  });
});

test('slots are five bits of device and three of function', () => {
  expect(slotOf(2)).toBe(2);
  expect(slotOf(31, 7)).toBe(0xff);
  fc.assert(
    fc.property(fc.nat({ max: 31 }), fc.nat({ max: 7 }), (device, fn) => {
      expect([slotDevice(slotOf(device, fn)), slotFunction(slotOf(device, fn))]).toEqual([device, fn]);
    }),
  );
});
