import { describe, expect, test } from 'vitest';
import { answerOf, type DeviceQuestion } from '../../../src/vm/stage/answers.ts';
import { commandOf, moduleOf, quote, refusalOf } from '../../../src/vm/stage/guest-commands.ts';
import { type GuestInterface, readInterfaces } from '../../../src/vm/stage/interfaces.ts';
import { kernelText, logLine } from '../../../src/vm/stage/kernel-log.ts';
import { netdevEvent } from '../../../src/vm/stage/netdev-cmd.ts';

const eth0: GuestInterface = {
  name: 'eth0',
  mac: '00:0d:3a:12:34:56',
  flags: 0x1003,
  ifindex: 2,
  mtu: 1500,
  master: undefined,
  bus: 'vmbus',
  lease: '10.0.1.4',
  netns: 'init_net',
};
const eth1: GuestInterface = {
  ...eth0,
  name: 'eth1',
  flags: 0x1802,
  ifindex: 3,
  master: 2,
  bus: 'pci',
  lease: undefined,
};

describe('interfaces', () => {
  test('are read from what sysfs has; one that went away meanwhile is none', () => {
    const output = [
      'interface init_net eth0 00:0d:3a:12:34:56 0x1003 2 1500 - vmbus 10.0.1.4',
      'interface init_net eth1 00:0d:3a:12:34:56 0x1802 3 1500 2 pci -',
      'interface init_net eth2   - - -',
    ].join('\r\n');
    expect(readInterfaces(output)).toEqual([eth0, eth1]);
  });

  const devOf = ({ bus }: GuestInterface): string => (bus === 'pci' ? 'nic1.vf' : 'nic1');
  const ask = (question: DeviceQuestion) => answerOf(question, [eth0, eth1], devOf);
  test.each<[DeviceQuestion, boolean, string]>([
    [{ ask: 'present', dev: 'nic1', present: true }, true, 'present'],
    [{ ask: 'present', dev: 'nic2', present: false }, true, 'absent'],
    [{ ask: 'up', dev: 'nic1.vf', up: true }, false, 'down'],
    [{ ask: 'up', dev: 'nic2', up: false }, false, 'no nic2'],
    [{ ask: 'master', dev: 'nic1.vf', master: 'nic1' }, true, 'nic1'],
    [{ ask: 'master', dev: 'nic1', master: undefined }, true, 'no master'],
    [{ ask: 'ifname', dev: 'nic1', ifname: 'eth7' }, false, 'eth0'],
    [{ ask: 'netns', dev: 'nic1', netns: 'init_net' }, true, 'init_net'],
    [{ ask: 'mtu', dev: 'nic1', mtu: 1400 }, false, '1500'],
    [{ ask: 'flag', dev: 'nic1.vf', flag: 'SLAVE', set: true }, true, 'flags 0x1802'],
    [{ ask: 'lease', dev: 'nic1', held: true }, true, '10.0.1.4'],
    [{ ask: 'lease', dev: 'nic1.vf', held: false }, true, 'no lease'],
    [{ ask: 'lease', dev: 'nic2', held: false }, true, 'no nic2'],
  ])('%o', (question, holds, found) => expect(ask(question)).toEqual({ holds, found }));
});

describe('verbs as command lines', () => {
  test.each([
    [{ do: 'up', dev: 'nic1' } as const, "ip link set dev 'eth0' up"],
    [{ do: 'mtu', dev: 'nic1', mtu: 1400 } as const, "ip link set dev 'eth0' mtu 1400"],
    [{ do: 'rename', dev: 'nic1', to: 'lan' } as const, "ip link set dev 'eth0' name 'lan'"],
    [{ do: 'load', module: 'hv_netvsc' } as const, 'modprobe hv_netvsc'],
    [{ do: 'unload', module: 'mlx5_core' } as const, 'rmmod ne2k-pci'],
    [{ do: 'load', module: 'pci-hyperv' } as const, undefined],
    [{ do: 'add-netns', name: 'blue' } as const, "ip netns add 'blue'"],
    [{ do: 'delete-netns', name: 'blue' } as const, "ip netns del 'blue'"],
  ])('%o', (verb, command) => expect(commandOf(verb, eth0)).toBe(command));

  test('an interface in another namespace is reached there, and goes home by the namespace of process 1', () => {
    const inBlue = { ...eth0, netns: 'blue' };
    expect(commandOf({ do: 'down', dev: 'nic1' }, inBlue)).toBe("ip -n 'blue' link set dev 'eth0' down");
    expect(commandOf({ do: 'move-netns', dev: 'nic1', to: 'init_net' }, inBlue)).toMatch(/netns 1$/);
  });

  test('drivers of all VF families are that of the emulated card', () => {
    expect(['mlx5_core', 'mana', 'hv_netvsc', 'pci-hyperv'].map(moduleOf)).toEqual([
      'ne2k-pci',
      'ne2k-pci',
      'hv_netvsc',
      undefined,
    ]);
  });

  test('a word is one word for the shell', () => expect(quote("it's $x")).toBe("'it'\\''s $x'"));
});

test.each([
  ['RTNETLINK answers: Device or resource busy\n', 'EBUSY'],
  ['RTNETLINK answers: No such device', 'ENODEV'],
  ['Cannot find device "eth9"', 'ENODEV'],
  ["modprobe: can't load module hv_netvsc (x.ko): Operation not permitted", 'EPERM'],
  ['Error: mtu greater than device maximum.\n', 'Error: mtu greater than device maximum.'],
  ['', 'it failed'],
])('%j was refused with %s', (output, refusal) => expect(refusalOf(output)).toBe(refusal));

describe("the kernel's log", () => {
  const names = { nicOf: () => 'nic1', vfIn: (slot: number) => (slot === 9 ? 'nic1.vf' : undefined) };

  test('is what stands behind a stamp, whatever the shell was printing', () => {
    expect(kernelText('netvsim:/# [6n[    0.350926] hv_vmbus: Vmbus version:5.3')).toBe('hv_vmbus: Vmbus version:5.3');
    expect(kernelText('Enter a command')).toBeUndefined();
  });

  test.each([
    ['hv_netvsc 6e657473-0001-4e49-8000-000000000001 eth0: VF slot 9 added', 'nic1', 'VF slot 9 added'],
    ['hv_netvsc 6e657473-0001-4e49-8000-000000000001 eth0 (unregistering): x', 'nic1', 'x'],
    ['ne2k-pci 0000:00:09.0 eth1: joined to eth0', 'nic1.vf', 'joined to eth0'],
    ['ne2k-pci 0000:00:09.0: enabling device (0000 -> 0001)', 'nic1.vf', 'enabling device (0000 -> 0001)'],
    ['pci 0000:00:03.0: of another slot', '', 'pci 0000:00:03.0: of another slot'],
  ])('%s', (text, dev, said) => expect(logLine(text, names)).toMatchObject({ dev, text: said }));
});

test('numbers of netdevice events differ between kernels', () => {
  expect(netdevEvent(17, '6.1.0-50-686')).toBe('NETDEV_POST_INIT');
  expect(netdevEvent(21, '6.1.0-50-686')).toBe('NETDEV_CHANGEUPPER');
  expect(netdevEvent(18, '6.12.107')).toBe('NETDEV_PRE_UNINIT');
  expect(netdevEvent(22, '6.12.107')).toBe('NETDEV_CHANGEUPPER');
  expect(netdevEvent(99, '6.1.0')).toBe('netdev_cmd 99');
});
