import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CloudInitOutcome, findNics, judge } from '../../src/user/cloud-init-rules.ts';
import { netNames } from '../../src/user/net-names.ts';
import { AZURE_UNMANAGED_SRIOV } from '../../src/user/udev-rules.ts';
import { askCloudInit, releaseOf } from './cloud-init-real.ts';
import { need } from './namespace.ts';
import { locationIn, scanTree } from './tree.ts';
import { marksIn, udevProperties } from './udevadm.ts';

/** The shipped scenario of the race, and the moments of it at which real programs are let look. */
const root = join(import.meta.dirname, '../..');
const SCENARIO = join(root, 'fixtures/scenarios/vf-seen-before-join.yaml');
const MOMENTS = {
  race: { guest: 'linux-5.15', at: 'uevent.add:nic1.vf' },
  flagged: { guest: 'linux-6.12', at: 'uevent.add:nic1.vf' },
  joined: { guest: 'linux-6.12', at: 'netvsc.vf:nic1.vf' },
} as const;
type Moment = keyof typeof MOMENTS;
const FAMILIES = ['mlx5', 'mana'] as const;
type Family = (typeof FAMILIES)[number];

const folder = mkdtempSync(join(tmpdir(), 'netvsim-scenario-'));

beforeAll(() => need('util-linux', 'udev', 'cloud-init'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The guest's /sys at a moment of the scenario, with a VF of this family, as the built program writes it. */
function sysAt(moment: Moment, family: Family): string {
  const { guest, at } = MOMENTS[moment];
  const file = join(folder, `${family}.yaml`);
  writeFileSync(file, readFileSync(SCENARIO, 'utf8').replace('vf: mlx5', `vf: ${family}`));
  const out = mkdtempSync(join(folder, `${moment}-`));
  const args = ['dist/src/cli/main.js', 'sysfs', file, '--guest', guest, '--at', at, '--out', out];
  const ran = spawnSync('node', args, { cwd: root, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`netvsim ${args.slice(1).join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return out;
}

const cases = FAMILIES.flatMap((family) =>
  (Object.keys(MOMENTS) as Moment[]).map((moment) => [moment, family] as const),
);

describe('the real udevadm over the modelled /sys', () => {
  test.each(cases)('%s, %s: the VF is marked if and only if it has the flag', (moment, family) => {
    const marks = marksIn(udevProperties(sysAt(moment, family), 'eth1'));
    expect(marks).toEqual(moment === 'race' ? {} : AZURE_UNMANAGED_SRIOV.sets);
  });

  test.each(FAMILIES)('%s: the names are those of the model', (family) => {
    const tree = sysAt('joined', family);
    const properties = udevProperties(tree, 'eth1');
    const names = { slot: properties.get('ID_NET_NAME_SLOT'), path: properties.get('ID_NET_NAME_PATH') };
    expect(names.slot).toMatch(/^enP\d+s\d+$/);
    expect(names).toEqual(netNames(locationIn(tree, 'eth1')));
  });

  test('the synthetic NIC is neither marked nor named', () => {
    const properties = udevProperties(sysAt('joined', 'mlx5'), 'eth0');
    expect(marksIn(properties)).toEqual({});
    expect(properties.has('ID_NET_NAME_SLOT')).toBe(false);
  });
});

/** What Azure's data source makes of each state, by the rules of each release (reference, userspace 1). */
const OUTCOMES: Readonly<Record<string, Readonly<Record<Moment, Readonly<Record<Family, CloudInitOutcome>>>>>> = {
  '22.4': {
    race: { mlx5: 'vf-ignored', mana: 'vf-candidate' },
    flagged: { mlx5: 'vf-ignored', mana: 'vf-candidate' },
    joined: { mlx5: 'ok', mana: 'vf-candidate' },
  },
  '23.2': {
    race: { mlx5: 'vf-ignored', mana: 'vf-ignored' },
    flagged: { mlx5: 'vf-ignored', mana: 'vf-ignored' },
    joined: { mlx5: 'ok', mana: 'ok' },
  },
};

describe('the real cloud-init over the modelled /sys', () => {
  test.each(cases)('%s, %s: comes to what the model comes to', (moment, family) => {
    const tree = sysAt(moment, family);
    const blacklists = [[], ['mlx4_core', 'mlx5_core']];
    const real = askCloudInit(tree, blacklists);
    const release = releaseOf(real.version);
    const scan = scanTree(tree, real.order);
    for (const { blacklist, byMac, candidates } of real.found) {
      const model = findNics(release, scan, blacklist);
      expect(model.byMac instanceof Map ? { value: Object.fromEntries(model.byMac) } : model.byMac).toEqual(byMac);
      expect({ value: model.candidates }).toEqual(candidates);
    }
    expect(judge(scan, findNics(release, scan)).outcome).toBe(OUTCOMES[release.version]?.[moment][family]);
  });
});
