import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../src/base/time.ts';
import { NVSP } from '../../../src/wire/nvsp.ts';
import { carrying, machine, type TestMachine } from '../../support/machine.ts';

/** netvsc_vf_changed(), netvsc_switch_datapath(): reference B.6, B.8, B.9. */

const switches = (m: TestMachine): readonly string[] =>
  m.story('nvsp.message').filter((line) => line.startsWith('guest: switchDataPath'));

describe('the path is switched', () => {
  test('to the VF when it comes up, and the gate opens when the host has answered', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.settle();
    const told = m.story('nvsp.message', 'host.datapath', 'guest.datapath', 'netdev.flags');
    expect(told.slice(told.indexOf('flags of nic1.vf: +UP -'))).toEqual([
      'flags of nic1.vf: +UP -',
      'guest: switchDataPath activeDataPath=1',
      'host: nic1 by vf',
      'host: completion empty',
      'guest: nic1 by vf',
    ]);
  });

  test('back before the VF stops: the gate first, then the host, then ndo_stop', () => {
    const m = carrying();
    m.host.revoke();
    m.settle();
    const told = m.story('nvsp.message', 'host.datapath', 'guest.datapath', 'netdev.carrier', 'netvsc.vf');
    expect(told.slice(0, 6)).toEqual([
      'guest: nic1 by synthetic',
      'guest: switchDataPath activeDataPath=0',
      'host: nic1 by synthetic',
      'host: completion empty',
      'carrier of nic1.vf: down',
      'nic1.vf leaves nic1',
    ]);
  });

  test('once: what is so already is not asked for again', () => {
    const m = carrying();
    const { net } = m.kernel;
    const vf = m.guest.netdev('nic1.vf');
    m.guest.underRtnl(function* () {
      for (const event of ['NETDEV_UP', 'NETDEV_CHANGE', 'NETDEV_CHANGE'] as const) yield* net.chain.call(event, vf);
    });
    expect(switches(m)).toEqual([]);
    m.guest.down('nic1.vf'); // GOING_DOWN asks, DOWN does not
    expect(switches(m)).toEqual(['guest: switchDataPath activeDataPath=0']);
  });

  test('by a CHANGE alone, when no UP was heard: a VF that kept its device over a pause', () => {
    const m = carrying();
    m.guest.down('nic1.vf');
    const { net } = m.kernel;
    const vf = m.guest.netdev('nic1.vf');
    m.forget();
    m.guest.underRtnl(function* () {
      yield* vf.running.set(true);
      yield* net.chain.call('NETDEV_CHANGE', vf);
    });
    expect(switches(m)).toEqual(['guest: switchDataPath activeDataPath=1']);
  });

  test('away when the NIC goes down, and back when it comes up', () => {
    const m = carrying();
    m.guest.down('nic1');
    expect([m.host.pathOf(), m.guest.netdev('nic1.vf').up]).toEqual(['synthetic', false]);
    m.guest.up('nic1');
    expect([m.host.pathOf(), m.guest.pathOf(), m.guest.netdev('nic1.vf').up]).toEqual(['vf', 'vf', true]);
    expect(m.log('nic1')).toEqual(['Data path switched from VF: eth1', 'Data path switched to VF: eth1']);
  });
});

describe('a VF that is up before the host has said that it is there', () => {
  const waiting = (): TestMachine => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.offerVf();
    m.settle();
    return m;
  };

  test('waits for the association under the RTNL, without a limit, and the report of what is stuck says so', () => {
    const m = waiting();
    expect(m.log('nic1')).toContain('Waiting for the VF association from host');
    expect(switches(m)).toEqual([]);
    m.pass(seconds(3600));
    expect(m.stuck()).toContain('nic1.vf_takeover waits: wait nic1.vf_add (0)');
    expect(m.guest.mtu('nic1', 1400)).toBe('waits');
    expect(m.stuck()).toContain('ip waits: lock rtnl (nic1.vf_takeover), held by nic1.vf_takeover');
  });

  test('goes on when it comes', () => {
    const m = waiting();
    m.host.associate();
    m.settle();
    expect(m.log('nic1').slice(-2)).toEqual(['VF slot 1 added', 'Data path switched to VF: eth1']);
    expect([m.host.pathOf(), m.guest.pathOf(), m.stuck()]).toEqual(['vf', 'vf', '']);
  });

  test('does not wait before 365e1ececb29, when only the serial number of an association lets it join', () => {
    const m = carrying({ fixes: { 'mac-fallback': false } });
    m.host.disassociate();
    m.guest.down('nic1.vf');
    m.guest.up('nic1.vf');
    expect(m.log('nic1')).not.toContain('Waiting for the VF association from host');
    expect(switches(m)).toHaveLength(2);
  });
});

