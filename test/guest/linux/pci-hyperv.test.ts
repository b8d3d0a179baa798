import { describe, expect, test } from 'vitest';
import { ms, seconds, us } from '../../../src/base/time.ts';
import { carrying, machine, type TestMachine } from '../../support/machine.ts';

/** hv_pci_probe(), hv_eject_device_work(), hv_pci_remove(): reference C.7, D.4. */

const offered = (choice = {}): TestMachine => {
  const m = machine(choice);
  m.host.offer();
  m.settle();
  m.forget();
  return m;
};

describe('probe', () => {
  test('on the wire', () => {
    const m = offered();
    m.host.plug();
    m.settle();
    expect(m.story('vpci.message')).toEqual([
      'guest: queryProtocolVersion',
      'host: queryProtocolVersion completion',
      'guest: queryBusRelations',
      'host: busRelations2',
      'guest: queryResourceRequirements',
      'host: queryResourceRequirements completion',
      'guest: busD0Entry',
      'host: busRelations2',
      'host: busD0Entry completion',
      'guest: resourcesAssigned2',
      'host: resourcesAssigned2 completion',
    ]);
    expect(m.log('nic1.vf').slice(0, 2)).toEqual([
      'PCI VMBus probing: Using version 0x10004',
      'PCI host bridge to bus 0001:00',
    ]);
  });

  test('asks for older versions until the host takes one, with the messages of that version', () => {
    const m = offered({ versions: { vpci: 0x1_0001 } });
    m.host.plug();
    m.settle();
    const asked = m
      .events('vpci.message')
      .filter(({ from, name }) => from === 'guest' && name.startsWith('queryProtocol'));
    expect(asked.map(({ detail }) => detail)).toEqual([
      'version=0x10004',
      'version=0x10003',
      'version=0x10002',
      'version=0x10001',
    ]);
    expect(m.wire('vpci.message', 'guest')).toContain('resourcesAssigned');
    expect(m.wire('vpci.message', 'host')).toContain('busRelations');
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
  });

  test('fails when the host takes none, and lets go of everything', () => {
    const m = offered({ versions: { vpci: 0 } });
    const before = things(m);
    m.host.plug();
    m.settle();
    expect(m.log('nic1.vf')).toEqual([
      'PCI pass-through VSP failed to find supported version',
      'probe failed for device 70636976-0001-4e49-8000-000000000002 (-71)',
    ]);
    expect(m.guest.has('nic1.vf')).toBe(false);
    expect(things(m)).toEqual(before);
    m.host.revoke();
    m.settle();
    expect([m.host.vfStateOf(), m.stuck()]).toEqual(['none', '']);
  });
});

describe('domains and slots', () => {
  test('a domain that is taken: the lowest free one, with a word in the log', () => {
    const m = offered();
    m.kernel.pci.takeDomain(1);
    m.host.plug();
    m.settle();
    expect(m.log('nic1.vf')).toContain('PCI dom# 0x1 has collision, using 0x2');
    expect(m.log('nic1.vf')).toContain('PCI host bridge to bus 0002:00');
  });

  test('a slot has the decimal serial number for its name, and is destroyed with its device, so that the name comes back', () => {
    const m = carrying({ nics: [{ serial: 12 }] });
    const slots = m.kernel.pci['slotNames'];
    expect([...slots]).toEqual(['12']);
    for (const order of ['eject-first', 'assoc-first', 'surprise'] as const) {
      m.host.revoke('nic1', order);
      m.settle();
      expect([...slots]).toEqual([]);
      m.host.plug();
      m.settle();
      expect([[...slots], m.guest.masterOf('nic1.vf')]).toEqual([['12'], 'nic1']);
    }
  });

  test('the domain of a VF that returns is the same', () => {
    const m = carrying();
    m.host.revoke();
    m.settle();
    m.host.plug();
    m.settle();
    expect(m.log('nic1.vf')).toContain('PCI host bridge to bus 0001:00');
    expect(m.log('nic1.vf').filter((line) => line.includes('collision'))).toEqual([]);
  });
});

