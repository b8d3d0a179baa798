import { expect, test } from 'vitest';
import { exhaustIndices, measureIndices } from '../../src/drill/ifindex.ts';
import { formatExhaustion, formatIndexCosts } from '../../src/report/ifindex.ts';

test('one table: each allocation goes through all numbers, and jails have numbers with holes', () => {
  expect(measureIndices('global', 600)).toEqual({
    design: 'global',
    interfaces: 600,
    vnets: 10,
    slots: (599 * 600) / 2,
    longest: 599,
    growths: 7,
    bytes: 1024 * 16,
    jail: { count: 60, lowest: 10, highest: 600 },
    ifcount: 600,
    moved: { before: 1, after: 1 },
  });
});

test('a table each vnet: short searches, numbers from one on, and another number after a move', () => {
  expect(measureIndices('per-vnet', 600)).toEqual({
    design: 'per-vnet',
    interfaces: 600,
    vnets: 10,
    slots: (10 * (59 * 60)) / 2,
    longest: 59,
    growths: 30,
    bytes: 10 * 64 * 8,
    jail: { count: 60, lowest: 1, highest: 60 },
    ifcount: 0,
    moved: { before: 1, after: 61 },
  });
});

test('a jail that takes all numbers starves the host in one design, and freezes it in both', () => {
  expect([exhaustIndices('global', 20), exhaustIndices('per-vnet', 20)]).toEqual([
    { design: 'global', host: [0, undefined], frozenByJail: true },
    { design: 'per-vnet', host: [1, 2], frozenByJail: true },
  ]);
});

test('as a table', () => {
  const table = formatIndexCosts((['global', 'per-vnet'] as const).map((design) => measureIndices(design, 100)));
  expect(table).toMatch(/^slots searched, all allocations +4,950 +2,450$/m);
  expect(formatExhaustion([exhaustIndices('global', 20)], 20)).toBe(
    'A jail takes all 20 numbers:\n' +
      "  global    the host's next interface gets 0, the one after it never comes back; " +
      'a jail that goes on freezes the host all the same\n',
  );
});
