import { describe, expect, test } from 'vitest';
import { formatDuration, formatMoment, ms, parseDuration, seconds, us } from '../../src/base/time.ts';

describe('a span that a scenario names', () => {
  test.each([
    ['0', 0],
    ['250ns', 250],
    ['20us', us(20)],
    ['20ms', ms(20)],
    ['1.5s', ms(1500)],
    ['2min', seconds(120)],
    ['720min', seconds(43_200)],
  ])('%s', (text, span) => {
    expect(parseDuration(text)).toBe(span);
  });

  test.each(['', '5', '5 ms', '-5ms', '5m', '1e3ms', '.5s', '99999999s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

test.each([
  [0, '0'],
  [250, '250 ns'],
  [us(71.3), '71.3 us'],
  [ms(100), '100 ms'],
  [ms(65_400), '65.4 s'],
  [seconds(64), '64 s'],
])('%d ns is shown as %s', (span, text) => {
  expect(formatDuration(span)).toBe(text);
});

test('a moment looks as in a kernel log', () => {
  expect(formatMoment(8_160_911_509_000)).toBe('8160.911509');
  expect(formatMoment(us(3))).toBe('0.000003');
});