describe('a switch that does not go well', () => {
  /** The VF is joined; its take-over opens it in 340 ms, and then asks for the path. */
  const aboutToSwitch = (): TestMachine => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.untilEvent('netvsc.vf', { joined: true });
    m.forget();
    return m;
  };

  /** The guest's ring, filled with what a host takes without an answer; and without telling it. */
  function* fillRing(m: TestMachine) {
    const rings = m.kernel.vmbusCore['devices'].get(1)?.channel.rings;
    const payload = { name: 'sendNdisVersion', major: 6, minor: 30 } as const;
    const packet = { type: 'inband', transactionId: 0n, completionRequested: false, payload, protocol: NVSP } as const;
    if (rings === undefined) throw new Error('the channel is closed');
    while ((yield* rings.toHost.write(packet)) !== 'full');
  }

  test('a full ring: it tries again every few milliseconds and goes on when there is room', () => {
    const m = aboutToSwitch();
    m.run('fill', 'guest', fillRing(m));
    m.pass(seconds(2));
    expect([m.host.pathOf(), m.guest.pathOf(), switches(m)]).toEqual(['synthetic', 'synthetic', []]);
    m.run('signal', 'guest', signal(m));
    m.settle();
    expect([m.host.pathOf(), m.guest.pathOf()]).toEqual(['vf', 'vf']);
    expect(m.log('nic1').filter((line) => line.includes('sw datapath'))).toEqual([]);
    expect(switches(m)).toHaveLength(1);
  });

  test('a ring that stays full: after 2000 tries an error, and the gate stays shut', () => {
    const m = aboutToSwitch();
    m.run('fill', 'guest', fillRing(m));
    const before = m.sim.now;
    m.settle();
    expect(m.log('nic1')).toEqual([
      'Retry failed to send sw datapath msg, err: -11',
      'Data path failed to switch to VF: eth1, err: -11',
      // Link-watch's CHANGE of the VF's new carrier tries once more.
      'Retry failed to send sw datapath msg, err: -11',
      'Data path failed to switch to VF: eth1, err: -11',
    ]);
    expect(m.guest.pathOf()).toBe('synthetic');
    expect(m.sim.now - before).toBe(ms(100 + 240 + 2 * 2000 * 7.5));
    expect(m.stuck()).toBe('');
  });

  test('a channel that is taken back: error lines, and the gate stays shut', () => {
    const m = aboutToSwitch();
    m.pass(ms(200));
    m.host.rescind();
    m.settle();
    expect(m.log('nic1')).toEqual([
      'Unable to send sw datapath msg, err: -19',
      'Data path failed to switch to VF: eth1, err: -19',
      // Link-watch's CHANGE of the VF's new carrier tries once more.
      'Unable to send sw datapath msg, err: -19',
      'Data path failed to switch to VF: eth1, err: -19',
      'VF unregistering: eth1',
    ]);
    expect(m.events('guest.datapath')).toEqual([]);
    expect([m.guest.has('nic1'), m.stuck()]).toEqual([false, '']);
  });

  test('a channel that is taken back behind the request: nobody answers, and whoever asked waits under the RTNL', () => {
    const m = aboutToSwitch();
    m.untilEvent('nvsp.message', { from: 'guest', name: 'switchDataPath' });
    m.host.rescind();
    m.settle();
    expect(m.stuck()).toContain("nic1.vf_takeover waits: wait nic1 host's answer to SWITCH_DATA_PATH (open)");
    expect(m.stuck()).toContain('hv_vmbus_rescind waits: lock rtnl (nic1.vf_takeover), held by nic1.vf_takeover');
  });

  test('a host that has no VF any more completes the request, empty: guest and host disagree until the VF goes', () => {
    const m = aboutToSwitch();
    m.pass(ms(200));
    m.host.revoke('nic1', 'assoc-first');
    m.untilEvent('guest.datapath', { path: 'vf' });
    expect([m.host.pathOf(), m.guest.pathOf()]).toEqual(['synthetic', 'vf']);
    expect(m.events('host.refused')).toMatchObject([{ what: 'switchDataPath', why: 'there is no VF now' }]);
    m.settle();
    expect([m.guest.has('nic1.vf'), m.guest.pathOf(), m.stuck()]).toEqual([false, 'synthetic', '']);
  });

  test("the host's own SWITCH_DATA_PATH is ignored without a word", () => {
    const m = carrying();
    m.host.revoke('nic1', 'assoc-first');
    m.until(() => m.log('nic1').includes('VF slot 1 removed'));
    expect(m.wire('nvsp.message', 'host').slice(0, 2)).toEqual(['switchDataPath', 'sendVfAssociation']);
    expect([m.host.pathOf(), m.guest.pathOf()]).toEqual(['synthetic', 'vf']);
    m.settle();
    expect(m.log('nic1')).toEqual(['VF slot 1 removed', 'Data path switched from VF: eth1', 'VF unregistering: eth1']);
  });
});

