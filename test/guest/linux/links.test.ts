import { expect, test } from 'vitest';
import type { GuestCommand } from '../../../src/guest/uapi/uapi.ts';
import { machine, type TestMachine } from '../../support/machine.ts';

/** rtnl_newlink(), rtnl_delete_link(), do_set_master(): what the transcripts of real kernels do not show. */

const linux = (): TestMachine => machine({ guest: 'linux-6.1', modules: ['dummy', 'bonding'] });

const does = (m: TestMachine, command: GuestCommand): string => {
  const outcome = m.run('ip', 'guest', m.machine.guest.execute(command));
  return outcome === 'waits' ? 'waits' : outcome.ok ? 'done' : outcome.error;
};

const names = (m: TestMachine): readonly string[] => [...m.kernel.net.devices()].map(({ name }) => name);

test('a kind that no module has brought is not supported', () => {
  const m = machine({ modules: [] });
  expect(does(m, { do: 'add-link', kind: 'dummy', ifname: 'd0' })).toBe('EOPNOTSUPP');
  expect(names(m)).toEqual([]);
});

test('what hardware made cannot be deleted, and cannot be a master', () => {
  const m = machine({ modules: ['hv_netvsc', 'dummy'] });
  m.host.offer();
  m.settle();
  expect(does(m, { do: 'delete-link', ifname: 'eth0' })).toBe('EOPNOTSUPP');
  expect(does(m, { do: 'add-link', kind: 'dummy', ifname: 'd0' })).toBe('done');
  expect(does(m, { do: 'master', ifname: 'd0', master: 'eth0' })).toBe('EOPNOTSUPP');
});

test('with its module go all devices of a kind, in every namespace', () => {
  const m = linux();
  does(m, { do: 'add-netns', name: 'red' });
  does(m, { do: 'add-link', kind: 'dummy', netns: 'red' });
  does(m, { do: 'add-link', kind: 'dummy' });
  does(m, { do: 'add-link', kind: 'bond' });
  expect(names(m)).toEqual(['dummy0', 'bond0', 'dummy0']);
  expect(does(m, { do: 'unload', module: 'dummy' })).toBe('done');
  expect(names(m)).toEqual(['bond0']);
});

test('bonding that is unloaded gives its slaves back: closed, with their own address and MTU, free for another master', () => {
  const m = linux();
  does(m, { do: 'add-link', kind: 'bond', ifname: 'b0' });
  does(m, { do: 'mtu', ifname: 'b0', mtu: 1400 });
  does(m, { do: 'add-link', kind: 'dummy', ifname: 'd0' });
  const [, slave] = [...m.kernel.net.devices()];
  const before = slave?.devAddr;
  does(m, { do: 'add-link', kind: 'dummy', ifname: 'd1' });
  expect(does(m, { do: 'master', ifname: 'd1', master: 'b0' })).toBe('done');
  expect(does(m, { do: 'master', ifname: 'd0', master: 'b0' })).toBe('done');
  expect([slave?.mtu, slave?.up, slave?.devAddr === before]).toEqual([1400, true, false]);
  expect(does(m, { do: 'unload', module: 'bonding' })).toBe('done');
  expect(names(m)).toEqual(['d0', 'd1']);
  expect([slave?.mtu, slave?.up, slave?.devAddr, slave?.master, slave?.rxHandler]).toEqual([
    1500,
    false,
    before,
    undefined,
    undefined,
  ]);
});

test('a bond whose slave cannot take its MTU takes none of it', () => {
  const m = linux();
  does(m, { do: 'add-link', kind: 'bond', ifname: 'b0' });
  for (const ifname of ['d0', 'd1']) {
    does(m, { do: 'add-link', kind: 'dummy', ifname });
    does(m, { do: 'master', ifname, master: 'b0' });
  }
  m.kernel.faults.arm({ call: 'ndo_change_mtu', dev: 'd1', errno: 'EINVAL', times: 1, may: false });
  expect(does(m, { do: 'mtu', ifname: 'b0', mtu: 1400 })).toBe('EINVAL');
  expect([...m.kernel.net.devices()].map(({ mtu }) => mtu)).toEqual([1500, 1500, 1500]);
});

test('a slave that does not open is given back, and a stolen address with it', () => {
  const m = linux();
  does(m, { do: 'add-link', kind: 'bond', ifname: 'b0' });
  does(m, { do: 'add-link', kind: 'dummy', ifname: 'd0' });
  const [bond, slave] = [...m.kernel.net.devices()];
  m.kernel.faults.arm({ call: 'ndo_open', dev: 'd0', errno: 'EIO', times: 1, may: false });
  expect(does(m, { do: 'master', ifname: 'd0', master: 'b0' })).toBe('EIO');
  expect([slave?.up, slave?.flags.now, slave?.master]).toEqual([false, 0x82, undefined]);
  expect(bond?.devAddr).not.toBe(slave?.devAddr);
  expect(does(m, { do: 'master', ifname: 'd0', master: 'b0' })).toBe('done');
  expect(bond?.devAddr).toBe(slave?.devAddr);
});

test('a socket hears of its own namespace only, unless it asks for all', () => {
  const m = linux();
  const { rtnetlink } = m.kernel.net;
  const [own, red, all] = [
    rtnetlink.subscribe('own'),
    rtnetlink.subscribe('red', m.kernel.net.namespace('red')),
    rtnetlink.subscribe('all', 'all'),
  ];
  does(m, { do: 'add-link', kind: 'dummy', ifname: 'd0' });
  does(m, { do: 'move-netns', ifname: 'd0', to: 'red' });
  expect([own, red, all].map((queue) => queue.contents().map(({ message }) => message))).toEqual([
    ['new', 'del'],
    ['new'],
    ['new', 'del', 'new'],
  ]);
});
