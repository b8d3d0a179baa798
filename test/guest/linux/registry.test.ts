import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/time.ts';
import { openDevice, renameDevice, setMtu } from '../../../src/guest/linux/device.ts';
import { linkToMaster, registerRxHandler, unlinkFromMaster } from '../../../src/guest/linux/upper.ts';
import { RegistryBench } from './registry-bench.ts';

describe('register_netdevice', () => {
  test('user mode sees sysfs and the uevent before look-ups, and look-ups before REGISTER callbacks', () => {
    const bench = new RegistryBench();
    const { block } = bench.listener('watcher');
    bench.run(() => bench.net.addNotifier(block));
    bench.registered('d1');
    expect(bench.story('d1')).toEqual([
      'post-init',
      'watcher: NETDEV_POST_INIT',
      'in sysfs',
      'uevent add',
      'in ioctl',
      'registered',
      'watcher: NETDEV_REGISTER',
      'RTM_NEWLINK',
    ]);
  });

  test('perm_addr is still zero at POST_INIT and set at REGISTER', () => {
    const bench = new RegistryBench();
    const seen: string[] = [];
    const { block } = bench.listener('watcher', (event, dev) => {
      seen.push(`${event} ${dev.permAddr}`);
      return 'done';
    });
    bench.run(() => bench.net.addNotifier(block));
    bench.registered('d1');
    expect(seen).toEqual(['NETDEV_POST_INIT 00:00:00:00:00:00', 'NETDEV_REGISTER 00:0d:3a:00:00:01']);
  });

  test('a vetoed POST_INIT leaves no trace: name and ifindex are free, and nobody is told', () => {
    const bench = new RegistryBench();
    const polite = bench.listener('polite', () => 'done', 1);
    const veto = bench.listener('veto', (event) => (event === 'NETDEV_POST_INIT' ? { errno: 'EBUSY' } : 'done'));
    bench.run(() => bench.net.addNotifier(polite.block));
    bench.run(() => bench.net.addNotifier(veto.block));
    const device = bench.device('d1');
    expect(bench.run(() => bench.net.registerLocked(device))).toBe('EBUSY');
    expect(polite.heard).toEqual(['POST_INIT d1']);
    expect(bench.story('d1')).not.toContain('uevent add');
    bench.run(() => bench.net.removeNotifier(veto.block));
    expect(bench.registered('d2').name).toBe('eth0');
  });

  test('a vetoed REGISTER unregisters in full, even towards listeners that never heard of the device', () => {
    const bench = new RegistryBench();
    const veto = bench.listener('veto', (event) => (event === 'NETDEV_REGISTER' ? 'bad' : 'done'), 1);
    const late = bench.listener('late');
    bench.run(() => bench.net.addNotifier(veto.block));
    bench.run(() => bench.net.addNotifier(late.block));
    expect(bench.run(() => bench.net.registerLocked(bench.device('d1')))).toBe('EPERM');
    expect(late.heard).toEqual(['POST_INIT d1', 'UNREGISTER d1', 'PRE_UNINIT d1']);
    expect(bench.story('d1')).toEqual(expect.arrayContaining(['RTM_DELLINK', 'uevent remove']));
    expect(bench.story('d1')).not.toContain('RTM_NEWLINK');
  });

  test('names: the lowest free ethN comes back, the ifindex does not', () => {
    const bench = new RegistryBench();
    const first = bench.registered('d1');
    bench.registered('d2');
    bench.run(() => bench.net.unregisterLocked(first));
    const third = bench.registered('d3');
    expect([third.name, third.ifindex]).toEqual(['eth0', 4]);
  });

  test('a plain name that is taken is refused with EEXIST', () => {
    const bench = new RegistryBench();
    bench.registered('d1');
    const twin = bench.device('d2');
    twin.name = 'eth0';
    expect(bench.run(() => bench.net.registerLocked(twin))).toBe('EEXIST');
  });
});

