import { describe, expect, test } from 'vitest';
import { carrying, machine } from '../../support/machine.ts';

/** The module's exit with a VF that is up: reference B.2 and B.15, derived from the source there; nobody ran it. */

describe('hv_netvsc unloaded while its VF carries', () => {
  test('the replay to the parting notifier switches away, back again, and lets the VF go', () => {
    const m = carrying();
    expect(m.guest.unload('hv_netvsc')).toBe('done');
    const told = m.story('log', 'guest.datapath', 'host.datapath', 'notifier', 'netdev.master');
    expect(told.filter((line) => !/^(GOING_DOWN|DOWN|UNREGISTER) nic1$/.test(line))).toEqual([
      'guest: nic1 by synthetic',
      'host: nic1 by synthetic',
      'nic1: Data path switched from VF: eth1',
      'GOING_DOWN nic1.vf',
      'host: nic1 by vf',
      'guest: nic1 by vf',
      'nic1: Data path switched to VF: eth1', // at DOWN the VF still runs: nothing has gone down
      'DOWN nic1.vf',
      'nic1: VF unregistering: eth1',
      'master of nic1.vf: none',
      'UNREGISTER nic1.vf',
    ]);
  });

  test('leaves the VF registered and up, without a master, marked as a slave for good, and the host on the VF', () => {
    const m = carrying();
    m.guest.unload('hv_netvsc');
    m.settle();
    expect(m.guest.has('nic1')).toBe(false);
    const vf = m.guest.netdev('nic1.vf');
    expect([vf.up, vf.master, vf.flags.now, vf.rxHandler]).toEqual([true, undefined, 0x1803, undefined]);
    expect(m.host.pathOf()).toBe('vf');
    expect(m.stuck()).toBe('');
  });

  test('closes the session in order: RNDIS first, then the buffers, then the channel', () => {
    const m = carrying();
    m.guest.unload('hv_netvsc');
    expect(m.wire('rndis.message', 'guest')).toEqual(['halt']);
    expect(m.wire('nvsp.message', 'guest').slice(2)).toEqual(['revokeReceiveBuffer', 'revokeSendBuffer']);
    expect(m.wire('vmbus.message', 'guest')).toEqual([
      'closeChannel',
      'gpadlTeardown',
      'gpadlTeardown',
      'gpadlTeardown',
    ]);
  });

  test('gives back all that it had', () => {
    const m = carrying();
    const before = m.machine.bus.gpadls.handles().length;
    m.guest.unload('hv_netvsc');
    expect(m.machine.bus.gpadls.handles()).toHaveLength(before - 3);
    expect([...m.sim.alive()].map(({ name }) => name).filter((name) => name.startsWith('nic1.'))).toEqual([
      'nic1.vf.vpci',
      'nic1.vf.rx',
      'nic1.vf.link',
    ]);
  });
});

describe('loaded again', () => {
  test('it finds the VF, joins it, closes it with its new NIC, and opens it with it', () => {
    const m = carrying();
    m.guest.unload('hv_netvsc');
    m.forget();
    m.guest.load('hv_netvsc');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.guest.netdev('nic1.vf').up]).toEqual(['nic1', false]);
    expect(m.log('nic1.vf')).toEqual(['no netdev found for vf serial:1', 'joined to eth0']);
    m.guest.up('nic1');
    m.settle();
    expect([m.guest.pathOf(), m.host.pathOf(), m.stuck()]).toEqual(['vf', 'vf', '']);
  });

  test('a hundred times, with the same names and one more ifindex each time', () => {
    const m = carrying();
    const first = m.guest.netdev('nic1').ifindex;
    for (let round = 0; round < 100; round++) {
      m.guest.unload('hv_netvsc');
      m.guest.load('hv_netvsc');
      m.guest.up('nic1');
      m.settle();
    }
    const nic = m.guest.netdev('nic1');
    expect([nic.name, m.guest.netdev('nic1.vf').name, m.guest.pathOf()]).toEqual(['eth0', 'eth1', 'vf']);
    expect(nic.ifindex - first).toBeGreaterThanOrEqual(100);
  });

  test('without the scan in the probe the VF stays alone', () => {
    const m = carrying({ fixes: { 'probe-vf-scan': false } });
    m.guest.unload('hv_netvsc');
    m.guest.load('hv_netvsc');
    m.guest.up('nic1');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.guest.pathOf()]).toEqual([undefined, 'synthetic']);
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(true);
  });

  test('after the host took the VF away meanwhile it has the NIC alone, and the VF joins when it returns', () => {
    const m = carrying();
    m.guest.unload('hv_netvsc');
    m.host.revoke();
    m.settle();
    expect([m.guest.has('nic1.vf'), m.host.pathOf()]).toEqual([false, 'synthetic']);
    m.guest.load('hv_netvsc');
    m.guest.up('nic1');
    m.host.plug();
    m.settle();
    expect([m.guest.pathOf(), m.host.pathOf(), m.stuck()]).toEqual(['vf', 'vf', '']);
  });
});

test('unloaded while a VF waits in its probe for the RTNL: the VF comes up alone, and nobody hangs', () => {
  const m = machine();
  m.host.offer();
  m.guest.up('nic1');
  m.host.plug();
  m.untilEvent('log', { text: 'PCI host bridge to bus 0001:00' });
  m.guest.unload('hv_netvsc');
  m.settle();
  expect([m.guest.has('nic1'), m.guest.masterOf('nic1.vf'), m.stuck()]).toEqual([false, undefined, '']);
});