describe('eject', () => {
  test('is completed only when the network device has gone, and then the channel goes', () => {
    const m = carrying();
    m.host.revoke();
    m.settle();
    const told = m.story('vpci.message', 'uevent', 'netdev.state', 'vmbus.message', 'driver.bound');
    expect(told.filter((line) => /nic1\.vf|eject/.test(line))).toEqual([
      'host: eject',
      'nic1.vf is unregistering',
      'uevent remove nic1.vf eth1',
      'nic1.vf is unregistered',
      'mlx5_core lets go of nic1.vf',
      'guest: ejectionComplete',
      'host: rescindChannelOffer nic1.vf',
      'hv_pci lets go of nic1.vf',
      'guest: closeChannel nic1.vf',
      'guest: relidReleased nic1.vf',
    ]);
  });

  test('during the probe waits until the VF driver has probed', () => {
    const m = offered();
    m.host.plug();
    m.untilEvent('log', { text: 'PCI host bridge to bus 0001:00' });
    m.pass(ms(100));
    m.host.revoke();
    m.pass(ms(300));
    expect(m.stuckIn('hv_pci_1')).toContain('lock nic1.vf.state_lock');
    m.settle();
    const told = m.story('driver.bound', 'vpci.message');
    expect(told.slice(told.indexOf('host: eject'))).toEqual([
      'host: eject',
      'mlx5_core has nic1.vf',
      'hv_pci has nic1.vf',
      'mlx5_core lets go of nic1.vf',
      'guest: ejectionComplete',
      'hv_pci lets go of nic1.vf',
    ]);
    expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
  });

  test('that takes the guest longer than a minute is cut short by a rescind, and ends all the same', () => {
    const m = carrying({ latency: { 'vf.stop': seconds(90) } });
    m.host.revoke();
    m.settle();
    expect(m.events('host.timeout')).toMatchObject([{ what: 'EJECTION_COMPLETE', after: seconds(60) }]);
    expect([m.guest.has('nic1.vf'), m.host.vfStateOf(), m.stuck()]).toEqual([false, 'none', '']);
  });
});

describe('a rescind without an eject', () => {
  test('of a VF that carries: the device goes, and nothing is asked on the dead channel', () => {
    const m = carrying();
    m.host.revoke('nic1', 'surprise');
    m.settle();
    expect(m.wire('vpci.message', 'guest')).toEqual([]);
    expect(m.log('nic1')).toContain('Data path switched from VF: eth1');
    expect([m.guest.has('nic1.vf'), m.host.vfStateOf(), m.stuck()]).toEqual([false, 'none', '']);
  });

  test('during the driver probe leaves no device, and the next return works', () => {
    const m = offered();
    const before = things(m);
    m.host.plug();
    m.untilEvent('log', { text: 'PCI host bridge to bus 0001:00' });
    m.pass(ms(100));
    m.host.revoke('nic1', 'surprise');
    m.settle();
    expect(m.log('nic1.vf')).toContain('probe with driver mlx5_core failed with error -19');
    expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
    expect(things(m)).toEqual(before);
    m.host.plug();
    m.settle();
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
  });

  test('while the host still owes an answer: the wait ends, and the log says why', () => {
    const m = offered();
    m.host.plug();
    m.untilEvent('vpci.message', { name: 'queryBusRelations' });
    m.host.revoke('nic1', 'surprise');
    m.settle();
    expect(m.log('nic1.vf')).toEqual([
      'PCI VMBus probing: Using version 0x10004',
      'The device is gone.',
      'probe failed for device 70636976-0001-4e49-8000-000000000002 (-19)',
    ]);
  });

  /** Whenever it comes between the offer and the end of the probe: one moment for each answer that is waited for. */
  test.each(Array.from({ length: 18 }, (_, i) => i * 10))(
    '%i us into the probe ends it, and the next return works',
    (at) => {
      const m = offered();
      const before = things(m);
      m.host.plug();
      m.untilEvent('vmbus.message', { from: 'host', name: 'offerChannel', dev: 'nic1.vf' });
      m.pass(us(at));
      m.host.revoke('nic1', 'surprise');
      m.settle();
      expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
      expect(things(m)).toEqual(before);
      m.host.plug();
      m.settle();
      expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    },
  );
});

describe('the module', () => {
  test('unloaded takes the VF away in good order; loaded again it brings it back', () => {
    const m = carrying();
    m.guest.unload('pci-hyperv');
    m.settle();
    expect(m.wire('vpci.message', 'guest')).toEqual(['busD0Exit']);
    expect([m.guest.has('nic1.vf'), m.host.pathOf(), m.host.vfStateOf()]).toEqual([false, 'synthetic', 'offered']);
    m.guest.load('pci-hyperv');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.host.pathOf()]).toEqual(['nic1', 'vf']);
  });

  test("of a VF's driver unloaded unregisters the device and leaves the function; loaded again it joins again", () => {
    const m = carrying();
    m.guest.unload('mlx5_core');
    m.settle();
    expect([m.guest.has('nic1.vf'), m.host.pathOf(), m.host.vfStateOf()]).toEqual([false, 'synthetic', 'open']);
    expect([...m.kernel.pci['slotNames']]).toEqual(['1']);
    m.guest.load('mlx5_core');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.host.pathOf()]).toEqual(['nic1', 'vf']);
  });
});

/** What a bus takes of the system. */
function things(m: TestMachine) {
  const { pci } = m.kernel;
  return {
    contexts: [...m.sim.alive()].map(({ name }) => name).filter((name) => /^nic1\.vf|^hv_pci/.test(name)),
    slots: pci['slotNames'].size,
    domains: pci['domains'].size,
    devices: pci['devices'].size,
    gpadls: m.machine.bus.gpadls.handles().length,
    rings: m.machine.bus['rings'].size,
  };
}
