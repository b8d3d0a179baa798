/**
 * The modelled guest beside the real kernel, scenario by scenario: no difference that nobody has explained, and no
 * explanation that nobody needs. What is to be mended when this fails is the model, or the list of what is known.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Comparison, formatComparison, isDifference } from '../../src/report/compare.ts';
import { KnownDifferences } from '../../src/vm/compare/known-differences.ts';
import { MAIN } from '../support/command.ts';

const SCENARIOS = [
  'vf-plug-join',
  'two-nics',
  'serials-crossed',
  'mac-only',
  'association-first-revoke',
  'revoke-during-probe',
  'surprise-removal',
  'nic-rescinded-under-vf',
  'netvsc-down-with-vf',
  'mtu-change-with-vf',
  'reload-netvsc',
  'vf-before-netvsc',
  'namespace-follows',
] as const;

interface Outcome {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Two at a time, for the two processors that there are at least. */
const LANES = 2;
const outcomes = new Map<string, Promise<Outcome>>();

function compare(scenario: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, 'compare', scenario, '--json']);
    let [out, err] = ['', ''];
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    child.on('exit', (exit) => resolve({ exit, out, err }));
  });
}

beforeAll(async () => {
  // The first boots the guest that the others go on from.
  const first = compare(SCENARIOS[0]);
  outcomes.set(SCENARIOS[0], first);
  const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => first);
  for (const [i, scenario] of SCENARIOS.slice(1).entries()) {
    const ran = (lanes[i % LANES] as Promise<unknown>).then(() => compare(scenario));
    lanes[i % LANES] = ran;
    outcomes.set(scenario, ran);
  }
  await first;
});

describe('the model and the real kernel', () => {
  test.each(SCENARIOS)('do the same in %s, but for what is known', async (scenario) => {
    const { exit, out, err } = (await outcomes.get(scenario)) as Outcome;
    expect([exit, err], out === '' ? err : formatComparison(JSON.parse(out), { colour: false, width: 160 })).toEqual([
      0,
      '',
    ]);
    const { channels, agrees } = JSON.parse(out) as Comparison & { readonly agrees: boolean };
    expect(agrees).toBe(true);
    const rows = channels.filter(({ nic }) => nic !== '').flatMap((channel) => channel.rows);
    expect(rows.filter((row) => !isDifference(row)).length).toBeGreaterThan(rows.length / 2);
  });

  test('need every explanation that there is', async () => {
    const ran = await Promise.all(outcomes.values());
    const used = new Set(
      ran.flatMap(({ out }) =>
        (JSON.parse(out) as Comparison).channels.flatMap(({ rows }) =>
          rows.filter(isDifference).map(({ explained }) => explained?.id),
        ),
      ),
    );
    const file = join(import.meta.dirname, '../../fixtures/compare/known.yaml');
    const known = KnownDifferences.parse(readFileSync(file, 'utf8'), file);
    if (!known.ok) throw new Error(known.error.join('\n'));
    expect(known.value.ids.filter((id) => !used.has(id))).toEqual([]);
  });
});
