import { describe, expect, test } from 'vitest';
import { ms } from '../../../src/base/time.ts';
import { linuxOf } from '../../../src/machine/guests.ts';
import { carrying, machine, type TestMachine } from '../../support/machine.ts';

/** dev_change_net_namespace(), default_device_exit_net(): reference A.9; D-12 to D-14 for the VF that follows. */

/** A NIC that is up, without its VF. */
const alone = (choice = {}): TestMachine => {
  const m = machine(choice);
  m.host.offer();
  m.guest.up('nic1');
  m.settle();
  m.forget();
  return m;
};

/** Somebody in the namespace who has the name already. */
const occupied = (m: TestMachine, namespace: string, name: string, ifindex?: number): void => {
  const ns = m.kernel.net.namespace(namespace);
  ns.names.choose(name);
  if (ifindex !== undefined) ns.indices.reserve(ifindex);
};

describe('a device that moves', () => {
  test('is closed, unlisted, told of in the old namespace, then shown in the new one; never POST_INIT', () => {
    const m = alone();
    expect(m.guest.move('nic1', 'blue')).toBe('done');
    expect(m.story('notifier', 'rtnetlink', 'uevent', 'netdev.netns', 'netdev.flags')).toEqual([
      'GOING_DOWN nic1',
      'flags of nic1: + -UP',
      'RTM_NEWLINK nic1 (dev_close)',
      'DOWN nic1',
      'UNREGISTER nic1',
      'RTM_DELLINK nic1',
      'uevent remove nic1 eth0',
      'nic1 to blue as eth0',
      'uevent add nic1 eth0',
      'REGISTER nic1',
      'RTM_NEWLINK nic1 (dev_change_net_namespace)',
    ]);
    expect([m.guest.netdev('nic1').state, m.guest.netdev('nic1').up]).toEqual(['registered', false]);
  });

  test('to where it is already: nothing happens', () => {
    const m = alone();
    expect(m.guest.move('nic1', 'init_net')).toBe('done');
    expect(m.story('notifier', 'rtnetlink', 'uevent')).toEqual([]);
  });

  test('keeps its ifindex, or takes another one where that is in use', () => {
    const [free, taken] = [alone(), alone()];
    const { ifindex } = free.guest.netdev('nic1');
    occupied(taken, 'blue', 'lan0', ifindex);
    free.guest.move('nic1', 'blue');
    taken.guest.move('nic1', 'blue');
    expect(free.guest.netdev('nic1').ifindex).toBe(ifindex);
    expect(taken.guest.netdev('nic1').ifindex).not.toBe(ifindex);
  });

  test('whose name is in use there is refused by ip link, and stays up where it is', () => {
    const m = alone();
    occupied(m, 'blue', 'eth0');
    expect(m.guest.move('nic1', 'blue')).toBe('EEXIST');
    expect([m.guest.netdev('nic1').netns?.name, m.guest.netdev('nic1').up]).toEqual(['init_net', true]);
    expect(m.story('notifier', 'uevent')).toEqual([]);
  });

  test('leaves its name free for another one', () => {
    const m = alone({ nics: 2 });
    m.guest.move('nic1', 'blue');
    m.host.offer('nic2');
    m.settle();
    expect(m.guest.netdev('nic2').name).toBe('eth0');
  });

  test('is seen by the programs of init_net no more', () => {
    const m = alone();
    const links = m.machine.guest.subscribeLinks('test');
    const uevents = linuxOf(m.machine).subscribeUevents('test');
    m.guest.move('nic1', 'blue');
    m.guest.up('nic1');
    m.settle();
    expect(links.contents().map(({ message }) => message)).toEqual(['new', 'del']);
    expect(uevents.contents().map(({ action }) => action)).toEqual(['remove']);
    expect(m.run('dump', 'user', m.machine.guest.dumpLinks())).toEqual([]);
  });
});

describe('a namespace that ends', () => {
  const back = (guest: string): TestMachine => {
    const m = alone({ nics: 2, guest });
    m.guest.move('nic1', 'blue');
    m.host.offer('nic2');
    m.settle();
    m.forget();
    m.guest.deleteNamespace('blue');
    m.settle();
    return m;
  };

  test('gives its devices back, as devN where their name was taken meanwhile', () => {
    const m = back('linux-6.12');
    const nic = m.guest.netdev('nic1');
    expect([nic.netns?.name, nic.name]).toEqual(['init_net', `dev${nic.ifindex}`]);
    expect(m.kernel.net.namespaces.has('blue')).toBe(false);
  });

  test('under a new name: 6.12 shows it once under that, an older kernel under the old one first', () => {
    expect(back('linux-6.12').story('uevent')).toEqual(['uevent remove nic1 eth0', 'uevent add nic1 dev2']);
    expect(back('linux-5.15').story('uevent')).toEqual([
      'uevent remove nic1 eth0',
      'uevent add nic1 eth0',
      'uevent move nic1 dev2',
    ]);
  });

  test('that there is not, and init_net, cannot be deleted', () => {
    const m = alone();
    expect([m.guest.deleteNamespace('blue'), m.guest.deleteNamespace('init_net')]).toEqual(['ENOENT', 'ENOENT']);
  });
});

