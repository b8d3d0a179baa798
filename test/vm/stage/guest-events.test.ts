import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Event } from '../../../src/trace/event.ts';
import { readAccount } from '../../../src/vm/stage/account.ts';
import { GuestEvents } from '../../../src/vm/stage/guest-events.ts';

const GUID = '6e657473-0001-4e49-8000-000000000001';
const { entries } = readAccount(readFileSync('fixtures/kernel/trace/vf-comes-and-goes.txt', 'utf8'));

const guestEvents = (): GuestEvents =>
  new GuestEvents({
    devices: {
      nicOf: (guid) => (guid === GUID ? 'nic1' : undefined),
      vfIn: (slot) => (slot === 9 ? 'nic1.vf' : undefined),
      isNic: (dev) => dev === 'nic1',
      macOf: () => '00:0d:3a:12:34:56',
    },
    release: '6.1.0-50-686',
    netnsAt: () => 'blue',
  });

const told = guestEvents().tell(entries, () => 7);

/** The events of some kinds, each as `kind dev rest`. */
function story(...kinds: readonly Event['kind'][]): readonly string[] {
  return told
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ time: _, step: __, context: ___, ...event }) => Object.values(event).join(' '));
}

test('how a VF comes into sight, as the model tells it', () => {
  const ofVf = told.filter((event) => 'dev' in event && event.dev === 'nic1.vf');
  const first = ofVf.slice(
    0,
    ofVf.findIndex(({ kind }) => kind === 'rtnetlink'),
  );
  const shown = first.map((event) => {
    if (event.kind === 'netdev.state') return event.state;
    if (event.kind === 'netdev.visible') return event.channel;
    if (event.kind === 'notifier') return `${event.event} ${event.notifier} ${event.verdict}`.trim();
    return event.kind === 'netdev.flags' ? `+${event.gained}` : event.kind;
  });
  expect(shown.filter((what) => what !== 'log' && what !== 'module')).toEqual([
    'post-init',
    'NETDEV_POST_INIT netdev chain',
    'NETDEV_POST_INIT hv_netvsc done',
    '+SLAVE',
    'sysfs',
    'uevent',
    'ioctl',
    'registered',
    'NETDEV_REGISTER netdev chain',
    'netdev.master',
    'NETDEV_PRECHANGEUPPER netdev chain',
    'NETDEV_PRECHANGEUPPER hv_netvsc done',
    'NETDEV_CHANGEUPPER netdev chain',
  ]);
});

test('data path, joins and masters', () => {
  expect(story('guest.datapath', 'netvsc.vf', 'netdev.master')).toEqual([
    'netdev.master nic1.vf nic1',
    'netvsc.vf nic1 nic1.vf true',
    'guest.datapath nic1 vf',
    'guest.datapath nic1 synthetic',
    'netvsc.vf nic1 nic1.vf false',
    'netdev.master nic1.vf ',
  ]);
});

test('the life of the VF ends with its last reference', () => {
  const states = told.filter((event) => event.kind === 'netdev.state' && event.dev === 'nic1.vf');
  expect(states.map((event) => (event.kind === 'netdev.state' ? event.state : ''))).toEqual([
    'post-init',
    'registered',
    'unregistering',
    'unregistered',
  ]);
});

test('a NIC is listed once, and stays so when it is renamed and moves', () => {
  expect(story('netvsc.listed', 'netdev.renamed', 'netdev.netns', 'netdev.mtu')).toEqual([
    'netvsc.listed nic1 00:0d:3a:12:34:56 true',
    'netdev.renamed nic1 eth0 foo',
    'netdev.netns nic1 init_net blue foo 2',
    'netdev.mtu nic1 1400',
  ]);
});

test('drivers are bound to devices by their names on their buses', () => {
  expect(story('driver.bound')).toEqual([
    'driver.bound nic1 hv_netvsc true',
    'driver.bound nic1.vf ne2k-pci true',
    'driver.bound nic1.vf ne2k-pci false',
  ]);
});

test('what is about no device of the plan is told of none', () => {
  const ofLoopback = told.filter((event) => 'ifname' in event && event.ifname === 'lo');
  expect(ofLoopback).toEqual([]);
});

test('the stand-in for a manager speaks through the log', () => {
  const events = guestEvents();
  events.tell(
    entries.slice(
      0,
      entries.findIndex(({ what }) => what === 'rtnetlink'),
    ),
    () => 0,
  );
  expect(events.onLog('netvsim-manager: leased eth0 00:0d:3a:12:34:56 10.0.1.4')).toEqual([
    { kind: 'lease', dev: 'nic1', mac: '00:0d:3a:12:34:56', address: '10.0.1.4', held: true },
  ]);
  expect(events.onLog('netvsim-manager: managed eth0')).toEqual([
    { kind: 'manager', dev: 'nic1', ifname: 'eth0', decision: 'managed', why: 'a NIC that is no slave' },
  ]);
});
