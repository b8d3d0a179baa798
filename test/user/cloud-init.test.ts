import { describe, expect, test } from 'vitest';
import { startCloudInit } from '../../src/user/cloud-init.ts';
import { CLOUD_INIT_RELEASES, findNics, judge, type NicScan } from '../../src/user/cloud-init-rules.ts';
import { FakeGuest, SYNTHETIC, VF } from './fake-guest.ts';

const MAC = '00:0d:3a:12:34:56';
const SYN: NicScan = {
  name: 'eth0',
  address: MAC,
  addrAssignType: '3',
  driver: 'hv_netvsc',
  hasMaster: false,
  carrier: '1',
  dormant: '0',
  operstate: 'up',
};
const MLX5: NicScan = { ...SYN, name: 'enP1s1', driver: 'mlx5_core', carrier: undefined, operstate: 'down' };
const MANA: NicScan = { ...MLX5, driver: 'mana' };
const LO: NicScan = { ...SYN, name: 'lo', address: '00:00:00:00:00:00', driver: undefined, operstate: 'unknown' };
const up = { carrier: '1', operstate: 'up' };
const noCarrier = { carrier: '0', operstate: 'down' };
const joined = { hasMaster: true };

function release(version: string) {
  const found = CLOUD_INIT_RELEASES.find((one) => one.version === version);
  if (found === undefined) throw new Error(version);
  return found;
}

const outcome = (version: string, scan: readonly NicScan[]): string => {
  return judge(scan, findNics(release(version), [...scan, LO])).outcome;
};

describe('the table of the trials (reference, userspace 1)', () => {
  test.each([
    ['a VF is visible, no master yet: mlx5', [SYN, MLX5], ['duplicate-mac', 'vf-ignored', 'vf-ignored']],
    ['a VF is visible, no master yet: mana', [SYN, MANA], ['duplicate-mac', 'vf-candidate', 'vf-ignored']],
    ['the same, the VF listed first', [MANA, SYN], ['duplicate-mac', 'vf-candidate', 'vf-ignored']],
    ['the VF has joined: mlx5', [SYN, { ...MLX5, ...joined }], ['ok', 'ok', 'ok']],
    ['the VF has joined: mana', [SYN, { ...MANA, ...joined }], ['ok', 'vf-candidate', 'ok']],
    [
      'the VF is up, the synthetic NIC has no carrier, no master',
      [
        { ...SYN, ...noCarrier },
        { ...MANA, ...up },
      ],
      ['duplicate-mac', 'fallback-vf', 'vf-ignored'],
    ],
    [
      'joined, but the synthetic NIC has no carrier: mana',
      [
        { ...SYN, ...noCarrier },
        { ...MANA, ...up, ...joined },
      ],
      ['fallback-vf', 'fallback-vf', 'ok'],
    ],
    [
      'joined, but the synthetic NIC has no carrier: mlx5, which the blacklist saves',
      [
        { ...SYN, ...noCarrier },
        { ...MLX5, ...up, ...joined },
      ],
      ['fallback-vf', 'ok', 'ok'],
    ],
    [
      'the VF took the name eth0',
      [
        { ...MANA, name: 'eth0' },
        { ...SYN, name: 'eth1', ...noCarrier },
      ],
      ['duplicate-mac', 'fallback-vf', 'vf-ignored'],
    ],
    [
      'two VFs at once, both listed before the synthetic NIC',
      [MANA, { ...MANA, name: 'enP2s1' }, SYN],
      ['duplicate-mac', 'duplicate-mac', 'vf-ignored'],
    ],
    [
      'two VFs at once, both listed behind it',
      [SYN, MANA, { ...MANA, name: 'enP2s1' }],
      ['duplicate-mac', 'vf-candidate', 'vf-ignored'],
    ],
    ['no VF', [SYN], ['ok', 'ok', 'ok']],
    ['nothing', [], ['no-nic', 'no-nic', 'no-nic']],
  ])('%s', (_what, scan, expected) => {
    expect(CLOUD_INIT_RELEASES.map(({ version }) => outcome(version, scan))).toEqual(expected);
  });
});

describe('what the functions give', () => {
  test('19.3 raises with the names in the order of the directory', () => {
    expect(findNics(release('19.3'), [MLX5, SYN]).byMac).toEqual({
      error: `duplicate mac found! both 'eth0' and 'enP1s1' have mac '${MAC}'`,
    });
  });

  test('22.4 maps the address to the synthetic NIC, whoever is listed first', () => {
    for (const scan of [
      [SYN, MANA],
      [MANA, SYN],
    ]) {
      expect(findNics(release('22.4'), scan).byMac).toEqual(new Map([[MAC, 'eth0']]));
    }
  });

  test('candidates: eth0 first, then by number, those with carrier before those without', () => {
    const nic = (name: string, address: string, more = {}): NicScan => ({ ...MANA, name, address, ...more });
    const scan = [nic('eth10', '02::1'), nic('eth2', '02::2'), nic('eth0', '02::3'), nic('eth3', '02::4', up)];
    expect(findNics(release('22.4'), scan).candidates).toEqual(['eth3', 'eth0', 'eth2', 'eth10']);
    expect(findNics(release('19.3'), scan).candidates).toEqual(['eth3']);
  });

  test('a NIC with a stolen address is no interface of its own', () => {
    expect(findNics(release('22.4'), [{ ...SYN, addrAssignType: '2' }]).byMac).toEqual(new Map());
  });
});

test('the observer looks when it starts and at every new device, and tells what it made of it', () => {
  const guest = new FakeGuest();
  startCloudInit(guest.sim, guest, release('19.3'));
  guest.run();
  guest.plug(SYNTHETIC, { flags: 0x1003, carrier: true });
  guest.run();
  guest.plug(VF);
  guest.run();
  expect(guest.told('cloud-init').map(({ version, outcome, detail }) => [version, outcome, detail])).toEqual([
    ['19.3', 'no-nic', ''],
    ['19.3', 'ok', 'eth0'],
    ['19.3', 'duplicate-mac', `duplicate mac found! both 'eth1' and 'eth0' have mac '${MAC}'; fallback NIC eth0`],
  ]);
});
