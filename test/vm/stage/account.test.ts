import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readAccount } from '../../../src/vm/stage/account.ts';

/**
 * What ftrace of Debian's 6.1.0-50-686 has of: hv_netvsc and ne2k-pci are loaded, nic1 is offered and comes up, its VF is
 * plugged and revoked, the NIC goes down, is called foo, moves to another namespace, and gets another MTU there.
 */
const { entries, lost } = readAccount(readFileSync('fixtures/kernel/trace/vf-comes-and-goes.txt', 'utf8'));

const of = <W extends (typeof entries)[number]['what']>(what: W) =>
  entries.filter((entry) => entry.what === what) as Extract<(typeof entries)[number], { readonly what: W }>[];

test('nothing is lost where there was room', () => {
  expect(lost).toBe(0);
  expect(readAccount('# entries-in-buffer/entries-written: 10/25   #P:1\n').lost).toBe(15);
});

test('each entry has its moment, and who did it', () => {
  expect(entries[0]).toEqual({
    at: 3_720_238_530,
    task: 'modprobe-155',
    what: 'module',
    module: 'hv_vmbus',
    loaded: true,
  });
  const moments = entries.map(({ at }) => at);
  expect(moments).toEqual([...moments].sort((a, b) => a - b));
});

test('what the driver sends and takes, without packets', () => {
  const session = of('nvsp').filter(({ ifname }) => ifname !== 'foo');
  expect(session.map(({ from, type }) => `${from} ${type}`)).toEqual([
    'guest INIT',
    'host INIT_COMPLETE',
    'guest SEND_NDIS_CONFIG',
    'guest SEND_NDIS_VER',
    'guest SEND_RECV_BUF',
    'host SEND_RECV_BUF_COMPLETE',
    'guest SEND_SEND_BUF',
    'host SEND_SEND_BUF_COMPLETE',
    'host SEND_VF_ASSOCIATION',
    'guest SWITCH_DATA_PATH',
    'guest SWITCH_DATA_PATH',
  ]);
});

test('a device is marked as a slave before it is in sysfs, and its uevent has a path that says whose it is', () => {
  const vf = of('sysfs').find(({ ifname }) => ifname === 'eth1');
  expect(vf).toMatchObject({ present: true, flags: 0x1802, ifindex: 3, mtu: 1500 });
  const uevents = of('uevent').filter(({ ifname }) => ifname === 'eth1');
  expect(uevents.map(({ action, path }) => `${action} ${path}`)).toEqual([
    'add /devices/pci0000:00/0000:00:09.0/net/eth1',
    'remove /devices/pci0000:00/0000:00:09.0/net/eth1',
  ]);
});

test('a message that is made early and sent late stands where it was sent', () => {
  const leaving = entries.findIndex((entry) => entry.what === 'rtnetlink' && entry.message === 'RTM_DELLINK');
  const [before, after] = [entries[leaving - 1], entries[leaving + 1]];
  expect(entries[leaving]).toMatchObject({ ifname: 'eth1', ifindex: 3 });
  expect([before?.what, after]).toEqual(['answered', expect.objectContaining({ what: 'sysfs', present: false })]);
});

test('names, masters and namespaces', () => {
  expect(of('renamed')).toEqual([expect.objectContaining({ ifname: 'eth0', to: 'foo' })]);
  expect(of('master').map(({ ifname, master, linked }) => [ifname, master, linked])).toEqual([
    ['eth1', 'eth0', true],
    ['eth1', 'eth0', false],
  ]);
  expect(of('netns')).toEqual([expect.objectContaining({ ifname: 'foo', net: expect.any(Number) })]);
});

test('lines of other kinds, and lines that are cut off, say nothing', () => {
  expect(
    readAccount('# a comment\n   ip-100 [000] .....  728: unknown: x=1\n   ip-100 [000] ..... 72').entries,
  ).toEqual([]);
});
