import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../src/base/time.ts';
import type { CallFault, FallibleCall } from '../../../src/guest/linux/faults.ts';
import type { Errno } from '../../../src/guest/uapi/errno.ts';
import type { HostFault } from '../../../src/host/fault-points.ts';
import { carrying, type MachineChoice, machine, type TestMachine } from '../../support/machine.ts';

/** What the drivers make of calls that fail and of a host that does not keep its side: reference B.5 to B.8, D. */

function failing(m: TestMachine, call: FallibleCall, dev: string, errno: Errno, more: Partial<CallFault> = {}): void {
  m.kernel.faults.arm({ call, dev, errno, times: 1, may: false, ...more });
}

/** A NIC that is up, and a VF that comes to it. */
function withVf(choice: MachineChoice, before: (m: TestMachine) => void): TestMachine {
  const m = machine(choice);
  m.host.offer();
  m.guest.up('nic1');
  m.settle();
  m.forget();
  before(m);
  m.host.plug();
  m.settle();
  return m;
}

describe('a VF that cannot be opened (D-50)', () => {
  test('is joined but down, and nobody tries again until the NIC is opened anew', () => {
    const m = withVf({}, (m) => failing(m, 'ndo_open', 'nic1.vf', 'EBUSY', { times: 2 }));
    expect(m.log('nic1.vf')).toContain('unable to open: -16');
    expect([m.guest.masterOf('nic1.vf'), m.guest.hasFlag('nic1.vf', 'UP')]).toEqual(['nic1', false]);
    expect(m.guest.pathOf()).toBe('synthetic');
    m.pass(seconds(30));
    expect(m.guest.hasFlag('nic1.vf', 'UP')).toBe(false);
    m.guest.down('nic1');
    expect(m.guest.up('nic1')).toBe('done');
    m.settle();
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('once only, is opened by the second try of the take-over', () => {
    const m = withVf({}, (m) => failing(m, 'ndo_open', 'nic1.vf', 'EBUSY'));
    expect(m.log('nic1.vf')).not.toContain('unable to open: -16');
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('when the NIC is opened, leaves it open without the VF', () => {
    const m = carrying();
    m.guest.down('nic1');
    failing(m, 'ndo_open', 'nic1.vf', 'ETIMEDOUT');
    expect(m.guest.up('nic1')).toBe('done');
    expect(m.log('nic1')).toContain('unable to open slave: eth1: -110');
    expect(m.guest.hasFlag('nic1', 'UP')).toBe(true);
  });
});

describe('a VF that cannot join', () => {
  test.each([
    ['netdev_rx_handler_register', 'can not register netvsc VF receive handler (err = -16)'],
    ['netdev_master_upper_dev_link', 'can not set master device eth0 (err = -16)'],
  ] as const)('%s: it stays outside, though it is marked', (call, line) => {
    const m = withVf({}, (m) => failing(m, call, 'nic1.vf', 'EBUSY'));
    expect(m.log('nic1.vf')).toContain(line);
    expect([m.guest.masterOf('nic1.vf'), m.guest.hasFlag('nic1.vf', 'SLAVE')]).toEqual([undefined, true]);
    m.host.revoke();
    m.settle();
    expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
  });

  test('without a slot it has no serial number', () => {
    const m = withVf({}, (m) => failing(m, 'pci_create_slot', 'nic1.vf', 'ENOMEM'));
    expect(m.log('nic1.vf')).toEqual(expect.arrayContaining(['pci_create slot 1 failed', 'no PCI slot information']));
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
  });

  test('of a NIC that lives in another namespace', () => {
    const m = withVf({}, (m) => {
      m.guest.move('nic1', 'blue');
      failing(m, 'dev_change_net_namespace', 'nic1.vf', 'EBUSY');
    });
    expect(m.log('nic1.vf')).toContain('could not move to same namespace as eth0: -16');
    expect(m.guest.masterOf('nic1.vf')).toBeUndefined();
  });
});

describe('a VF that never comes to be', () => {
  test.each([
    ['local_pci_probe', 'ETIMEDOUT', 'probe with driver mlx5_core failed with error -110'],
    ['register_netdevice', 'ENOMEM', 'probe with driver mlx5_core failed with error -12'],
  ] as const)('%s fails with %s', (call, errno, line) => {
    const m = withVf({}, (m) => failing(m, call, 'nic1.vf', errno));
    expect(m.log('nic1.vf')).toContain(line);
    expect(m.guest.has('nic1.vf')).toBe(false);
    m.host.revoke();
    m.settle();
    m.host.plug();
    m.settle();
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('vmbus_open fails: the channel is not opened, and can be taken back', () => {
    const m = withVf({}, (m) => failing(m, 'vmbus_open', 'nic1.vf', 'ENOMEM'));
    expect(m.log('nic1.vf')).toEqual(['probe failed for device 70636976-0001-4e49-8000-000000000002 (-12)']);
    m.host.revoke();
    m.settle();
    expect([m.host.vfStateOf(), m.stuck()]).toEqual(['none', '']);
  });
});

describe('the synthetic NIC', () => {
  const offered = (call: FallibleCall, errno: Errno): TestMachine => {
    const m = machine();
    failing(m, call, 'nic1', errno);
    m.host.offer();
    m.settle();
    return m;
  };

  test.each([
    ['vmbus_open', 'ENOMEM', ['unable to open channel: -12', 'unable to add netvsc device (ret -12)']],
    [
      'vmbus_establish_gpadl',
      'ENOMEM',
      [
        "unable to establish receive buffer's gpadl",
        'unable to connect to NetVSP - -12',
        'unable to add netvsc device (ret -12)',
      ],
    ],
    ['register_netdevice', 'ENOMEM', ['Unable to register netdev.']],
  ] as const)('%s fails with %s: there is none, and nothing is left behind', (call, errno, lines) => {
    const m = offered(call, errno);
    expect(m.log('nic1')).toEqual([...lines, 'probe failed for device 6e657473-0001-4e49-8000-000000000001 (-12)']);
    expect([m.guest.has('nic1'), m.stuck()]).toEqual([false, '']);
    m.host.rescind();
    m.settle();
    m.host.offer();
    expect(m.guest.up('nic1')).toBe('done');
  });

  test('an MTU that the VF does not take is not changed', () => {
    const m = carrying();
    failing(m, 'ndo_change_mtu', 'nic1.vf', 'EIO');
    expect(m.guest.mtu('nic1', 1400)).toBe('EIO');
    expect([m.guest.netdev('nic1').mtu, m.guest.netdev('nic1.vf').mtu]).toEqual([1500, 1500]);
    expect(m.guest.mtu('nic1', 1400)).toBe('done');
  });

  test('an MTU for which no new session can be had is put back, and so is that of the VF', () => {
    const m = carrying();
    failing(m, 'vmbus_open', 'nic1', 'ENOMEM');
    expect(m.guest.mtu('nic1', 1400)).toBe('ENOMEM');
    expect([m.guest.netdev('nic1').mtu, m.guest.netdev('nic1.vf').mtu]).toEqual([1500, 1500]);
    failing(m, 'vmbus_open', 'nic1', 'ENOMEM', { times: 2 });
    expect(m.guest.mtu('nic1', 1400)).toBe('ENOMEM');
    expect(m.log('nic1')).toContain('restoring mtu failed');
    expect(m.guest.down('nic1')).toBe('done');
  });

  test('at its take-over a VF keeps its MTU, with a warning', () => {
    const m = withVf({}, (m) => {
      m.guest.mtu('nic1', 1400);
      failing(m, 'ndo_change_mtu', 'nic1.vf', 'EIO');
    });
    expect(m.log('nic1.vf')).toContain('unable to change mtu to 1400');
    expect([m.guest.netdev('nic1.vf').mtu, m.guest.pathOf()]).toEqual([1500, 'vf']);
  });

  test('names and namespaces stay as they are', () => {
    const m = carrying();
    failing(m, 'dev_change_name', 'nic1.vf', 'EBUSY');
    failing(m, 'dev_change_net_namespace', 'nic1', 'EBUSY');
    expect(m.guest.rename('nic1.vf', 'enP1s1')).toBe('EBUSY');
    expect(m.guest.move('nic1', 'blue')).toBe('EBUSY');
    expect([m.guest.netdev('nic1.vf').name, m.guest.netdev('nic1').netns?.name]).toEqual(['eth1', 'init_net']);
  });

  test('a device that cannot leave a namespace that ends is the end of everything', () => {
    const m = carrying();
    m.guest.move('nic1', 'blue');
    m.settle();
    failing(m, 'dev_change_net_namespace', 'nic1', 'ENOMEM');
    expect(m.guest.deleteNamespace('blue')).toBe('waits');
    expect(m.log('nic1')).toContain('default_device_exit_net: failed to move eth0 to init_net: -12');
  });
});

describe('a switch that fails (D-23)', () => {
  test('is told of, and the next event of the VF tries it again', () => {
    const m = withVf({}, (m) => failing(m, 'netvsc_switch_datapath', 'nic1', 'ENODEV'));
    expect(m.log('nic1').slice(-2)).toEqual([
      'Data path failed to switch to VF: eth1, err: -19',
      'Data path switched to VF: eth1', // at the NETDEV_CHANGE that the carrier brings
    ]);
    expect([m.guest.pathOf(), m.host.pathOf()]).toEqual(['vf', 'vf']);
  });

  test('as often as it is tried, leaves both on the synthetic path', () => {
    const m = withVf({}, (m) => failing(m, 'netvsc_switch_datapath', 'nic1', 'ENODEV', { times: 9 }));
    expect([m.guest.pathOf(), m.host.pathOf()]).toEqual(['synthetic', 'synthetic']);
  });

  test('went unnoticed before d0922bf79817', () => {
    const m = withVf({ fixes: { 'switch-errors': false } }, (m) =>
      failing(m, 'netvsc_switch_datapath', 'nic1', 'ENODEV', { times: 9 }),
    );
    expect(m.log('nic1')).toContain('Data path switched to VF: eth1');
    expect(m.host.pathOf()).toBe('synthetic');
  });
});

describe('a host that does not keep its side', () => {
  const arm = (m: TestMachine, fault: Partial<HostFault>): unknown =>
    m.host.act({
      do: 'arm-fault',
      nic: 'nic1',
      fault: { dev: 'nic1', from: 'host', may: false, times: 1, ...fault } as HostFault,
    });

  test('loses the association: the VF joins by its MAC, and the switch waits under the RTNL (D-05)', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'drop', message: 'sendVfAssociation' }));
    expect(m.log('nic1')).toEqual(['VF registering: eth1', 'Waiting for the VF association from host']);
    expect(m.stuckIn('nic1.vf_takeover')).toContain('nic1.vf_add');
    expect(m.guest.execute({ do: 'up', ifname: 'eth1' })).toBe('waits');
    m.host.associate();
    m.settle();
    expect([m.guest.pathOf(), m.stuck()]).toEqual(['vf', '']);
  });

  test('never answers the switch: whoever holds the RTNL waits for ever, and the report says for what (INV-L2)', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'drop', message: 'switchDataPathComplete' }));
    expect(m.host.pathOf()).toBe('vf');
    expect(m.stuck()).toContain("nic1.vf_takeover waits: wait nic1 host's answer to SWITCH_DATA_PATH (open)");
    m.host.revoke(); // the VF's driver wants the RTNL: the EJECT is never completed
    m.pass(seconds(61));
    expect(m.events('host.timeout').map(({ what }) => what)).toEqual(['EJECTION_COMPLETE']);
    expect(m.stuck()).toContain('held by nic1.vf_takeover');
  });

  test('answers twice: the second answer belongs to nobody (D-36)', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'duplicate', message: 'switchDataPathComplete' }));
    expect(m.log('nic1').filter((line) => line.startsWith('Invalid transaction ID'))).toHaveLength(1);
    expect(m.guest.pathOf()).toBe('vf');
  });

  test('refuses the switch, and its answer says nothing of it: each has another path (D-28)', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'fail', message: 'switchDataPath' }));
    expect([m.guest.pathOf(), m.host.pathOf()]).toEqual(['vf', 'synthetic']);
  });

  test('falls silent while the VF is probed: what waits there looks whether the channel is taken back (D-44)', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'silence', dev: 'nic1.vf' }));
    m.pass(seconds(100));
    expect(m.stuck()).toContain("nic1.vf host's answer to queryProtocolVersion");
    m.host.revoke('nic1', 'surprise');
    m.settle();
    expect(m.log('nic1.vf')).toEqual([
      'The device is gone.',
      'PCI Pass-through VSP failed to request version: -19',
      'probe failed for device 70636976-0001-4e49-8000-000000000002 (-19)',
    ]);
    expect(m.stuck()).toBe('');
  });

  test('offers a channel twice: the second offer is dropped', () => {
    const m = withVf({}, (m) => arm(m, { fault: 'duplicate', message: 'offerChannel', dev: 'nic1.vf' }));
    expect(m.log('nic1.vf')).toContain('WARNING: drivers/hv/channel_mgmt.c vmbus_process_offer()');
    expect([m.guest.pathOf(), m.stuck()]).toEqual(['vf', '']);
  });

  test('asks twice for the VF: it is removed once and completed twice', () => {
    const m = carrying();
    arm(m, { fault: 'duplicate', message: 'eject', dev: 'nic1.vf' });
    m.host.revoke();
    m.settle();
    expect(m.wire('vpci.message', 'guest')).toEqual(['ejectionComplete', 'ejectionComplete']);
    expect([m.guest.has('nic1.vf'), m.stuck()]).toEqual([false, '']);
  });

  test.each([
    ['queryProtocolVersion', 0xc000_0001, 'PCI Pass-through VSP failed version request: 0xc0000001', -71],
    ['resourcesAssigned2', 0xc000_0001, 'resource allocated returned 0xc0000001', -71],
  ])('fails %s with 0x%s: %s', (message, status, line, ret) => {
    const m = withVf({}, (m) => arm(m, { fault: 'fail', message, status, dev: 'nic1.vf' }));
    expect(m.log('nic1.vf')).toEqual(expect.arrayContaining([line, expect.stringContaining(`(${ret})`)]));
  });

  test('fails the entry to D0: once it is tried again, twice it is given up', () => {
    const entry = { fault: 'fail', message: 'busD0Entry', status: 0xc000_0001, dev: 'nic1.vf' } as const;
    const once = withVf({}, (m) => arm(m, entry));
    expect(once.log('nic1.vf')).toContain('Retrying D0 Entry');
    expect(once.guest.pathOf()).toBe('vf');
    const twice = withVf({}, (m) => arm(m, { ...entry, times: 2 }));
    expect(twice.log('nic1.vf')).toContain('PCI Pass-through VSP failed D0 Entry with status c0000001');
    expect(twice.guest.has('nic1.vf')).toBe(false);
  });

  test.each([
    ['sendReceiveBuffer', 2, 'Unable to complete receive buffer initialization with NetVsp - status 2'],
    ['sendSendBuffer', 6, 'Unable to complete send buffer initialization with NetVsp - status 6'],
  ])('refuses %s', (message, status, line) => {
    const m = machine();
    arm(m, { fault: 'fail', message, status });
    m.host.offer();
    m.settle();
    expect(m.log('nic1').slice(0, 2)).toEqual([line, 'unable to connect to NetVSP - -22']);
    expect(m.stuck()).toBe('');
  });

  test('takes no NVSP version but the oldest', () => {
    const m = machine();
    arm(m, { fault: 'fail', message: 'init', status: 7, times: 5 });
    m.host.offer();
    expect(m.guest.up('nic1')).toBe('done');
    expect(m.host.plug()).toBeUndefined();
    m.pass(ms(100));
    expect(m.guest.has('nic1.vf')).toBe(false); // a session of NVSP 1 knows of no VF
  });
});
