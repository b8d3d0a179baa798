import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { earlyUp as buggy } from '../../fixtures/drivers/early-up.buggy.ts';
import { earlyUp as fixed } from '../../fixtures/drivers/early-up.fixed.ts';
import { type Explored, explore, type ScenarioOptions } from '../../src/explore/drivers.ts';
import { matchers } from '../../src/vitest.ts';

/** The worked example of the README: a notifier that fails in a few orders, and its repair. */

expect.extend(matchers);

const catalogue = { vfs: vfModels, synthetics: syntheticModels };
const scenario = readFileSync(new URL('../../fixtures/drivers/early-up.yaml', import.meta.url), 'utf8');
const search = (options: Partial<ScenarioOptions>): Explored => explore(scenario, { catalogue, ...options });

/** What the matcher says when it does not hold. */
function complaint(expectation: () => void): string {
  try {
    expectation();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it held');
}

describe('the buggy driver', () => {
  const explored = search({ drivers: buggy });

  test('holds in the usual order, and deadlocks in a few', () => {
    expect(search({ drivers: buggy, order: '' })).toHoldInSampledOrders();
    expect(explored.verdict).toBe('fails');
    const { searched, sampled, found } = explored;
    expect(searched).toMatchObject({ whole: true });
    expect(found.map(({ key }) => key)).toEqual(['deadlock']);
    expect(found[0]?.searchedOrders).toBeLessThan((searched?.orders ?? 0) / 4);
    expect(found[0]?.sampledOrders).toBeLessThan(sampled / 4);
  });

  test('fails the test of whoever wrote it, with the smallest order that shows why', () => {
    const told = complaint(() => expect(explored).toHoldInAllOrders());
    expect(told).toMatch(
      /^expected to hold in all orders\n\nFAILS: deadlock in \d+ of \d+ orders \(\d+ of 201 sampled\)\n/,
    );
    expect(told).toContain('a VF is revoked as soon as it has joined (linux-6.12, direct)');
    expect(told).toMatch(/\nin the smallest order a turn is taken (once|[23] times); to run no other: explore/);
    const lanes = told.split('\n').flatMap((line) => /^[ │]* (\S+( nic1\.vf)?)$/.exec(line)?.[1] ?? []);
    expect(lanes).toEqual(expect.arrayContaining(['host.nic1', 'hv_pci_1', 'early-up nic1.vf']));
    expect(told).toContain('✗ early-up nic1.vf waits for ever');
    expect(told).toMatch(/The race: both touch \S+/);
  });

  test('fails as the README shows it', () => {
    const [verdict = ''] = /^FAILS: .*$/m.exec(complaint(() => expect(explored).toHoldInAllOrders())) ?? [];
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = /^FAILS: (.*?)^```/ms.exec(readme)?.[0].replaceAll('\n', ' ');
    expect(shown).toContain(verdict);
    const [cycle = '', ...waits] = explored.found[0]?.text.split('; ') ?? [];
    for (const part of [cycle, ...waits.filter((wait) => !wait.startsWith('hv_vmbus'))]) expect(shown).toContain(part);
  });

  test('fails again in the order that is printed', () => {
    const order = /order: '(.*)'/.exec(complaint(() => expect(explored).toHoldInAllOrders()))?.[1] ?? '';
    expect(search({ drivers: buggy, order })).toFailWith('deadlock');
    expect(search({ drivers: fixed, order })).toHoldInSampledOrders();
  });

  test('is what it is expected to be', () => {
    expect(explored).toFailWith('deadlock');
    expect(explored).not.toFailWith('stuck');
    expect(explored).not.toHoldInAllOrders();
    expect(explored).not.toHoldInSampledOrders();
    expect(complaint(() => expect(explored).toFailWith('stuck'))).toMatch(
      /^expected to fail with "stuck" in some order\n/,
    );
    expect(complaint(() => expect(explored).not.toFailWith('deadlock'))).toMatch(
      /^expected not to fail with "deadlock"/,
    );
  });
});

describe('the repaired driver', () => {
  const explored = search({ drivers: fixed });

  test('holds in all orders', () => {
    expect(explored).toHoldInAllOrders();
    expect(explored).toHoldInSampledOrders();
    expect(explored.searched?.orders).toBeGreaterThan(20);
  });

  test('can be expected to fail, in vain', () => {
    const told = complaint(() => expect(explored).toFailWith('deadlock'));
    expect(told).toMatch(
      /^expected to fail with "deadlock" in some order\n\nholds in all orders: \d+ inequivalent orders/,
    );
  });
});

describe('a search that did not come to its end', () => {
  test('is no proof', () => {
    const explored = search({ drivers: fixed, strategy: 'reduced', ordersMax: 5 });
    expect(explored).toHoldInSampledOrders();
    const told = complaint(() => expect(explored).toHoldInAllOrders());
    expect(told).toMatch(
      /^expected to hold in all orders\n\nNO VERDICT: nothing was found in \d orders, and there are more/,
    );
  });

  test('nor are samples', () => {
    const explored = search({ drivers: fixed, strategy: 'pos', samples: 5 });
    expect(explored).toHoldInSampledOrders();
    expect(explored).not.toHoldInAllOrders();
  });

  test('nor is a run that was given up, even for the orders that were tried', () => {
    const explored = search({ drivers: fixed, strategy: 'pos', samples: 2, stepsMax: 100 });
    const told = complaint(() => expect(explored).toHoldInSampledOrders());
    expect(told).toMatch(/NO VERDICT: a run was given up: 100 steps were done by .* and these still run: /);
  });
});

test('only a search can be expected to hold', () => {
  expect(() => expect({ verdict: 'all' }).toHoldInAllOrders()).toThrow('expect() was not given what explore() returns');
  expect(() => expect(undefined).toFailWith('deadlock')).toThrow('expect() was not given what explore() returns');
});
