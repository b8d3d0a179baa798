import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadRecord, saveRecord } from '../../src/base/snapshot.ts';

const again = (record: unknown): unknown => loadRecord(saveRecord(record));

test('all that a host keeps comes back as it was', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
      fc.uint8Array(),
      fc.array(tie('value')),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('value'), { noNullPrototype: true }),
      fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Map(entries)),
      fc.array(fc.string()).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(value, (record) => {
      expect(again(record)).toEqual(record);
    }),
  );
});

test('the order of a Map is kept: it decides the order of events', () => {
  const record = new Map([
    ['nic2', 1],
    ['nic1', 2],
  ]);
  expect([...(again(record) as Map<string, number>).keys()]).toEqual(['nic2', 'nic1']);
});

test('a Buffer is bytes, although it has an idea of its own about JSON', () => {
  expect(again({ frame: Buffer.from([1, 2]) })).toEqual({ frame: new Uint8Array([1, 2]) });
});

test('what is undefined stays so, also in a Map', () => {
  expect((again(new Map([['vf', undefined]])) as Map<string, unknown>).get('vf')).toBeUndefined();
  expect(again({ vf: undefined })).toEqual({});
});

describe('what is no plain record is our mistake', () => {
  class Nic {
    readonly name = 'nic1';
  }

  test.each([
    ['a function', { reply: () => {} }, /a function/],
    ['an instance', { nic: new Nic() }, /an instance of Nic/],
    ['a Date', { at: new Date(0) }, /an instance of Date/],
    ['infinity', { limit: Number.POSITIVE_INFINITY }, /Infinity/],
    ['no number', { limit: Number.NaN }, /NaN/],
  ])('%s', (_what, record, problem) => {
    expect(() => saveRecord(record)).toThrow(problem);
  });
});