describe('unregister_netdevice', () => {
  test('look-ups fail before UNREGISTER, RTM_DELLINK precedes the uevent, the directory is there until then', () => {
    const bench = new RegistryBench();
    const { block } = bench.listener('watcher');
    bench.run(() => bench.net.addNotifier(block));
    const device = bench.registered('d1');
    bench.underRtnl(() => openDevice(bench.net, device));
    const from = bench.events.length;
    bench.run(() => bench.net.unregisterLocked(device));
    expect(bench.story('d1', from)).toEqual([
      'watcher: NETDEV_GOING_DOWN',
      'RTM_NEWLINK',
      'watcher: NETDEV_DOWN',
      'out of ioctl',
      'unregistering',
      'watcher: NETDEV_UNREGISTER',
      'watcher: NETDEV_PRE_UNINIT',
      'RTM_DELLINK',
      'out of rtnetlink',
      'out of sysfs',
      'uevent remove',
      'unregistered',
    ]);
  });

  test('whoever still holds the device hears UNREGISTER again every second, and the log complains after ten', () => {
    const bench = new RegistryBench();
    const holder = bench.listener('holder');
    bench.run(() => bench.net.addNotifier(holder.block));
    const device = bench.registered('d1');
    bench.run(function* () {
      yield* device.references.set(1);
    });
    bench.sim.after(seconds(12), () => bench.sim.spawn('release', 'guest', device.references.set(0) as never));
    bench.run(() => bench.net.unregisterLocked(device));
    const repeats = holder.heard.filter((line) => line === 'UNREGISTER d1').length;
    expect(repeats).toBeGreaterThan(10);
    const complaint = bench.events.find((event) => event.kind === 'log');
    expect(complaint).toMatchObject({ text: 'unregister_netdevice: waiting for eth0 to become free. Usage count = 2' });
    expect(bench.sim.now).toBeLessThan(seconds(13));
  });
});

describe('listeners that come and go', () => {
  test('a newcomer hears REGISTER, and UP of what is up, but never POST_INIT', () => {
    const bench = new RegistryBench();
    bench.registered('d1');
    const up = bench.registered('d2');
    bench.underRtnl(() => openDevice(bench.net, up));
    const { block, heard } = bench.listener('newcomer');
    bench.run(() => bench.net.addNotifier(block));
    expect(heard).toEqual(['REGISTER d1', 'REGISTER d2', 'UP d2']);
  });

  test('a newcomer that rejects a device is told that those before it go, and is not added', () => {
    const bench = new RegistryBench();
    bench.registered('d1');
    bench.registered('d2');
    const picky = bench.listener('picky', (event, dev) =>
      event === 'NETDEV_REGISTER' && dev.dev === 'd2' ? { errno: 'EINVAL' } : 'done',
    );
    expect(bench.run(() => bench.net.addNotifier(picky.block))).toBe('EINVAL');
    expect(picky.heard).toEqual(['REGISTER d1', 'REGISTER d2', 'UNREGISTER d1']);
    bench.registered('d3');
    expect(picky.heard).toHaveLength(3);
  });

  test('a parting one is told that everything goes down and away, although it stays', () => {
    const bench = new RegistryBench();
    const device = bench.registered('d1');
    bench.underRtnl(() => openDevice(bench.net, device));
    const { block, heard } = bench.listener('parting');
    bench.run(() => bench.net.addNotifier(block));
    heard.length = 0;
    bench.run(() => bench.net.removeNotifier(block));
    expect(heard).toEqual(['GOING_DOWN d1', 'DOWN d1', 'UNREGISTER d1']);
    expect(device.up).toBe(true);
  });

  test('the same listener twice is EEXIST; the higher priority hears first; a stop hides the event from the rest', () => {
    const bench = new RegistryBench();
    const order: string[] = [];
    const noting = (name: string, priority: number, verdict: 'done' | 'stop') =>
      bench.listener(
        name,
        (event) => {
          if (event === 'NETDEV_REGISTER') order.push(name);
          return event === 'NETDEV_REGISTER' ? verdict : 'done';
        },
        priority,
      ).block;
    const [low, high, last] = [noting('low', 0, 'stop'), noting('high', 5, 'done'), noting('last', -5, 'done')];
    for (const block of [low, last, high]) bench.run(() => bench.net.addNotifier(block));
    expect(bench.run(() => bench.net.addNotifier(low))).toBe('EEXIST');
    expect(bench.run(() => bench.net.registerLocked(bench.device('d1')))).toBeUndefined();
    expect(order).toEqual(['high', 'low']);
  });
});

