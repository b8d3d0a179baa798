import { describe, expect, test } from 'vitest';
import { ms } from '../../../src/base/time.ts';
import { linkToMaster, registerRxHandler } from '../../../src/guest/linux/upper.ts';
import { machine, plugged, type TestMachine } from '../../support/machine.ts';

/** netvsc_register_vf(), netvsc_vf_join(), __netvsc_vf_setup(): reference B.3, B.6, B.7. */

describe('the designed order: the NIC first, its VF later', () => {
  test('what the kernel does and tells, in order', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.settle();
    m.forget();
    m.host.plug();
    m.settle();
    const told = m.story('log', 'uevent', 'rtnetlink', 'netdev.flags', 'netdev.master', 'netvsc.vf', 'guest.datapath');
    expect(told).toEqual([
      'nic1: VF slot 1 added',
      'nic1.vf: PCI VMBus probing: Using version 0x10004',
      'nic1.vf: PCI host bridge to bus 0001:00',
      'flags of nic1.vf: +SLAVE -',
      'uevent add nic1.vf eth1',
      'nic1: VF registering: eth1',
      'master of nic1.vf: nic1',
      'RTM_NEWLINK nic1.vf (NETDEV_CHANGEUPPER)',
      'nic1.vf: joined to eth0',
      'nic1.vf joins nic1',
      'RTM_NEWLINK nic1.vf (NETDEV_FEAT_CHANGE)',
      'RTM_NEWLINK nic1.vf (register_netdevice)',
      'flags of nic1.vf: +UP -',
      'RTM_NEWLINK nic1.vf (dev_change_flags)',
      'guest: nic1 by vf',
      'nic1: Data path switched to VF: eth1',
      'RTM_NEWLINK nic1.vf (linkwatch)',
    ]);
  });

  test('the events that listeners hear of the VF', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.settle();
    m.forget();
    m.host.plug();
    m.settle();
    // An event that another one is raised in the middle of is told at its end.
    expect(m.story('notifier')).toEqual([
      'POST_INIT nic1.vf',
      'PRECHANGEUPPER nic1.vf',
      'CHANGEUPPER nic1.vf',
      'JOIN nic1.vf',
      'FEAT_CHANGE nic1.vf',
      'REGISTER nic1.vf',
      'PRE_UP nic1.vf',
      'UP nic1.vf',
      'CHANGE nic1.vf',
    ]);
  });

  test('IFF_SLAVE is there at the uevent; without the fix only after the master', () => {
    const early = plugged();
    const late = plugged({ fixes: { 'post-init-slave': false } });
    const flagsAtAdd = (m: TestMachine) => m.events('uevent').find(({ dev }) => dev === 'nic1.vf')?.flags;
    expect([flagsAtAdd(early), flagsAtAdd(late)]).toEqual([0x1802, 0x1002]);
    expect(late.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(true);
  });
});

describe('the take-over', () => {
  const joinedAt = (m: TestMachine) => m.events('netvsc.vf').find(({ joined }) => joined)?.time ?? 0;

  test('comes 100 ms after the join, and opens the VF of a NIC that is up', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.settle();
    const preUp = m.events('notifier').find(({ event, dev }) => event === 'NETDEV_PRE_UP' && dev === 'nic1.vf');
    expect((preUp?.time ?? 0) - joinedAt(m)).toBe(ms(100));
    expect(m.guest.netdev('nic1.vf').up).toBe(true);
  });

  test('leaves the VF of a NIC that is down alone, and opening the NIC opens it', () => {
    const m = plugged();
    expect(m.guest.netdev('nic1.vf').up).toBe(false);
    m.guest.up('nic1');
    expect(m.guest.netdev('nic1.vf').up).toBe(true);
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('closes a VF that somebody opened while its NIC is down', () => {
    const m = machine();
    m.host.offer();
    m.settle();
    m.host.plug();
    m.guest.up('nic1.vf');
    m.settle();
    expect(m.story('netdev.flags').filter((line) => line.includes('nic1.vf'))).toEqual([
      'flags of nic1.vf: +SLAVE -',
      'flags of nic1.vf: +UP -',
      'flags of nic1.vf: + -UP',
    ]);
  });

  test('gives the VF the MTU of its NIC, and says so when the VF cannot have it', () => {
    const fits = machine();
    const tooLarge = machine();
    for (const [m, mtu] of [
      [fits, 4000],
      [tooLarge, 20_000],
    ] as const) {
      m.host.offer();
      m.guest.mtu('nic1', mtu);
      m.host.plug();
      m.settle();
    }
    expect(fits.guest.netdev('nic1.vf').mtu).toBe(4000);
    expect(tooLarge.guest.netdev('nic1.vf').mtu).toBe(1500);
    expect(tooLarge.log('nic1.vf')).toContain('unable to change mtu to 20000');
  });

  test('an MTU that both have already raises no event', () => {
    const m = plugged();
    expect(m.story('notifier').filter((line) => line.includes('MTU'))).toEqual([]);
  });

  test('copies PROMISC and ALLMULTI', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.guest.setFlag('nic1', 'PROMISC', true);
    m.guest.setFlag('nic1', 'ALLMULTI', true);
    m.host.plug();
    m.settle();
    expect(m.guest.netdev('nic1.vf').flags.now.toString(16)).toBe('1b03');
  });

  test('is called off when the VF goes before it', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.untilEvent('netvsc.vf', { joined: true });
    m.pass(ms(50));
    m.host.revoke();
    m.settle();
    expect(m.story('notifier')).not.toContain('PRE_UP nic1.vf');
    expect(m.guest.has('nic1.vf')).toBe(false);
  });

  test('a VF whose link never comes is opened all the same, and only its dead function is an error', () => {
    const m = machine();
    m.host.offer();
    m.guest.up('nic1');
    m.host.plug();
    m.untilEvent('notifier', { event: 'NETDEV_PRE_UP', dev: 'nic1.vf' });
    m.run('firmware', 'host', fallSilent(m));
    m.settle();
    expect(m.log('nic1.vf')).toContain('unable to open: -5');
    expect([m.guest.netdev('nic1.vf').up, m.guest.masterOf('nic1.vf')]).toEqual([false, 'nic1']);
    m.guest.down('nic1');
    m.guest.up('nic1');
    expect(m.log('nic1')).toContain('unable to open slave: eth1: -5');
  });
});

