import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNics } from '../../src/user/cloud-init-rules.ts';
import { askCloudInit, releaseOf } from './cloud-init-real.ts';
import { need } from './namespace.ts';
import { type HandMadeNic, scanTree, synthetic, vf, writeHandMade } from './tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'netvsim-cloud-init-'));
const BLACKLISTS = [[], ['mlx4_core', 'mlx5_core']];

beforeAll(() => need('util-linux', 'cloud-init'));
afterAll(() => rmSync(folder, { recursive: true }));

const down = { carrier: '0', operstate: 'down' };
const up = { flags: 0x1003, carrier: '1', operstate: 'up' };
const mana = { driver: 'mana' };
const joined = { flags: 0x1803, master: 'eth0' };
const second = { name: 'eth2', ifindex: 4, pci: { domain: 2, slot: '2' } };

const STATES: Readonly<Record<string, readonly HandMadeNic[]>> = {
  'no VF': [synthetic()],
  'a race, mlx5': [synthetic(), vf()],
  'a race, mana': [synthetic(), vf(mana)],
  'flagged, mlx5': [synthetic(), vf({ flags: 0x1802 })],
  'flagged, mana': [synthetic(), vf({ ...mana, flags: 0x1802 })],
  'joined, mlx5': [synthetic(), vf(joined)],
  'joined, mana': [synthetic(), vf({ ...mana, ...joined })],
  'a VF that is up beside a NIC without carrier': [synthetic(down), vf({ ...mana, ...up })],
  'joined beside a NIC without carrier, mana': [synthetic(down), vf({ ...mana, ...up, ...joined })],
  'joined beside a NIC without carrier, mlx5': [synthetic(down), vf({ ...up, ...joined })],
  'a VF that took the name eth0': [synthetic({ name: 'eth1' }), vf({ ...mana, name: 'eth0' })],
  'two VFs at once': [synthetic(), vf(mana), vf({ ...mana, ...second })],
  'two VFs and no synthetic NIC': [vf(), vf({ ...mana, ...second })],
  'a stolen address': [synthetic({ addrAssignType: '2' }), vf()],
  'a dozen of NICs': Array.from({ length: 12 }, (_, i) =>
    vf({ ...(i % 3 === 0 ? up : {}), name: `eth${i}`, ifindex: 2 + i, addrAssignType: '2' }),
  ),
};

describe('the real cloud-init and the model come to the same', () => {
  test.each(Object.entries(STATES))('%s', (name, nics) => {
    const tree = join(folder, name.replaceAll(' ', '-'));
    writeHandMade(tree, nics);
    const real = askCloudInit(tree, BLACKLISTS);
    const release = releaseOf(real.version);
    for (const { blacklist, byMac, candidates, fallback } of real.found) {
      const model = findNics(release, scanTree(tree, real.order), blacklist);
      expect(model.byMac instanceof Map ? { value: Object.fromEntries(model.byMac) } : model.byMac).toEqual(byMac);
      expect({ value: model.candidates }).toEqual(candidates);
      expect({ value: model.candidates[0] ?? null }).toEqual(fallback);
    }
  });
});
