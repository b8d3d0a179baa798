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
const place = { nic: 'nic1', channel: 'log', user: ['udev'], nics: 2 } as const;

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

  test('can be for what a scenario has, and is for one channel', () => {
    const row = { kind: 'model', text: 'x' } as const;
    const isFor = (what: string, where: Parameters<KnownDifferences['at']>[0]): boolean =>
      parse(entry(`${what}, model: x`))
        .at(where)
        .explain(row).explained !== undefined;
    expect(isFor('observer: udev', place)).toBe(true);
    expect(isFor('observer: udev', { ...place, user: ['manager'] })).toBe(false);
    expect(isFor('nics: 2', place)).toBe(true);
    expect(isFor('nics: 2', { ...place, nics: 1 })).toBe(false);
    expect(isFor('nics: 2', { ...place, channel: 'registry' })).toBe(false);
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
    [entry('nics: 2'), /has either `moved`/],
    [entry('model: x, nics: 1'), /^known\.yaml:1: 0\.nics: /],
    ['- { id: one, channel: log, model: x, source: where }', /^known\.yaml:1: 0\.reason: /],
  ])('%j is not', (text, complaint) => {
    expect(problems(text).join('\n')).toMatch(complaint);
  });
});
