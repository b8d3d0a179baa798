import { describe, expect, test } from 'vitest';
import { ms } from '../../../src/base/time.ts';
import { machine, type TestMachine } from '../../support/machine.ts';

/** device_lock() over probe and remove: drivers/base/dd.c (__device_attach(), device_release_driver()). */

/** A machine whose VF is in the middle of its driver's probe. */
function probing(): TestMachine {
  const m = machine();
  m.host.offer();
  m.guest.up('nic1');
  m.host.plug();
  m.untilEvent('log', { text: 'PCI host bridge to bus 0001:00' });
  m.pass(ms(100));
  m.forget();
  return m;
}

describe('a driver that is unloaded while it probes', () => {
  test.each(['mlx5_core', 'pci-hyperv', 'hv_netvsc'])(
    '%s: the probe ends first, then the device is let go of',
    (name) => {
      const m = probing();
      expect(m.guest.unload(name)).toBe('done');
      m.settle();
      const driver = name === 'pci-hyperv' ? 'hv_pci' : name;
      const bound = m.story('driver.bound').filter((line) => line.startsWith(driver));
      const expected = {
        mlx5_core: ['has', 'lets go of'],
        'pci-hyperv': ['has', 'lets go of'],
        hv_netvsc: ['lets go of'],
      };
      const of = name === 'hv_netvsc' ? 'nic1' : 'nic1.vf';
      expect(bound).toEqual(expected[name as keyof typeof expected].map((what) => `${driver} ${what} ${of}`));
      expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([name === 'hv_netvsc', '']);
    },
  );

  test('mlx5_core loaded again takes the function that waits', () => {
    const m = probing();
    m.guest.unload('mlx5_core');
    m.guest.load('mlx5_core');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.guest.pathOf(), m.stuck()]).toEqual(['nic1', 'vf', '']);
  });

  test('hv_netvsc under the probe of its own NIC', () => {
    const m = machine();
    m.start('operator', 'scenario', m.machine.host.act({ do: 'offer', nic: 'nic1' }));
    m.untilEvent('nvsp.message', { from: 'guest', name: 'init' });
    expect(m.guest.unload('hv_netvsc')).toBe('done');
    m.settle();
    expect([m.guest.has('nic1'), m.stuck()]).toEqual([false, '']);
    m.guest.load('hv_netvsc');
    m.settle();
    expect(m.guest.has('nic1')).toBe(true);
  });
});

test('a driver that is loaded while the function is ejected does not get it', () => {
  const m = machine({ modules: ['pci-hyperv', 'hv_netvsc'] });
  m.host.offer();
  m.host.plug();
  m.settle();
  m.start('modprobe', 'guest', m.machine.guest.execute({ do: 'load', module: 'mlx5_core' }));
  m.host.revoke();
  m.settle();
  expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
});
