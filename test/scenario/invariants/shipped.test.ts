import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../../../src/scenario/invariants/invariants.ts';
import type { Failure } from '../../../src/scenario/verdict.ts';
import { runShipped, shipped, shippedScenarios } from '../../support/shipped.ts';

/** Every invariant over every scenario: what is broken, and what never came to its end. */
function watchAll(
  name: string,
  guest: string,
): { readonly broken: readonly string[]; readonly stuck: readonly Failure[] } {
  const always = INVARIANTS.map((invariant) => invariant.name);
  const { failures } = runShipped({ ...shipped(name, { guest, transport: 'direct' }), always }).verdict;
  const broken = failures.filter(({ kind }) => kind === 'invariant').map(({ what }) => what);
  return { broken: [...new Set(broken)].sort(), stuck: failures.filter(({ kind }) => kind === 'stuck') };
}

describe.each(['linux-6.12', 'linux-6.1'])('on %s all hold', (guest) => {
  /** Where a scenario is about what even this kernel breaks. */
  const known: Readonly<Record<string, readonly string[]>> = {
    // Two fixes are switched off: nobody marks the VF, and so IPv6 takes it for a NIC of its own.
    'notifier-registered-late': ['no-ipv6-on-vf', 'slave-means-master'],
    // The parting notifier is told DOWN of a VF that runs, and switches to it once more (reference B.15).
    'reload-netvsc': ['stop-on-synthetic', 'unload-leaves-synthetic'],
  };

  test.each(shippedScenarios)('%s', (name) => {
    expect(watchAll(name, guest)).toEqual({ broken: known[name] ?? [], stuck: [] });
  });
});

describe('on linux-5.15 only those break that a later fix is for', () => {
  const fixedLater: Readonly<Record<string, string>> = {
    'flagged-before-visible': 'post-init-slave',
    'one-lease-per-mac': 'post-init-slave',
    'joined-eventually': 'mac-fallback and probe-vf-scan',
    'slave-means-master': 'probe-vf-scan',
    'same-namespace': 'vf-follows-netns',
    'unload-leaves-synthetic': 'nothing yet',
  };
  const seen = new Set<string>();

  test.each(shippedScenarios)('%s', (name) => {
    const { broken, stuck } = watchAll(name, 'linux-5.15');
    expect(broken.filter((invariant) => !(invariant in fixedLater))).toEqual([]);
    expect(stuck).toEqual([]);
    for (const invariant of broken) seen.add(invariant);
  });

  test('and each of them does somewhere', () => {
    expect([...seen].sort()).toEqual(Object.keys(fixedLater).sort());
  });
});
