import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { netvsim } from '../support/command.ts';
import { ROOT } from '../support/examples.ts';
import { fileOf, type RaceRow, rowOf, rowsThere } from '../support/founding.ts';

describe('all known races', () => {
  let races: readonly RaceRow[] = [];
  let said = '';

  beforeAll(() => {
    const { exit, out, err } = netvsim(['races', '--json']);
    said = `${exit} ${err}`;
    races = JSON.parse(out).races;
  });

  test('each is found without its fix, with few preemptions, and gone with it', () => {
    expect(said).toMatch(/^0 /);
    const first = ['D-01', 'D-02', 'D-03', 'D-04', 'D-05', 'D-12', 'D-20', 'D-21', 'D-22', 'D-23', 'G-3', 'G-4'];
    expect(races.map(({ id }) => id)).toEqual(expect.arrayContaining(first));
    for (const { id, problem, broken, holding, preemptions } of races) {
      expect([id, problem, broken.verdict, holding.verdict]).toEqual([id, undefined, 'fails', 'all']);
      expect(preemptions).toBeLessThanOrEqual(3);
    }
  });

  /** `UPDATE=1` writes what the searches say into the README. */
  test('the README says of each founding document what the searches say', () => {
    const now = new Map(races.map((race) => [fileOf(rowOf(race)), rowOf(race)]));
    const expected = rowsThere().map((row) => now.get(fileOf(row)) ?? `no race is in ${fileOf(row)}`);
    if (process.env['UPDATE'] === '1') {
      const path = join(ROOT, 'README.md');
      let text = readFileSync(path, 'utf8');
      for (const [at, row] of rowsThere().entries()) text = text.replace(row, () => expected[at] ?? row);
      writeFileSync(path, text);
    }
    expect(rowsThere().length).toBeGreaterThan(20);
    expect(rowsThere()).toEqual(expected);
  });
});

test('the tests that the README names for what is no race file are there', () => {
  const named = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/\[`?([^\]]*?)`?\]\((test\/[^)#]+)\)/g)];
  expect(named.length).toBeGreaterThan(10);
  for (const [, title = '', file = ''] of named) {
    expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(title);
  }
});

test('some of them as a table', () => {
  const { exit, out } = netvsim(['races', 'd-22', 'D-01', '--jobs', '1']);
  expect(exit).toBe(0);
  const lines = out.split('\n');
  expect(lines[0]).toBe('all 2 races are found without the fix, and gone with it');
  expect(lines[2]).toMatch(/^race +without its fix +preemptions +with every fix +seconds$/);
  expect(lines[3]).toMatch(
    /^D-01 +\d+ of \d+ orders \(\d+ of 201 sampled\) +1 +holds in .* \d+\.\d {2}user mode looks/,
  );
  expect(lines[4]).toMatch(/^D-22 /);
});
