import { expect, test } from 'vitest';
import { completions } from '../../src/scenario/completion.ts';
import { VERBS } from '../../src/scenario/verbs.ts';
import { NAMES } from '../support/vocabulary.ts';

const usages = VERBS.map(({ elements }) => elements);

const after = (line: string): readonly string[] => completions(usages, line, NAMES);

test('an empty line can become any verb', () => {
  expect(after('')).toEqual(['host', 'guest', 'flow', 'expect', 'from']);
});

test('a word that was begun is gone on with; one that is whole is followed by the next', () => {
  expect(after('host re')).toEqual(['rescind', 'revoke', 'reorder']);
  expect(after('host revoke')).toEqual(['revoke']);
  expect(after('host revoke ')).toEqual(['vf']);
});

test("a scenario's own names stand where a verb has a placeholder", () => {
  expect(after('host offer ')).toEqual(['nic1', 'nic2', 'vf']);
  expect(after('host plug vf of n')).toEqual(['nic1', 'nic2']);
});

test('what may be left out is offered, in any order and once', () => {
  expect(after('host update firmware ')).toEqual(['by', 'gap', 'times', 'serial', 'as']);
  expect(after('host update firmware gap 3s serial same ')).toEqual(['by', 'times', 'as']);
  expect(after('host revoke vf of nic1 by ')).toEqual(['eject-first', 'assoc-first', 'surprise']);
  expect(after('host link of vf of nic1 is ')).toEqual(['up', 'down']);
});

test('nothing follows what no verb reads, or what is free text', () => {
  expect(after('host plgu ')).toEqual([]);
  expect(after('host update firmware gap ')).toEqual([]);
  expect(after('host offer nic1 ')).toEqual([]);
});
