import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatStrike, parseStrike } from '../../../src/vm/explore/strike.ts';

const line = fc.integer({ min: 1, max: 999 });
const quantum = fc.integer({ min: 1, max: 2 ** 20 - 1 });
const point = fc.oneof(
  fc.record({ at: fc.constant('instruction' as const), count: fc.nat() }),
  fc.record({
    at: fc.constant('message' as const),
    name: fc.constantFrom('switchDataPath', 'query', 'gpadlHeader'),
    nth: fc.integer({ min: 1, max: 50 }),
  }),
);

test('a strike reads as it was written', () => {
  fc.assert(
    fc.property(fc.record({ line, point, quantum }), (strike) => {
      expect(parseStrike(formatStrike(strike))).toEqual({ ok: true, value: strike });
    }),
  );
});

test.each([
  ['line 14 instruction 51234 quantum 997', { at: 'instruction', count: 51_234 }, 997],
  ['  line 14   message switchDataPath ', { at: 'message', name: 'switchDataPath', nth: 1 }, 100_003],
  ['line 14 message query#3 quantum 211', { at: 'message', name: 'query', nth: 3 }, 211],
])('%s', (text, at, of) => {
  expect(parseStrike(text)).toEqual({ ok: true, value: { line: 14, point: at, quantum: of } });
});

test.each([
  ['', '"" is no strike: line <n> instruction <n>|message <name>[#<n>] [quantum <n>]'],
  ['line 14', /^"line 14" is no strike/],
  ['line 14 message query#0', /is no strike/],
  ['line 14 instruction -1', /is no strike/],
  ['line 14 instruction 1 quantum 0', 'a quantum of 0: 1 to 1048575 can be'],
  ['line 14 instruction 1 quantum 1048576', /^a quantum of 1048576/],
])('%s is refused in one line', (text, error) => {
  const parsed = parseStrike(text);
  expect(parsed).toEqual({ ok: false, error: error instanceof RegExp ? expect.stringMatching(error) : error });
});
