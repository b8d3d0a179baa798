import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KnownDifferences } from '../../../src/vm/compare/known-differences.ts';

const parse = (text: string): KnownDifferences => {
  const read = KnownDifferences.parse(text, 'known.yaml');
  if (!read.ok) throw new Error(read.error.join('\n'));
  return read.value;
};
const problems = (text: string): readonly string[] => {
  const read = KnownDifferences.parse(text, 'known.yaml');
  return read.ok ? [] : read.error;
};
const entry = (what: string): string => `- { id: one, channel: log, ${what}, reason: why, source: where }\n`;
const place = { scenario: 'here', nic: 'nic1', channel: 'log' } as const;

describe('a pattern', () => {
  const known = parse(
    entry("model: 'only <vf> \\d'") +
      entry("real: 'said of <nic>'") +
      entry("model: 'a', real: 'b'") +
      entry("moved: 'm'"),
  ).at(place);
  const explained = (row: Parameters<typeof known.explain>[0]): boolean => known.explain(row).explained !== undefined;

  test('is for one side', () => {
    expect(explained({ kind: 'model', text: 'only nic1.vf 7' })).toBe(true);
    expect(explained({ kind: 'real', text: 'only nic1.vf 7' })).toBe(false);
    expect(explained({ kind: 'real', text: 'said of nic1' })).toBe(true);
    expect(explained({ kind: 'model', text: 'said of nic1' })).toBe(false);
  });

  test('is for the whole line, of this NIC', () => {
    expect(explained({ kind: 'model', text: 'only nic1.vf 77' })).toBe(false);
    expect(explained({ kind: 'model', text: 'only nic2.vf 7' })).toBe(false);
    expect(explained({ kind: 'model', text: 'only nic1xvf 7' })).toBe(false);
  });

  test('of both sides is for what stands for the other, and for neither alone', () => {
    expect(known.stands('a', 'b')).toBe(true);
    expect(known.stands('b', 'a')).toBe(false);
    expect(explained({ kind: 'changed', model: 'a', real: 'b' })).toBe(true);
    expect(explained({ kind: 'model', text: 'a' })).toBe(false);
    expect(explained({ kind: 'real', text: 'b' })).toBe(false);
  });

  test('of what has moved is for that alone', () => {
    expect(explained({ kind: 'moved', side: 'real', text: 'm' })).toBe(true);
    expect(explained({ kind: 'real', text: 'm' })).toBe(false);
  });

  test('can be for some scenarios, and is for one channel', () => {
    const some = parse(entry("scenarios: [there], model: 'x'"));
    const row = { kind: 'model', text: 'x' } as const;
    expect(some.at(place).explain(row).explained).toBeUndefined();
    expect(some.at({ ...place, scenario: 'there' }).explain(row).explained?.reason).toBe('why');
    expect(some.at({ ...place, scenario: 'there', channel: 'registry' }).explain(row).explained).toBeUndefined();
  });
});

describe('a file', () => {
  test('that is shipped is good', () => {
    const file = join(import.meta.dirname, '../../../fixtures/compare/known.yaml');
    expect(problems(readFileSync(file, 'utf8'))).toEqual([]);
  });

  test.each([
    ['- {', /^known\.yaml:1: /],
    ['one', /^known\.yaml:1: .*array/],
    [`${entry('model: x')}${entry("model: '('")}`, /^known\.yaml:2: 1\.model: .*parenthesis|Unterminated/],
    [entry('channel: smoke'), /^known\.yaml:1: /],
    [entry('moved: x, real: y'), /has either `moved`/],
    [entry('scenarios: [a]'), /has either `moved`/],
    ['- { id: one, channel: log, model: x, source: where }', /^known\.yaml:1: 0\.reason: /],
  ])('%j is not', (text, complaint) => {
    expect(problems(text).join('\n')).toMatch(complaint);
  });
});
