import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Aligned, align } from '../../../src/vm/compare/align.ts';

const head = (text: string): string => text.split(' ')[0] as string;
const likeness = { stands: () => false, head };
const plain = (rows: readonly Aligned[]): readonly string[] =>
  rows.map((row) => {
    switch (row.kind) {
      case 'changed':
        return `~ ${row.model} | ${row.real}`;
      case 'moved':
        return `% ${row.side}: ${row.text}`;
      default:
        return `${row.kind}: ${row.text}`;
    }
  });

function textOn(side: 'model' | 'real', row: Aligned): readonly string[] {
  switch (row.kind) {
    case 'same':
      return [row.text];
    case 'changed':
      return [row[side]];
    default:
      return (row.kind === 'moved' ? row.side : row.kind) === side ? [row.text] : [];
  }
}

describe('two sequences', () => {
  test('that are the same', () => {
    expect(plain(align(['a', 'b'], ['a', 'b'], likeness))).toEqual(['same: a', 'same: b']);
  });

  test('of which one has more', () => {
    expect(plain(align(['a', 'b', 'c'], ['a', 'c', 'd'], likeness))).toEqual([
      'same: a',
      'model: b',
      'same: c',
      'real: d',
    ]);
  });

  test('with other contents at one place', () => {
    const [model, real] = [
      ['init', 'query 0', 'set 1'],
      ['init', 'query 156', 'set 1'],
    ];
    expect(plain(align(model, real, likeness))).toEqual(['same: init', '~ query 0 | query 156', 'same: set 1']);
  });

  test('with the same at another place', () => {
    expect(plain(align(['up', 'a', 'b'], ['a', 'b', 'up'], likeness))).toEqual([
      '% model: up',
      'same: a',
      'same: b',
      '% real: up',
    ]);
  });

  test('with one more of a thing that both have: only as many as both have are moved', () => {
    expect(plain(align(['x 1', 'a'], ['a', 'x 1', 'x 1'], likeness))).toEqual([
      '% model: x 1',
      'same: a',
      '% real: x 1',
      'real: x 1',
    ]);
  });

  test('of which one line stands for another: it is found although both have its text elsewhere', () => {
    const model = ['pre-up', 'link 03', 'up', 'change', 'link 43'];
    const real = ['pre-up', 'link 43', 'up'];
    const stands = (one: string, other: string): boolean => one === 'link 03' && other === 'link 43';
    expect(plain(align(model, real, { stands, head }))).toEqual([
      'same: pre-up',
      '~ link 03 | link 43',
      'same: up',
      'model: change',
      'model: link 43',
    ]);
  });

  test('all come out again, in their order', () => {
    const texts = fc.array(fc.constantFrom('a 1', 'a 2', 'b 1', 'c 1'), { maxLength: 12 });
    fc.assert(
      fc.property(texts, texts, (model, real) => {
        const rows = align(model, real, likeness);
        const of = (side: 'model' | 'real'): readonly string[] => rows.flatMap((row) => textOn(side, row));
        expect(of('model')).toEqual(model);
        expect(of('real')).toEqual(real);
      }),
    );
  });
});