describe('a registered device', () => {
  test('rename of a device that is up: EBUSY before 6.2, allowed since, with the line in the log', () => {
    const bench = new RegistryBench();
    const device = bench.registered('d1');
    bench.underRtnl(() => openDevice(bench.net, device));
    expect(bench.underRtnl(() => renameDevice(bench.net, device, 'enP1s2', false))).toBe('EBUSY');
    expect(bench.underRtnl(() => renameDevice(bench.net, device, 'enP1s2', true))).toBeUndefined();
    expect(bench.events.at(-1)).toMatchObject({ kind: 'rtnetlink' });
    expect(bench.events).toContainEqual(expect.objectContaining({ text: 'renamed from eth0 (while UP)' }));
  });

  test('a vetoed CHANGENAME gives the old name back', () => {
    const bench = new RegistryBench();
    let vetoes = 1;
    const { block } = bench.listener('veto', (event) =>
      event === 'NETDEV_CHANGENAME' && vetoes-- > 0 ? { errno: 'EINVAL' } : 'done',
    );
    bench.run(() => bench.net.addNotifier(block));
    const device = bench.registered('d1');
    expect(bench.underRtnl(() => renameDevice(bench.net, device, 'lan0', false))).toBe('EINVAL');
    expect([device.name, bench.net.init.names.find('lan0'), bench.net.init.names.find('eth0')]).toEqual([
      'eth0',
      undefined,
      device,
    ]);
  });

  test('MTU: the same value raises nothing, out of range is EINVAL, a vetoed CHANGEMTU puts the old one back', () => {
    const bench = new RegistryBench();
    const { block, heard } = bench.listener('veto', (event, dev) =>
      event === 'NETDEV_CHANGEMTU' && dev.mtu === 4000 ? { errno: 'EPERM' } : 'done',
    );
    bench.run(() => bench.net.addNotifier(block));
    const device = bench.registered('d1');
    heard.length = 0;
    expect(bench.underRtnl(() => setMtu(bench.net, device, 1500))).toBeUndefined();
    expect(bench.underRtnl(() => setMtu(bench.net, device, 9001))).toBe('EINVAL');
    expect(heard).toEqual([]);
    expect(bench.underRtnl(() => setMtu(bench.net, device, 4000))).toBe('EPERM');
    expect(device.mtu).toBe(1500);
    expect(heard).toEqual(['PRECHANGEMTU d1', 'CHANGEMTU d1', 'CHANGEMTU d1']);
  });

  test('a slave has one master, and one handler for its frames', () => {
    const bench = new RegistryBench();
    const [vf, nic, other] = [bench.registered('d1'), bench.registered('d2'), bench.registered('d3')];
    expect(bench.underRtnl(() => linkToMaster(bench.net, vf, nic))).toBeUndefined();
    expect(bench.underRtnl(() => linkToMaster(bench.net, vf, nic))).toBe('EEXIST');
    expect(bench.underRtnl(() => linkToMaster(bench.net, vf, other))).toBe('EBUSY');
    expect(registerRxHandler(vf, () => nic)).toBeUndefined();
    expect(registerRxHandler(vf, () => other)).toBe('EBUSY');
    bench.underRtnl(() => unlinkFromMaster(bench.net, vf));
    expect(nic.slaves).toEqual([]);
  });
});