describe('a VF whose NIC moves', () => {
  const where = (m: TestMachine) => [m.guest.netdev('nic1').netns?.name, m.guest.netdev('nic1.vf').netns?.name];

  test('follows by deferred work: the two are apart for a moment', () => {
    const m = carrying();
    m.guest.move('nic1', 'blue');
    expect(where(m)).toEqual(['blue', 'init_net']);
    m.settle();
    expect(where(m)).toEqual(['blue', 'blue']);
    expect(m.log('nic1.vf')).toEqual(['Moved VF to namespace with: eth0', 'joined to eth0'].reverse());
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
    m.guest.up('nic1');
    m.settle();
    expect([m.guest.pathOf(), m.host.pathOf()]).toEqual(['vf', 'vf']);
  });

  test('followed at once, inside of the move, before 33caa208dba6', () => {
    const m = carrying({ fixes: { 'vf-follows-later': false } });
    m.guest.move('nic1', 'blue');
    expect(where(m)).toEqual(['blue', 'blue']);
  });

  test('stayed behind before 4c262801ea60, still joined across the border', () => {
    const m = carrying({ fixes: { 'vf-follows-netns': false } });
    m.guest.move('nic1', 'blue');
    m.settle();
    expect(where(m)).toEqual(['blue', 'init_net']);
    expect(m.guest.masterOf('nic1.vf')).toBe('nic1');
  });

  test('takes another name where its own is in use', () => {
    const m = carrying();
    occupied(m, 'blue', 'eth1');
    m.guest.move('nic1', 'blue');
    m.settle();
    expect(m.guest.netdev('nic1.vf').name).toBe('eth2');
  });

  test('hears what a device hears that changes its master on the way', () => {
    const m = carrying();
    m.guest.down('nic1');
    m.guest.move('nic1', 'blue');
    m.forget();
    m.settle();
    expect(m.story('uevent', 'rtnetlink', 'netdev.master', 'netdev.netns', 'netvsc.vf')).toEqual([
      'master of nic1.vf: none',
      'RTM_NEWLINK nic1.vf (NETDEV_CHANGEUPPER)',
      'nic1.vf leaves nic1',
      'RTM_DELLINK nic1.vf',
      'uevent remove nic1.vf eth1',
      'nic1.vf to blue as eth1',
      'uevent add nic1.vf eth1',
      'master of nic1.vf: nic1',
      'RTM_NEWLINK nic1.vf (NETDEV_CHANGEUPPER)',
      'nic1.vf joins nic1',
      'RTM_NEWLINK nic1.vf (dev_change_net_namespace)',
    ]);
  });
});

describe('a VF that comes while its NIC is elsewhere', () => {
  test('is registered in init_net, moved inside of its REGISTER, and joined in the nested one', () => {
    const m = alone();
    m.guest.move('nic1', 'blue');
    m.guest.up('nic1');
    m.settle();
    m.forget();
    m.host.plug();
    m.untilEvent('log', { dev: 'nic1.vf', text: 'VF moved to namespace with: eth0' });
    expect(
      m.story('notifier', 'netdev.netns', 'netvsc.vf', 'uevent').filter((line) => !line.includes('UPPER')),
    ).toEqual([
      'POST_INIT nic1.vf',
      'uevent add nic1.vf eth0',
      'UNREGISTER nic1.vf',
      'uevent remove nic1.vf eth0',
      'nic1.vf to blue as eth1',
      'uevent add nic1.vf eth1',
      'JOIN nic1.vf',
      'nic1.vf joins nic1',
      'FEAT_CHANGE nic1.vf',
      'REGISTER nic1.vf', // in the new namespace
      'REGISTER nic1.vf', // the outer one, which goes on behind it
    ]);
    m.settle();
    // And register_netdevice() sends its own RTM_NEWLINK once more.
    expect(m.story('rtnetlink').slice(-3)[0]).toBe('RTM_NEWLINK nic1.vf (register_netdevice)');
    expect([m.guest.masterOf('nic1.vf'), m.guest.pathOf(), m.host.pathOf()]).toEqual(['nic1', 'vf', 'vf']);
  });

  test('each time anew', () => {
    const m = alone();
    m.guest.move('nic1', 'blue');
    m.guest.up('nic1');
    for (let round = 0; round < 10; round++) {
      m.host.plug();
      m.settle();
      const { name, netns, master } = m.guest.netdev('nic1.vf');
      expect([name, netns?.name, master?.dev, m.guest.pathOf()]).toEqual(['eth1', 'blue', 'nic1', 'vf']);
      m.host.revoke();
      m.settle();
    }
    expect(m.kernel.net.init.names.find('eth0')).toBeUndefined();
  });
});

describe('a namespace with a NIC and its VF ends', () => {
  const gone = (fixes = {}): TestMachine => {
    const m = carrying({ fixes });
    m.guest.move('nic1', 'blue');
    m.guest.up('nic1');
    m.settle();
    m.forget();
    return m;
  };

  test('and both come back, joined', () => {
    const m = gone();
    expect(m.guest.deleteNamespace('blue')).toBe('done');
    m.settle();
    expect([m.guest.netdev('nic1').netns?.name, m.guest.netdev('nic1.vf').netns?.name]).toEqual([
      'init_net',
      'init_net',
    ]);
    expect([m.guest.masterOf('nic1.vf'), m.stuck()]).toEqual(['nic1', '']);
  });

  test('a VF that follows inside of the walk is the next one of the walk: the kernel panics', () => {
    const m = gone({ 'vf-follows-later': false });
    expect(m.guest.deleteNamespace('blue')).toBe('waits');
    m.settle();
    expect(m.log().join('\n')).toContain('BUG: kernel NULL pointer dereference in default_device_exit_net');
    expect(m.stuck()).toContain('kernel panic');
  });

  test('a VF that never followed is not in the walk, and nothing goes wrong with it', () => {
    const m = gone({ 'vf-follows-netns': false });
    expect(m.guest.deleteNamespace('blue')).toBe('done');
    m.pass(ms(1));
    expect(m.guest.netdev('nic1').netns?.name).toBe('init_net');
    expect(m.stuck()).toBe('');
  });
});
