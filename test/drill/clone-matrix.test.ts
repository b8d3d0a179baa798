import { describe, expect, test } from 'vitest';
import { MATRIX, MATRIX_KINDS, type MatrixCase, searchCase } from '../../src/drill/clone-matrix.ts';
import { type Fix, PROFILES, type Profile, withFixes } from '../../src/guest/freebsd/profile.ts';
import { formatMatrix } from '../../src/report/clone-matrix.ts';

const kernel = (name: string, fixes: Partial<Record<Fix, boolean>> = {}): Profile =>
  withFixes(PROFILES[name] as Profile, fixes);

function result(each: MatrixCase, profile: Profile) {
  const { verdict, found, searched } = searchCase(each, profile).exploration;
  return { verdict, found: found.map(({ key }) => key).sort(), orders: searched?.orders };
}

test('eight kinds, three fights each', () => {
  expect(MATRIX.length).toBe(24);
  expect(new Set(MATRIX.map(({ kind, fight }) => `${kind} ${fight}`)).size).toBe(24);
});

describe('create/destroy holds in all orders', () => {
  const cases = MATRIX_KINDS.flatMap((kind) => Object.keys(PROFILES).map((profile) => [kind, profile] as const));

  test.each(cases)('%s on %s', (kind, profile) => {
    const { verdict, found, orders } = result({ kind, fight: 'create/destroy' }, kernel(profile));
    expect({ verdict, found }).toEqual({ verdict: 'all', found: [] });
    expect(orders).toBeGreaterThan(profile === 'ideal' ? 40 : 5);
  });
});

describe('up/destroy', () => {
  test('loses the flag of an end as long as flags are read and written in two steps (G-29)', () => {
    const each = { kind: 'faith', fight: 'up/destroy' } as const;
    expect(result(each, kernel('freebsd-14')).found).toContain('if_free_deferred: not dying');
  });

  test('finds the data of a driver gone that has no lock for it (G-47)', () => {
    const fault = 'use after free: vlan_softc by vlan_ioctl';
    const each = { kind: 'vlan', fight: 'up/destroy' } as const;
    expect(result(each, kernel('ideal', { 'ioctl-locked': false })).found).toContain(fault);
    const tap = { kind: 'tap', fight: 'up/destroy' } as const;
    const found = result(tap, kernel('ideal', { 'tunnel-ioctl-locked': false })).found;
    expect(found).toContain('use after free: tap_softc by tap_ioctl');
  });

  test('with IPv6 finds what the family has of the interface gone, until that goes with the interface (G-4)', () => {
    const each = { kind: 'lo', fight: 'up/destroy with IPv6' } as const;
    const faults = ['null dereference: if_afdata[inet6] by ND_IFINFO', 'use after free: in6_ifextra by ND_IFINFO'];
    expect(result(each, kernel('freebsd-14', { 'atomic-flags': true })).found).toEqual(expect.arrayContaining(faults));
  });

  test('holds in all orders where all of that is mended', () => {
    const { verdict, found, orders } = result({ kind: 'faith', fight: 'up/destroy' }, kernel('ideal'));
    expect({ verdict, found }).toEqual({ verdict: 'all', found: [] });
    expect(orders).toBeGreaterThan(1000);
  });
});

test('a table with the verdict first', () => {
  const rows = MATRIX_KINDS.slice(0, 2).map((kind) => ({
    ...searchCase({ kind, fight: 'create/destroy' }, kernel('freebsd-14')),
    milliseconds: 40,
  }));
  const lines = formatMatrix(rows, 'freebsd-14', false).split('\n');
  expect(lines[0]).toMatch(/^2 cases hold on freebsd-14 in all \d+ orders$/);
  expect(lines[2]).toMatch(/^case +operations +orders +verdict +seconds$/);
  expect(lines[3]).toMatch(/^epair create\/destroy +create, destroy against destroy +\d+ +holds +0\.0$/);
  const failing = searchCase({ kind: 'vlan', fight: 'up/destroy' }, kernel('freebsd-14'));
  const said = formatMatrix([{ ...failing, milliseconds: 1 }], 'freebsd-14', false);
  expect(said).toContain('FAILED: 1 of 1 cases on freebsd-14');
  expect(said).toContain('in 1 of them: use after free: vlan_softc by vlan_ioctl');
});
