import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mac } from '../../src/base/mac.ts';
import { encodeEthernet } from '../../src/wire/ethernet.ts';
import {
  encodeFlowPayload,
  FLOW_ETHER_TYPE,
  FLOW_NAME_MAX,
  type FlowPayload,
  flowOfFrame,
  parseFlowPayload,
} from '../../src/wire/flow-payload.ts';

const payload: fc.Arbitrary<FlowPayload> = fc.record({
  flow: fc.stringMatching(/^[a-z][a-z0-9-]*$/, { maxLength: FLOW_NAME_MAX }),
  kind: fc.constantFrom('echo', 'stream'),
  direction: fc.constantFrom('tx', 'rx'),
  id: fc.nat(2 ** 31),
});

test('what a frame of a flow says survives the wire, in the smallest frame too', () => {
  fc.assert(
    fc.property(payload, fc.integer({ min: 50, max: 1500 }), (value, size) => {
      const bytes = encodeFlowPayload(value, size);
      expect(bytes.length).toBe(size);
      expect(parseFlowPayload(bytes)).toEqual(value);
    }),
  );
});

test('whatever else comes is none of ours', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => parseFlowPayload(bytes) === undefined));
  const ours = encodeFlowPayload({ flow: 'ping', kind: 'echo', direction: 'tx', id: 7 }, 50);
  const between = { destination: mac('02:00:00:00:00:01'), source: mac('02:00:00:00:00:02') };
  expect(flowOfFrame(encodeEthernet({ ...between, etherType: FLOW_ETHER_TYPE, payload: ours }))?.id).toBe(7);
  expect(flowOfFrame(encodeEthernet({ ...between, etherType: 0x0800, payload: ours }))).toBeUndefined();
});
