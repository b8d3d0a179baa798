import { describe, expect, test } from 'vitest';
import { mac } from '../../../src/base/mac.ts';
import { machine, plugged } from '../../support/machine.ts';

/** get_netvsc_byslot(), reference B.5: who owns a VF is asked by serial number and address, then by address alone. */

describe('a VF with the address of its NIC', () => {
  test('and its serial number joins', () => {
    const m = plugged();
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(m.log('nic1.vf')).not.toContain('no netdev found for vf serial:1');
  });

  test('is marked at POST_INIT by dev_addr, when its permanent address is still zero', () => {
    const m = plugged();
    expect(m.story('netdev.state', 'netdev.flags', 'uevent').filter((line) => line.includes('nic1.vf'))).toEqual([
      'nic1.vf is post-init',
      'flags of nic1.vf: +SLAVE -',
      'uevent add nic1.vf eth1',
      'nic1.vf is registered',
    ]);
  });

  test('and another serial number joins all the same: the address alone is enough', () => {
    const m = plugged({ nics: [{ serial: 1, pciSerial: 7 }] });
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(true);
  });

  test('and another serial number stays outside where there is no fallback to the address', () => {
    const m = plugged({ nics: [{ serial: 1, pciSerial: 7 }], fixes: { 'mac-fallback': false } });
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
    expect(m.log('nic1.vf')).toContain('no netdev found for vf serial:7');
  });

  test('joins before any association has come, by the fallback alone', () => {
    const choice = { fixes: { 'mac-fallback': false } };
    for (const [m, master] of [
      [machine(), 'nic1'],
      [machine(choice), undefined],
    ] as const) {
      m.host.offer();
      m.settle();
      m.host.offerVf();
      m.settle();
      expect(m.guest.masterOf('nic1.vf')).toBe(master);
    }
  });

  test('is matched by its permanent address, whatever its present one is', () => {
    const m = machine({ modules: ['pci-hyperv', 'mlx5_core'] });
    m.host.offer();
    m.host.offerVf();
    m.settle();
    m.guest.netdev('nic1.vf').devAddr = mac('02:00:00:00:00:99');
    m.guest.load('hv_netvsc');
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
  });

  test('until c807d6cd089d counts by its permanent address only, so that nothing can be marked at POST_INIT', () => {
    const m = plugged({ fixes: { 'post-init-slave': false } });
    expect(m.story('netdev.flags', 'uevent', 'netdev.master').filter((line) => line.includes('nic1.vf'))).toEqual([
      'uevent add nic1.vf eth1',
      'master of nic1.vf: nic1',
      'flags of nic1.vf: +SLAVE -',
    ]);
  });
});

describe('a VF with another address', () => {
  test('never joins, even with the right serial number', () => {
    const m = machine({ modules: ['pci-hyperv', 'hv_netvsc'] });
    m.host.offer();
    m.settle();
    m.host.plug();
    m.settle();
    const fn = m.machine.bus.functions.get('nic1.vf');
    m.run('host', 'host', plugInWith(fn));
    m.guest.load('mlx5_core');
    expect(m.guest.netdev('nic1.vf').permAddr).toBe('02:00:00:00:00:99');
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(false);
    expect(m.log('nic1.vf').filter((line) => line === 'no netdev found for vf serial:1')).toHaveLength(2);
  });
});

