import { expect, test } from 'vitest';
import { FIXES, type Fix, PROFILES, withFixes } from '../../../src/guest/linux/profile.ts';
import { NVSP } from '../../../src/wire/nvsp.ts';
import { carrying, machine, plugged, type TestMachine } from '../../support/machine.ts';

/** Each row of reference B.12, switched off alone on a kernel that has all the others: the one thing that it changes. */

type Look = (fixes: Partial<Record<Fix, boolean>>) => unknown;

const vfFirst = (fixes: Partial<Record<Fix, boolean>>): TestMachine => {
  const m = machine({ modules: ['pci-hyperv', 'mlx5_core'], fixes });
  m.host.offer();
  m.host.offerVf();
  m.settle();
  m.forget();
  m.guest.load('hv_netvsc');
  m.settle();
  return m;
};

const rows: Readonly<Record<Fix, { readonly look: Look; readonly on: unknown; readonly off: unknown }>> = {
  'mac-fallback': {
    look: (fixes) => plugged({ nics: [{ pciSerial: 9 }], fixes }).guest.masterOf('nic1.vf'),
    on: 'nic1',
    off: undefined,
  },
  // The NIC is probed by modprobe while the VF's own probe runs: who has the RTNL first has the lower name.
  'rtnl-before-rndis': {
    look: (fixes) => {
      const m = machine({
        modules: ['pci-hyperv', 'mlx5_core'],
        latency: { 'vf.probe': 0, 'host.vf-offer': 0 },
        fixes,
      });
      m.host.offer();
      m.host.plug();
      m.guest.load('hv_netvsc');
      m.settle();
      return [m.guest.netdev('nic1').name, m.guest.netdev('nic1.vf').name];
    },
    on: ['eth0', 'eth1'],
    off: ['eth1', 'eth0'],
  },
  // The newcomer's replay finds the NIC in the list, or not yet.
  'notifier-before-driver': {
    look: (fixes) => vfFirst(fixes).log('nic1.vf'),
    on: ['no netdev found for vf serial:1', 'joined to eth1'],
    off: ['joined to eth1'],
  },
  'post-init-slave': {
    look: (fixes) =>
      plugged({ fixes })
        .events('uevent')
        .find(({ dev }) => dev === 'nic1.vf')
        ?.flags.toString(16),
    on: '1802',
    off: '1002',
  },
  'probe-vf-scan': { look: (fixes) => vfFirst(fixes).guest.masterOf('nic1.vf'), on: 'nic1', off: undefined },
  'vf-follows-netns': {
    look: (fixes) => {
      const m = carrying({ fixes });
      m.guest.move('nic1', 'blue');
      m.settle();
      return m.guest.netdev('nic1.vf').netns?.name;
    },
    on: 'blue',
    off: 'init_net',
  },
  'vf-follows-later': {
    look: (fixes) => {
      const m = carrying({ fixes });
      m.guest.move('nic1', 'blue');
      return m.guest.netdev('nic1.vf').netns?.name;
    },
    on: 'init_net',
    off: 'blue',
  },
  'no-addrconf': {
    look: (fixes) => {
      const m = machine({ fixes });
      m.host.offer();
      m.guest.up('nic1');
      m.host.plug();
      m.settle();
      return m.events('ipv6.address').map(({ dev }) => dev);
    },
    on: ['nic1'],
    off: ['nic1', 'nic1.vf'],
  },
  // A host that speaks as soon as the channel is open: its ring is never empty again, so it never signals again.
  'napi-before-open': {
    look: (fixes) => {
      const m = machine({ fixes });
      m.host.offer();
      m.untilEvent('vmbus.message', { from: 'host', name: 'openChannelResult' });
      m.until(() => m.kernel.vmbusCore['devices'].get(1)?.channel.rings !== undefined);
      speakEarly(m);
      m.settle();
      return [m.guest.has('nic1'), m.stuck().includes("nic1 host's answer to init")];
    },
    on: [true, false],
    off: [false, true],
  },
  'live-rename': {
    look: (fixes) => {
      const m = machine({ fixes });
      m.host.offer();
      m.guest.up('nic1');
      return m.guest.rename('nic1', 'lan0');
    },
    on: 'done',
    off: 'EBUSY',
  },
};

test.each(Object.entries(rows))('%s', (fix, { look, on, off }) => {
  expect(look({})).toEqual(on);
  expect(look({ [fix]: false })).toEqual(off);
});

test('every fix has its row', () => {
  expect(Object.keys(rows).sort()).toEqual(Object.keys(FIXES).sort());
});

test('6.12 has them all, 5.15 none, and a run can change single ones', () => {
  const [old, recent] = [PROFILES['linux-5.15'], PROFILES['linux-6.12']];
  if (old === undefined || recent === undefined) throw new Error('a profile is missing');
  expect([old.fixes.size, recent.fixes.size]).toEqual([0, Object.keys(FIXES).length]);
  const changed = withFixes(old, { 'live-rename': true, 'mac-fallback': false });
  expect([...changed.fixes]).toEqual(['live-rename']);
  expect(old.fixes.size).toBe(0);
});

test('a kernel before 6.2 leaves a slave without IPv6 by its flag, and needs no other', () => {
  const m = carrying({ guest: 'linux-5.15' });
  expect(m.guest.netdev('nic1.vf').hasLinkLocal).toBe(false);
});

/** A packet of the host's, and its interrupt, before the guest does its next step. */
function speakEarly(m: TestMachine): void {
  const rings = m.kernel.vmbusCore['devices'].get(1)?.channel.rings;
  if (rings === undefined) throw new Error('the channel is closed');
  const payload = { name: 'sendVfAssociation', allocated: 0, serial: 1 } as const;
  const packet = { type: 'inband', transactionId: 0n, completionRequested: false, payload, protocol: NVSP } as const;
  rings.toGuest['put'](packet);
  m.kernel.vmbusCore['devices'].get(1)?.channel.opening?.doorbell.inject();
}
