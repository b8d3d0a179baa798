import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../../devices/index.ts';
import { ms } from '../../../src/base/time.ts';
import { explore } from '../../../src/explore/drivers.ts';
import { FIXES, type Fix, PROFILES, withFixes } from '../../../src/guest/linux/profile.ts';
import { NVSP } from '../../../src/wire/nvsp.ts';
import { carrying, machine, plugged, type TestMachine } from '../../support/machine.ts';

/** Each row of reference B.12 and D-20 to D-23, switched off alone on a kernel that has all the others: the one thing that it changes. */

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

const switching = (fixes: Partial<Record<Fix, boolean>>): TestMachine => {
  const m = machine({ fixes, latency: { 'host.switch-datapath': ms(50) } });
  m.host.offer();
  m.guest.up('nic1');
  m.host.plug();
  m.untilEvent('nvsp.message', { from: 'guest', name: 'switchDataPath' });
  return m;
};

const rows: Readonly<Record<Fix, { readonly look: Look; readonly on: unknown; readonly off: unknown }>> = {
  // The VF is up, and the host takes its time with the switch to it.
  'vf-gate': {
    look: (fixes) => switching(fixes).guest.pathOf(),
    on: 'synthetic',
    off: 'vf',
  },
  'switch-awaited': {
    look: (fixes) => {
      const m = switching(fixes);
      m.settle();
      return m.story('host.datapath', 'guest.datapath', 'nvsp.message').slice(-4);
    },
    on: ['guest: switchDataPath activeDataPath=1', 'host: nic1 by vf', 'host: completion empty', 'guest: nic1 by vf'],
    // Nothing is answered, for nothing was asked for.
    off: [
      'host: sendVfAssociation allocated=1 serial=1',
      'guest: nic1 by vf',
      'guest: switchDataPath activeDataPath=1',
      'host: nic1 by vf',
    ],
  },
  'switch-before-stop': {
    look: (fixes) => {
      const m = carrying({ fixes });
      m.host.revoke();
      m.settle();
      return m.story('host.datapath', 'netdev.carrier', 'netdev.flags');
    },
    on: ['host: nic1 by synthetic', 'carrier of nic1.vf: down', 'flags of nic1.vf: + -UP'],
    off: ['carrier of nic1.vf: down', 'flags of nic1.vf: + -UP', 'host: nic1 by synthetic'],
  },
  // The NIC is taken back while the VF comes up, and its removal waits for the RTNL behind the switch.
  'switch-errors': {
    look: (fixes) => {
      const m = machine({ fixes });
      m.host.offer();
      m.guest.up('nic1');
      m.host.plug();
      m.untilEvent('netvsc.vf', { joined: true });
      m.pass(ms(200));
      m.host.rescind();
      m.settle();
      return [m.guest.has('nic1'), m.stuckIn('nic1.vf_takeover')];
    },
    on: [false, ''],
    off: [true, "wait nic1 host's answer to SWITCH_DATA_PATH (open)"],
  },
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

test('6.12 has them all, 5.15 those of early 2021, and a run can change single ones', () => {
  const [old, recent] = [PROFILES['linux-5.15'], PROFILES['linux-6.12']];
  if (old === undefined || recent === undefined) throw new Error('a profile is missing');
  expect([...recent.fixes].sort()).toEqual(Object.keys(FIXES).sort());
  const early = ['vf-gate', 'switch-awaited', 'switch-before-stop', 'switch-errors'];
  expect([...old.fixes]).toEqual(early);
  const changed = withFixes(old, { 'live-rename': true, 'vf-gate': false });
  expect([...changed.fixes]).toEqual([...early.slice(1), 'live-rename']);
  expect([...old.fixes]).toEqual(early);
});

test('6.1 has what its stable tree took in, and needs no flag of its own against IPv6', () => {
  const stable = PROFILES['linux-6.1'];
  const lacking = Object.keys(FIXES).filter((fix) => !stable?.fixes.has(fix as Fix));
  expect(lacking).toEqual(['no-addrconf', 'napi-before-open', 'live-rename']);
  const m = carrying({ guest: 'linux-6.1' });
  expect(m.guest.netdev('nic1.vf').hasLinkLocal).toBe(false);
  expect(m.guest.rename('nic1', 'lan0')).toBe('EBUSY');
});

test.each([
  ['d-10-ipv6-address-on-a-vf', 'holds: IFF_SLAVE is what its addrconf looks at', false],
  ['d-49-vf-opened-before-it-is-renamed', 'is there: nothing is renamed while it is up', true],
])('the race %s on 6.1 %s', (race, _, isThere) => {
  const file = new URL(`../../../fixtures/races/${race}.yaml`, import.meta.url);
  const catalogue = { vfs: vfModels, synthetics: syntheticModels };
  const { found } = explore(readFileSync(file, 'utf8'), { catalogue, guest: 'linux-6.1', samples: 20 });
  expect(found.length > 0).toBe(isThere);
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