describe('slots', () => {
  test('a name that clashes is no number, and the VF stays outside', () => {
    const m = machine();
    m.kernel.pci.createSlot('1');
    m.host.offer();
    m.settle();
    m.host.plug();
    m.settle();
    expect(m.log('nic1.vf').filter((line) => line.startsWith('Invalid'))).toEqual([
      'Invalid vf serial:1-1',
      'Invalid vf serial:1-1',
    ]);
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
  });

  test('two VFs with one serial number: the second gets a name with a dash and stays outside', () => {
    const m = plugged({ nics: [{ serial: 5 }, { serial: 5 }] });
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(m.guest.masterOf('nic2.vf')).toBeUndefined();
    expect(m.log('nic2.vf')).toContain('Invalid vf serial:5-1');
  });

  test('a PCI device without one is no VF', () => {
    const m = machine({ modules: ['pci-hyperv', 'hv_netvsc'] });
    m.host.offer();
    m.settle();
    m.host.plug();
    m.settle();
    for (const device of m.kernel.pci['devices']) device.slot = undefined;
    m.guest.load('mlx5_core');
    expect(m.log('nic1.vf')).toContain('no PCI slot information');
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
  });

  test('a serial number beyond 32 bits is none', () => {
    const m = plugged({ nics: [{ pciSerial: 0xffff_ffff }] });
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    const clash = machine({ modules: ['pci-hyperv', 'hv_netvsc'] });
    clash.host.offer();
    clash.settle();
    clash.host.plug();
    clash.settle();
    for (const device of clash.kernel.pci['devices']) device.slot = { name: '4294967296' };
    clash.guest.load('mlx5_core');
    expect(clash.log('nic1.vf')).toContain('Invalid vf serial:4294967296');
  });
});

describe('two NICs', () => {
  test('each VF finds its own', () => {
    const m = plugged({ nics: 2 });
    expect([m.guest.masterOf('nic1.vf'), m.guest.masterOf('nic2.vf')]).toEqual(['nic1', 'nic2']);
  });

  test('crossed serial numbers do not cross the pairs: no serial number outweighs an address', () => {
    const m = plugged({ nics: [{ pciSerial: 2 }, { pciSerial: 1 }] });
    expect([m.guest.masterOf('nic1.vf'), m.guest.masterOf('nic2.vf')]).toEqual(['nic1', 'nic2']);
  });

  test('crossed serial numbers without the fallback: nobody joins', () => {
    const m = plugged({ nics: [{ pciSerial: 2 }, { pciSerial: 1 }], fixes: { 'mac-fallback': false } });
    expect([m.guest.masterOf('nic1.vf'), m.guest.masterOf('nic2.vf')]).toEqual([undefined, undefined]);
  });

  test('of two with one address the one that was probed last gets the VF, unless the serial number says otherwise', () => {
    const twins = [{ mac: mac('00:0d:3a:00:00:aa') }, { mac: mac('00:0d:3a:00:00:aa') }] as const;
    const bySerial = machine({ nics: twins });
    const byAddress = machine({ nics: twins });
    for (const m of [bySerial, byAddress]) {
      m.host.offer('nic1');
      m.settle();
      m.host.offer('nic2');
      m.settle();
    }
    bySerial.host.plug('nic1');
    byAddress.host.offerVf('nic1');
    bySerial.settle();
    byAddress.settle();
    expect(bySerial.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(byAddress.guest.masterOf('nic1.vf')).toBe('nic2');
  });

  test('a second VF for one NIC is ignored without a word, though it is marked already', () => {
    const address = mac('00:0d:3a:00:00:aa');
    const m = machine({ nics: [{ mac: address }, { mac: address }] });
    m.host.offer('nic1');
    m.settle();
    m.host.plug('nic1');
    m.settle();
    m.host.offerVf('nic2');
    m.settle();
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(m.guest.masterOf('nic2.vf')).toBeUndefined();
    expect(m.guest.hasFlag('nic2.vf', 'SLAVE')).toBe(true);
    expect(m.log('nic2.vf').filter((line) => line.includes('vf serial') || line.includes('joined'))).toEqual([]);
  });
});

function* plugInWith(fn: ReturnType<ReturnType<typeof machine>['machine']['bus']['functions']['get']>) {
  if (fn?.identity === undefined) throw new Error('there is no function');
  yield* fn.plugIn({ ...fn.identity, mac: mac('02:00:00:00:00:99') });
}
