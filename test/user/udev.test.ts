import { describe, expect, test } from 'vitest';
import { ms } from '../../src/base/time.ts';
import { Latency } from '../../src/sim/latency.ts';
import { netNames, policyName } from '../../src/user/net-names.ts';
import { Udev } from '../../src/user/udev.ts';
import { AZURE_UNMANAGED_SRIOV, matches } from '../../src/user/udev-rules.ts';
import { FakeGuest, SYNTHETIC, VF } from './fake-guest.ts';

function withUdev() {
  const guest = new FakeGuest();
  const udev = new Udev(guest.sim, guest, new Latency());
  const heard = udev.subscribe('monitor');
  return { guest, udev, heard: () => heard.contents().map(({ action, ifname }) => `${action} ${ifname}`) };
}

describe("Azure's rule over the flags word (INV-U3)", () => {
  const { flags } = AZURE_UNMANAGED_SRIOV;

  test.each([
    [0x1802, 'SLAVE'],
    [0x1803, 'SLAVE, UP'],
    [0x1903, 'SLAVE, UP, PROMISC'],
  ])('0x%s (%s) matches', (word) => {
    expect(matches(flags, `0x${word.toString(16)}`)).toBe(true);
  });

  test.each([
    [0x1002, 'plain'],
    [0x1003, 'UP'],
    [0x1203, 'UP, ALLMULTI'],
    [0x9, 'the loopback: too few digits'],
  ])('0x%s (%s) does not', (word) => {
    expect(matches(flags, `0x${word.toString(16)}`)).toBe(false);
  });

  test('it misses words that have SLAVE: its digits are upper case, the kernel prints lower case', () => {
    const missed = Array.from({ length: 0x10 }, (_, i) => 0x1003 | (i << 8))
      .filter((word) => (word & 0x800) !== 0 && !matches(flags, `0x${word.toString(16)}`))
      .map((word) => word.toString(16));
    expect(missed).toEqual(['1a03', '1b03', '1c03', '1d03', '1e03', '1f03']);
  });
});