describe('an MTU change', () => {
  test('reaches the VF first, opens the session anew with the new MTU, and keeps the path', () => {
    const m = carrying();
    expect(m.guest.mtu('nic1', 4000)).toBe('done');
    expect(m.story('netdev.mtu')).toEqual(['mtu of nic1.vf: 4000', 'mtu of nic1: 4000']);
    expect(m.story('vmbus.message').filter((line) => /Channel nic1$/.test(line))).toEqual([
      'guest: closeChannel nic1',
      'guest: openChannel nic1',
    ]);
    expect(m.events('nvsp.message').find(({ name }) => name === 'sendNdisConfig')?.detail).toContain('mtu=4014');
    expect([m.host.pathOf(), m.guest.pathOf(), switches(m)]).toEqual(['vf', 'vf', []]);
  });

  test('that the VF cannot have is refused, and nothing happens', () => {
    const m = carrying();
    expect(m.guest.mtu('nic1', 20_000)).toBe('EINVAL');
    expect(m.story('netdev.mtu', 'vmbus.message')).toEqual([]);
  });

  test('an association that comes again with the new session changes nothing', () => {
    const m = carrying();
    m.guest.mtu('nic1', 4000);
    m.settle();
    expect(m.log('nic1')).toEqual(['VF slot 1 added']);
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
  });
});

describe('where a frame goes', () => {
  test('the synthetic path until the host has confirmed the switch', () => {
    const m = machine({ latency: { 'host.switch-datapath': ms(50) } });
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.untilEvent('nvsp.message', { from: 'guest', name: 'switchDataPath' });
    m.pass(ms(49));
    const vf = m.guest.netdev('nic1.vf');
    expect([vf.up, vf.carrier.now, m.guest.pathOf()]).toEqual([true, true, 'synthetic']);
    m.pass(ms(2));
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('the synthetic path while the VF has no carrier, although the host still has the VF', () => {
    const m = carrying();
    m.host.vfLink('nic1', false);
    m.settle();
    expect(m.guest.netdev('nic1.vf').carrier.now).toBe(false);
    expect([m.guest.pathOf(), m.host.pathOf(), switches(m)]).toEqual(['synthetic', 'vf', []]);
    m.host.vfLink('nic1', true);
    m.settle();
    expect([m.guest.pathOf(), m.host.pathOf(), switches(m)]).toEqual(['vf', 'vf', []]);
  });
});

function* signal(m: TestMachine) {
  yield* m.machine.bus.signalEvent(1);
}
