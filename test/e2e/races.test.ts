import { expect, test, vi } from 'vitest';
import { netvsim } from '../support/command.ts';

// A search of every known race, twice and once more for each cure that was proposed.
vi.setConfig({ testTimeout: 900_000 });

interface Row {
  readonly id: string;
  readonly problem?: string;
  readonly preemptions: number;
  readonly breaks: string;
  readonly broken: { readonly verdict: string; readonly found: readonly { readonly key: string }[] };
  readonly holding: { readonly verdict: string };
}

test('every known race is found without its fix, with few preemptions, and gone with it', () => {
  const { exit, out, err } = netvsim(['races', '--json']);
  expect(`${exit} ${err}`).toMatch(/^0 /);
  const { races } = JSON.parse(out) as { readonly races: readonly Row[] };
  const first = [
    'G-1',
    'G-3',
    'G-4',
    'G-35',
    'D-01',
    'D-02',
    'D-03',
    'D-04',
    'D-05',
    'D-12',
    'D-20',
    'D-21',
    'D-22',
    'D-23',
  ];
  expect(races.map(({ id }) => id)).toEqual(expect.arrayContaining(first));
  for (const { id, problem, broken, holding, preemptions } of races) {
    expect([id, problem, broken.verdict, holding.verdict]).toEqual([id, undefined, 'fails', 'all']);
    expect(preemptions).toBeLessThanOrEqual(3);
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