test.each([
  ['mana|mlx4_core|mlx5_core', 'mlx5_core', true],
  ['mana|mlx4_core|mlx5_core', 'mlx5_cor', false],
  ['mana|mlx4_core|mlx5_core', 'hv_netvsc', false],
  ['mlx?_*', 'mlx4_en', true],
  ['eth[!0]', 'eth1', true],
  ['eth[!0]', 'eth0', false],
  ['a.c', 'abc', false],
])('the glob %s over %s: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});

describe('names by net_id', () => {
  const at = { domain: 1, bus: 0, device: 2, function: 0, slot: '1' };

  test.each([
    ['domain and slot', at, { slot: 'enP1s1', path: 'enP1p0s2' }],
    ['domain zero is left out', { ...at, domain: 0 }, { slot: 'ens1', path: 'enp0s2' }],
    ['a domain in decimal', { ...at, domain: 0x1a65, slot: '2' }, { slot: 'enP6757s2', path: 'enP6757p0s2' }],
    ['a slot whose name clashed is no number', { ...at, slot: '1-1' }, { slot: undefined, path: 'enP1p0s2' }],
    ['no slot', { ...at, slot: undefined }, { slot: undefined, path: 'enP1p0s2' }],
    ['a function above zero', { ...at, function: 3 }, { slot: 'enP1s1f3', path: 'enP1p0s2f3' }],
  ])('%s', (_what, location, names) => {
    expect(netNames(location)).toEqual(names);
  });

  test('a VMBus NIC has none', () => {
    expect(netNames(undefined)).toBeUndefined();
  });

  test.each([
    ['1', 'enP1s1'],
    [undefined, 'enP1s1'],
    ['2', undefined],
    ['3', undefined],
    ['4', undefined],
  ])('with name_assign_type %s the policy wants %s', (assigned, wanted) => {
    expect(policyName(netNames(at), assigned)).toBe(wanted);
  });
});

describe('a VF that appears', () => {
  test('without the flag is no business of the rule; it is renamed after 10 ms', () => {
    const { guest, udev, heard } = withUdev();
    guest.plug(VF);
    guest.run();
    expect(guest.told('udev.rule')[0]).toMatchObject({
      dev: 'nic1.vf',
      ifname: 'eth1',
      flags: 0x1002,
      unmanaged: false,
    });
    expect(guest.told('udev.name')).toMatchObject([{ time: ms(10), from: 'eth1', to: 'enP1s1', outcome: 'ok' }]);
    expect(heard()).toEqual(['add enP1s1', 'move enP1s1']);
    expect(udev.properties(VF.ifindex)).not.toHaveProperty('NM_UNMANAGED');
  });

  test('with the flag is marked', () => {
    const { guest, udev } = withUdev();
    guest.plug(VF, { flags: 0x1802 });
    guest.run();
    expect(udev.properties(VF.ifindex)).toEqual({
      INTERFACE: 'enP1s1',
      ID_NET_NAME_SLOT: 'enP1s1',
      ID_NET_NAME_PATH: 'enP1p0s2',
      AZURE_UNMANAGED_SRIOV: '1',
      ID_NET_MANAGED_BY: 'unmanaged',
      NM_UNMANAGED: '1',
    });
  });

  test('with the flag but another driver is not', () => {
    const { guest, udev } = withUdev();
    guest.plug(VF, { flags: 0x1802, driver: 'ixgbevf' });
    guest.run();
    expect(udev.properties(VF.ifindex)).not.toHaveProperty('NM_UNMANAGED');
  });

  test('and gets the flag meanwhile: the listeners hear of it only with the move', () => {
    const { guest, udev } = withUdev();
    const monitor = udev.subscribe('another monitor');
    const vf = guest.plug(VF);
    guest.sim.after(ms(5), () => guest.change(vf, { flags: 0x1802 }));
    guest.run();
    expect(monitor.contents().map(({ action, properties }) => [action, properties['NM_UNMANAGED']])).toEqual([
      ['add', undefined],
      ['move', '1'],
    ]);
  });

  test('and is up before the rename: EBUSY, and it keeps its name', () => {
    const { guest, heard } = withUdev();
    guest.refusals.set('rename', 'EBUSY');
    guest.plug(VF);
    guest.run();
    expect(guest.told('udev.name')).toMatchObject([{ from: 'eth1', to: 'enP1s1', outcome: 'EBUSY' }]);
    expect(heard()).toEqual(['add eth1']);
  });

  test('and is gone before the rename, while another has taken its name: that one is left alone', () => {
    const { guest } = withUdev();
    const vf = guest.plug(VF);
    guest.sim.after(ms(5), () => {
      guest.unplug(vf);
      guest.plug(SYNTHETIC, { ifindex: 4, ifname: 'eth1' });
    });
    guest.run();
    expect(guest.told('udev.name')).toMatchObject([{ outcome: 'ENODEV' }]);
  });

  test('and is gone before udevd looks: nothing matches, nothing is named', () => {
    const { guest, heard } = withUdev();
    guest.unplug(guest.plug(VF));
    guest.run();
    expect(guest.told('udev.rule')).toMatchObject([{ flags: 0, unmanaged: false }]);
    expect(heard()).toEqual(['add eth1', 'remove eth1']);
  });
});

test('a synthetic NIC keeps its name', () => {
  const { guest, heard } = withUdev();
  guest.plug(SYNTHETIC);
  guest.run();
  expect([guest.commands, heard()]).toEqual([[], ['add eth0']]);
});

test('no device waits for the rename of another', () => {
  const { guest } = withUdev();
  guest.plug(VF);
  guest.plug(VF, { dev: 'nic2.vf', ifindex: 4, ifname: 'eth2' });
  guest.run();
  expect(guest.told('udev.rule').map(({ dev, time }) => [dev, time])).toEqual([
    ['nic1.vf', 0],
    ['nic2.vf', 0],
    ['nic1.vf', ms(10)],
    ['nic2.vf', ms(10)],
  ]);
});

test('a VF that comes back is a new device with a new record', () => {
  const { guest, udev } = withUdev();
  const first = guest.plug(VF, { flags: 0x1802 });
  guest.run();
  guest.unplug(first);
  guest.plug(VF, { ifindex: 5 });
  guest.run();
  expect([udev.properties(3), udev.properties(5)?.['INTERFACE']]).toEqual([undefined, 'enP1s1']);
});
