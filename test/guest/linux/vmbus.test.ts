import { describe, expect, test } from 'vitest';
import { us } from '../../../src/base/time.ts';
import { carrying, machine, type TestMachine } from '../../support/machine.ts';

/** vmbus_connect(), vmbus_onoffer(), vmbus_onoffer_rescind(): reference C.1, D.5. */

describe('version negotiation', () => {
  const asked = (m: TestMachine): string[] =>
    m
      .events('vmbus.message')
      .flatMap(({ name, detail }) => (name === 'initiateContact' ? [/version=(\S+)/.exec(detail)?.[1] ?? ''] : []));

  test('the newest first, and one that both have is taken at once', () => {
    const m = machine();
    expect(asked(m)).toEqual(['0x50003']);
    expect(m.log('vmbus')).toEqual(['Vmbus version:5.3']);
  });

  test.each([
    { versions: { vmbus: 0x5_0000 }, tried: ['0x50003', '0x50002', '0x50001', '0x50000'], took: '5.0' },
    // A host that is older has no connection 4: the hypervisor refuses the hypercall, and no message comes through.
    { versions: { vmbus: 0x4_0000 }, tried: ['0x40001', '0x40000'], took: '4.0' },
    { versions: { vmbus: 0x2_0004 }, tried: ['0x40001', '0x40000', '0x30000', '0x20004'], took: '2.4' },
  ])('down to $took', ({ versions, tried, took }) => {
    const m = machine({ versions });
    expect(asked(m)).toEqual(tried);
    expect(m.log('vmbus')).toEqual([`Vmbus version:${took}`]);
    m.host.offer();
    m.settle();
    expect(m.guest.has('nic1')).toBe(true);
  });

  test('a host that takes none: EDOM, a line in the log, no module, and an offer that nobody asks for', () => {
    const m = machine({ versions: { vmbus: 0 } });
    expect(m.log('vmbus')).toEqual(['Unable to connect to host']);
    expect(m.events('module')).toEqual([]);
    expect(m.run('again', 'guest', m.kernel.vmbus.connect())).toBe('EDOM');
    m.host.offer();
    m.settle();
    expect([m.guest.has('nic1'), m.wire('vmbus.message', 'host').includes('offerChannel')]).toEqual([false, false]);
  });
});

describe('an offer and its rescind', () => {
  const released = (m: TestMachine) =>
    m.wire('vmbus.message', 'guest').filter((name) => name === 'relidReleased').length;

  test('in one breath: no device, and the number is released once', () => {
    const m = machine();
    m.start('operator', 'scenario', m.machine.host.act({ do: 'offer', nic: 'nic1' }));
    m.host.rescind();
    m.settle();
    expect([m.guest.has('nic1'), released(m), m.stuck()]).toEqual([false, 1, '']);
    expect(m.kernel.vmbusCore['devices'].size).toBe(0);
  });

  /** The probe takes 360 us: a moment for each answer that it waits for under VMBus messages, where a rescind ends it. */
  test.each([0, 5, 15, 25, 35])('%i us after the offer: the probe ends, the number is released once', (at) => {
    const m = machine();
    m.host.offer();
    m.pass(us(at));
    m.host.rescind();
    m.settle();
    expect([m.guest.has('nic1'), released(m), m.stuck()]).toEqual([false, 1, '']);
    m.host.offer();
    m.settle();
    expect(m.guest.has('nic1')).toBe(true);
  });

  test('while the probe waits for a packet: nobody ends that wait, and the rescind waits for the probe', () => {
    const m = machine();
    m.host.offer();
    m.untilEvent('nvsp.message', { from: 'guest', name: 'init' });
    m.host.rescind();
    m.settle();
    expect(m.stuck()).toContain("hv_pri_chan waits: wait nic1 host's answer to init (open)");
    expect(m.stuck()).toContain('hv_vmbus_rescind waits: whileIs nic1.probe_done (false)');
    expect(released(m)).toBe(0);
  });

  test('of a NIC that works: the NIC goes; a VF stays behind as it was, without a master, and the host is not asked', () => {
    const m = carrying();
    m.run('host', 'host', rescindOnly(m));
    m.settle();
    expect(m.log('nic1')).toEqual(['VF unregistering: eth1']);
    expect([m.wire('nvsp.message', 'guest'), m.wire('rndis.message', 'guest')]).toEqual([[], []]);
    const vf = m.guest.netdev('nic1.vf');
    expect([m.guest.has('nic1'), vf.up, vf.master, vf.flags.now]).toEqual([false, true, undefined, 0x1803]);
    expect([released(m), m.stuck()]).toEqual([1, '']);
  });

  test('twice for one channel: the second finds nothing to do', () => {
    const m = carrying();
    m.run('host', 'host', rescindOnly(m));
    m.run('host', 'host', rescindOnly(m));
    m.settle();
    expect([released(m), m.stuck()]).toEqual([1, '']);
  });

  test('offered again: the old name and a new ifindex', () => {
    const m = machine();
    m.host.offer();
    m.settle();
    const { name, ifindex } = m.guest.netdev('nic1');
    m.host.rescind();
    m.settle();
    m.host.offer();
    m.settle();
    const again = m.guest.netdev('nic1');
    expect([again.name, again.ifindex > ifindex]).toEqual([name, true]);
  });

  test('offered again before the guest has let go: the offer waits, and comes once', () => {
    const m = machine();
    m.host.offer();
    m.settle();
    m.forget();
    m.start('operator', 'scenario', m.machine.host.act({ do: 'rescind', nic: 'nic1' }));
    m.host.offer();
    m.settle();
    expect(m.story('vmbus.message').filter((line) => /ffer|elid/.test(line))).toEqual([
      'host: rescindChannelOffer nic1',
      'guest: relidReleased nic1',
      'host: offerChannel nic1',
    ]);
    expect(m.guest.has('nic1')).toBe(true);
  });

  test('taken away under a VF that carries, and offered again: the probe of the new NIC finds the VF and joins it', () => {
    const m = carrying();
    m.host.rescind();
    m.settle();
    const { up, master } = m.guest.netdev('nic1.vf');
    expect([m.guest.has('nic1'), up, master, m.host.pathOf()]).toEqual([false, true, undefined, 'synthetic']);
    m.host.offer();
    m.guest.up('nic1');
    m.settle();
    expect([m.guest.masterOf('nic1.vf'), m.guest.pathOf(), m.host.pathOf(), m.stuck()]).toEqual([
      'nic1',
      'vf',
      'vf',
      '',
    ]);
  });

  test('a hundred times over with a VF: joined and carrying again each time', () => {
    const m = carrying();
    for (let round = 0; round < 100; round++) {
      m.host.revoke();
      m.settle();
      m.host.rescind();
      m.settle();
      expect([m.guest.has('nic1'), m.guest.has('nic1.vf')]).toEqual([false, false]);
      m.host.offer();
      m.guest.up('nic1');
      m.host.plug();
      m.settle();
      expect([m.guest.pathOf(), m.host.pathOf()]).toEqual(['vf', 'vf']);
    }
    expect([m.guest.netdev('nic1').name, m.guest.netdev('nic1.vf').name]).toEqual(['eth0', 'eth1']);
  });
});

/** The message alone: a host that takes the NIC back and leaves its VF where it is. */
function* rescindOnly(m: TestMachine) {
  yield* m.machine.bus.synic.deliver({ name: 'rescindChannelOffer', childRelid: 1 });
}