describe('the VF first, the NIC later', () => {
  const vfFirst = (fixes = {}): TestMachine => {
    const m = machine({ modules: ['pci-hyperv', 'mlx5_core'], fixes });
    m.host.offer();
    m.host.offerVf();
    m.settle();
    return m;
  };

  test('the probe finds it, marks it late, joins it, and closes it at once, because the new NIC is down', () => {
    const m = vfFirst();
    m.guest.up('nic1.vf');
    m.forget();
    m.guest.load('hv_netvsc');
    const told = m
      .story('log', 'netdev.flags', 'netdev.master', 'host.datapath')
      .filter((line) => !line.includes('slot'));
    expect(told).toEqual([
      'nic1.vf: no netdev found for vf serial:1', // the notifier's replay comes before the NIC
      'flags of nic1.vf: +SLAVE -',
      'nic1: VF registering: eth0',
      'master of nic1.vf: nic1',
      'nic1.vf: joined to eth1',
      'flags of nic1.vf: + -UP',
    ]);
    expect(m.events('uevent').filter(({ dev }) => dev === 'nic1.vf')).toEqual([]);
  });

  test('in a probe nothing waits for udev: the set-up is over when the RTNL is free', () => {
    const m = vfFirst();
    const before = m.sim.now;
    m.guest.load('hv_netvsc');
    m.settle();
    expect(m.sim.now - before).toBeLessThan(ms(1));
  });

  test('without the scan it never joins', () => {
    const m = vfFirst({ 'probe-vf-scan': false });
    m.guest.load('hv_netvsc');
    m.settle();
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(false);
  });

  test('a notifier that comes after the driver joins it by its replay, unmarked when nobody scanned', () => {
    const m = vfFirst({ 'probe-vf-scan': false, 'notifier-before-driver': false });
    m.guest.load('hv_netvsc');
    m.settle();
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(false);
  });

  test('the set-up is done even if the join failed: a VF that somebody else has taken is closed', () => {
    const m = vfFirst();
    m.guest.up('nic1.vf');
    const vf = m.guest.netdev('nic1.vf');
    registerRxHandler(vf, () => vf);
    m.guest.load('hv_netvsc');
    expect(m.log('nic1.vf')).toContain('can not register netvsc VF receive handler (err = -16)');
    expect(m.guest.netdev('nic1.vf').up).toBe(false);
  });
});

describe('a VF that somebody else has taken', () => {
  /** A driver's notifier that is asked before netvsc's, as a bond's would be that was told of the VF by its user. */
  const takenBefore = (take: (m: TestMachine) => void): TestMachine => {
    const m = machine({ modules: ['pci-hyperv', 'hv_netvsc', 'mlx5_core'], nics: 2 });
    m.host.offer('nic2');
    m.settle();
    m.host.offer('nic1');
    m.settle();
    const early = {
      name: 'bond',
      priority: 1,
      *notify(event: string, dev: { dev: string }) {
        if (event === 'NETDEV_REGISTER' && dev.dev === 'nic1.vf') take(m);
        return 'done' as const;
      },
    };
    m.run('bond', 'guest', m.kernel.net.addNotifier(early));
    m.host.plug('nic1');
    m.settle();
    return m;
  };

  test('by a receive handler stays outside, flagged as a slave for good', () => {
    const m = takenBefore(({ guest }) => {
      const vf = guest.netdev('nic1.vf');
      registerRxHandler(vf, () => vf);
    });
    expect(m.log('nic1.vf')).toContain('can not register netvsc VF receive handler (err = -16)');
    expect(m.log('nic1')).toContain('VF registering: eth2');
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
    expect(m.guest.hasFlag('nic1.vf', 'SLAVE')).toBe(true);
    expect(m.guest.pathOf('nic1')).toBe('synthetic');
  });

  test('by a master stays outside, and its receive handler is free again', () => {
    const m = takenBefore(({ guest }) => {
      const [vf, bond] = [guest.netdev('nic1.vf'), guest.netdev('nic2')];
      vf.master = bond;
      bond.slaves.push(vf);
    });
    expect(m.log('nic1.vf')).toContain('can not set master device eth1 (err = -16)');
    expect(m.guest.netdev('nic1.vf').rxHandler).toBeUndefined();
    expect(m.guest.masterOf('nic1.vf')).toBe('nic2');
  });

  test('nobody tries again', () => {
    const m = takenBefore(({ guest }) => {
      const vf = guest.netdev('nic1.vf');
      registerRxHandler(vf, () => vf);
    });
    m.guest.netdev('nic1.vf').rxHandler = undefined;
    m.guest.up('nic1');
    m.settle();
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
    const { net } = m.kernel;
    const [vf, nic] = [m.guest.netdev('nic1.vf'), m.guest.netdev('nic1')];
    expect(m.guest.underRtnl(() => linkToMaster(net, vf, nic))).toBeUndefined();
  });
});

function* fallSilent(m: TestMachine) {
  const fn = m.machine.bus.functions.get('nic1.vf');
  if (fn !== undefined) yield* fn.fallSilent('dead');
}
