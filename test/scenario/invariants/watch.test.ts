import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../src/base/time.ts';
import { INVARIANTS } from '../../../src/scenario/invariants/invariants.ts';
import { Watch } from '../../../src/scenario/invariants/watch.ts';
import type { EventBody } from '../../../src/trace/event.ts';
import { keep, Recorder } from '../../../src/trace/recorder.ts';

const MAC = '00:0d:3a:12:34:56';
const OTHER = '00:0d:3a:12:34:57';

const state = (dev: string, to: string, mac = MAC): EventBody => {
  const ifindex = dev === 'nic1' ? 2 : 3;
  return { kind: 'netdev.state', dev, state: to, ifname: `eth${ifindex}`, ifindex, mac };
};
const visible = (
  dev: string,
  channel: string,
  flags: number,
  ifname = `eth-${dev}`,
  ifindex = dev.length,
): EventBody => {
  return { kind: 'netdev.visible', dev, channel, visible: true, ifname, ifindex, flags };
};
const uevent = (dev: string, flags: number): EventBody => {
  return { kind: 'uevent', action: 'add', dev, ifname: `eth-${dev}`, ifindex: 3, flags };
};
const listed = (nic = 'nic1', mac = MAC): EventBody => ({ kind: 'netvsc.listed', nic, mac, listed: true });
const joined = (dev: string, yes = true): EventBody => ({ kind: 'netvsc.vf', nic: 'nic1', dev, joined: yes });
const hostPath = (path: 'vf' | 'synthetic'): EventBody => ({ kind: 'host.datapath', nic: 'nic1', path, why: '' });
const guestPath = (path: 'vf' | 'synthetic'): EventBody => ({ kind: 'guest.datapath', nic: 'nic1', path });
const flags = (dev: string, value: number, gained = '', lost = ''): EventBody => {
  return { kind: 'netdev.flags', dev, flags: value, gained, lost };
};
const lease = (dev: string, held = true): EventBody => ({ kind: 'lease', dev, mac: MAC, address: '10.0.0.4', held });
const nvsp = (from: 'host' | 'guest', name: string, detail = ''): EventBody => {
  return { kind: 'nvsp.message', from, name, nic: 'nic1', detail };
};
const vpci = (from: 'host' | 'guest', name: string): EventBody => {
  return { kind: 'vpci.message', from, name, dev: 'nic1.vf', detail: '' };
};
const newlink = (dev: string, message: 'RTM_NEWLINK' | 'RTM_DELLINK' = 'RTM_NEWLINK'): EventBody => {
  return { kind: 'rtnetlink', message, dev, ifname: 'eth1', ifindex: 3, flags: 0, master: '', cause: '' };
};
const renamed = (dev: string, to: string): EventBody => ({ kind: 'netdev.renamed', dev, from: 'x', to });

/** One event a millisecond; a number is a pause of so many. */
function watch(name: string, script: readonly (EventBody | number)[]) {
  const recorder = new Recorder();
  let step = 0;
  let time = 0;
  recorder.stampedBy(() => ({ time, step, context: 'test' }));
  const events = keep(recorder);
  const watching = new Watch(recorder, [name]);
  for (const body of script) {
    step++;
    time += typeof body === 'number' ? ms(body) : ms(1);
    if (typeof body !== 'number') recorder.emit(body);
  }
  watching.rest();
  return events.flatMap((event) => {
    if (event.kind === 'invariant.violated') return [`${event.dev}: ${event.found} (step ${event.sinceStep})`];
    return event.kind === 'invariant.exempt' ? [`exempt ${event.dev}: ${event.why}`] : [];
  });
}

const registered = (dev: string, mac = MAC): EventBody[] => [
  state(dev, 'post-init', mac),
  state(dev, 'registered', mac),
];

const BROKEN: Readonly<Record<string, readonly [readonly (EventBody | number)[], string]>> = {
  'flagged-before-visible': [
    [
      listed(),
      state('nic1.vf', 'post-init'),
      visible('nic1.vf', 'sysfs', 0x1002),
      uevent('nic1.vf', 0x1002),
      flags('nic1.vf', 0x1802, 'SLAVE', ''),
    ],
    'nic1.vf: its uevent at 0.004000 (step 4) with flags 0x1002; IFF_SLAVE came at 0.005000 (step 5); nic1 was listed before the VF raised POST_INIT (step 4)',
  ],
  'one-lease-per-mac': [
    [lease('nic1'), lease('nic1.vf')],
    'nic1.vf: it holds a lease of 00:0d:3a:12:34:56, and so does nic1 (step 1)',
  ],
  'synthetic-first': [
    [nvsp('host', 'sendVfAssociation', 'allocated 1'), state('nic1', 'post-init'), ...registered('nic1.vf')],
    'nic1.vf: it is registered while nic1 is post-init (step 1)',
  ],
  'joined-eventually': [
    [listed(), ...registered('nic1'), ...registered('nic1.vf')],
    'nic1.vf: it is registered and never joined nic1, which has its MAC and no VF (step 5)',
  ],
  pairing: [
    [listed(), ...registered('nic1'), ...registered('nic1.vf', OTHER), joined('nic1.vf')],
    'nic1.vf: its MAC is 00:0d:3a:12:34:57, that of nic1 is 00:0d:3a:12:34:56 (step 5)',
  ],
  'slave-means-master': [
    [...registered('nic1.vf'), flags('nic1.vf', 0x802)],
    'nic1.vf: it has IFF_SLAVE but no master (step 2)',
  ],
  'path-agrees': [[hostPath('vf')], 'nic1: the guest sends by synthetic, the host by vf (step 1)'],
  'stop-on-synthetic': [
    [joined('nic1.vf'), hostPath('vf'), flags('nic1.vf', 0x802, '', 'UP')],
    'nic1.vf: it went down while the host sends by it (step 2)',
  ],
  'one-switch-in-flight': [
    [nvsp('guest', 'switchDataPath', 'vf'), nvsp('guest', 'switchDataPath', 'synthetic')],
    'nic1: a second SWITCH_DATA_PATH is on its way (step 1)',
  ],
  'stable-name': [
    [...registered('nic1.vf'), state('nic1.vf', 'unregistering'), ...registered('nic1.vf'), renamed('nic1.vf', 'x1')],
    'nic1.vf: it ends as x1, and was eth3 before (step 3)',
  ],
  'eject-complete-once': [
    [...registered('nic1.vf'), vpci('host', 'eject'), vpci('guest', 'ejectionComplete')],
    'nic1.vf: it came while the device is registered (step 3)',
  ],
  'register-order': [
    [state('nic1', 'post-init'), visible('nic1', 'sysfs', 0), visible('nic1', 'ioctl', 0)],
    'nic1: it shows itself by ioctl before uevent (step 1)',
  ],
  'links-only-while-registered': [
    [state('nic1', 'post-init'), newlink('nic1')],
    'nic1: RTM_NEWLINK while it is post-init (step 1)',
  ],
  'names-unique': [
    [visible('nic1', 'ioctl', 0, 'eth0'), visible('nic2.vf', 'ioctl', 0, 'eth1'), renamed('nic2.vf', 'eth0')],
    'nic2.vf: eth0 is the name of nic1 (step 1)',
  ],
};

const HELD: Readonly<Record<string, readonly (EventBody | number)[]>> = {
  'flagged-before-visible': [listed(), state('nic1.vf', 'post-init'), visible('nic1.vf', 'sysfs', 0x1802)],
  'one-lease-per-mac': [lease('nic1'), lease('nic1', false), lease('nic1.vf')],
  'synthetic-first': [...registered('nic1'), nvsp('host', 'sendVfAssociation'), ...registered('nic1.vf')],
  'joined-eventually': [listed(), ...registered('nic1'), ...registered('nic1.vf'), joined('nic1.vf')],
  pairing: [listed(), ...registered('nic1.vf'), joined('nic1.vf'), joined('nic1.vf', false), joined('nic1.vf')],
  'slave-means-master': [
    ...registered('nic1.vf'),
    flags('nic1.vf', 0x802),
    { kind: 'netdev.master', dev: 'nic1.vf', master: 'nic1' },
  ],
  'path-agrees': [hostPath('vf'), guestPath('vf')],
  'stop-on-synthetic': [
    joined('nic1.vf'),
    hostPath('vf'),
    hostPath('synthetic'),
    flags('nic1.vf', 2, '', 'UP|RUNNING'),
  ],
  'one-switch-in-flight': [
    nvsp('guest', 'switchDataPath', 'vf'),
    nvsp('host', 'completion'),
    nvsp('guest', 'switchDataPath', 'synthetic'),
  ],
  'stable-name': [...registered('nic1.vf'), state('nic1.vf', 'unregistering'), ...registered('nic1.vf')],
  'eject-complete-once': [
    ...registered('nic1.vf'),
    vpci('host', 'eject'),
    state('nic1.vf', 'unregistered'),
    vpci('guest', 'ejectionComplete'),
  ],
  'register-order': [
    state('nic1', 'post-init'),
    visible('nic1', 'sysfs', 0),
    uevent('nic1', 0),
    visible('nic1', 'ioctl', 0),
    visible('nic1', 'rtnetlink', 0),
  ],
  'links-only-while-registered': [
    ...registered('nic1'),
    newlink('nic1'),
    state('nic1', 'unregistering'),
    newlink('nic1', 'RTM_DELLINK'),
  ],
  'names-unique': [
    visible('nic1', 'ioctl', 0, 'eth0'),
    visible('nic2.vf', 'ioctl', 0, 'eth1'),
    renamed('nic1', 'net0'),
  ],
};

describe.each(INVARIANTS.map((invariant) => [invariant.name, invariant] as const))('%s', (name, invariant) => {
  test('is found broken, with the earlier moment', () => {
    const [script, found] = BROKEN[name] ?? [[], ''];
    expect(watch(name, script)).toEqual([found]);
  });

  test('holds', () => {
    expect(watch(name, HELD[name] ?? [listed('', '')])).toEqual([]);
    expect(HELD[name]).toBeDefined();
  });

  test('says what it means in one sentence, and where it comes from', () => {
    expect(invariant.meaning).toMatch(/^[A-Z].*\.$/);
    expect(invariant.source).toMatch(/^INV-/);
  });
});

describe('edges', () => {
  test('a VF before its synthetic NIC is exempt from the flag', () => {
    expect(watch('flagged-before-visible', [state('nic1.vf', 'post-init'), visible('nic1.vf', 'sysfs', 2)])).toEqual([
      'exempt nic1.vf: no synthetic NIC of its MAC was listed when it raised POST_INIT',
    ]);
  });

  test('each registration is judged anew', () => {
    const one = [state('nic1.vf', 'post-init'), visible('nic1.vf', 'sysfs', 2), uevent('nic1.vf', 2)];
    expect(watch('flagged-before-visible', [listed(), ...one, ...one])).toHaveLength(2);
  });

  test('an EJECT that is never answered, twice answered, or answered late', () => {
    const eject = vpci('host', 'eject');
    const complete = vpci('guest', 'ejectionComplete');
    expect(watch('eject-complete-once', [eject])).toEqual(['nic1.vf: the EJECT was never answered (step 1)']);
    expect(watch('eject-complete-once', [eject, complete, complete])).toEqual([
      'nic1.vf: an EJECTION_COMPLETE that no EJECT asked for (step 3)',
    ]);
    expect(watch('eject-complete-once', [eject, seconds(61) / ms(1), complete])).toEqual([
      'nic1.vf: it came after more than 60 s (step 1)',
    ]);
  });

  test('a guest that asks twice for the same path', () => {
    const ask = nvsp('guest', 'switchDataPath', 'vf');
    expect(watch('one-switch-in-flight', [ask, nvsp('host', 'completion'), ask])).toEqual([
      'nic1: it asks again for vf (step 1)',
    ]);
  });

  test('a second VF at one NIC', () => {
    expect(watch('pairing', [joined('nic1.vf'), joined('nic2.vf')])).toEqual([
      'nic2.vf: nic1 has nic1.vf already (step 1)',
    ]);
  });

  test('another serial number may bring another name', () => {
    const association = (serial: number): EventBody =>
      nvsp('host', 'sendVfAssociation', `allocated 1, serial ${serial}`);
    const script = [
      association(1),
      ...registered('nic1.vf'),
      state('nic1.vf', 'unregistering'),
      nvsp('host', 'sendVfAssociation', 'allocated 0, serial 0'),
      association(2),
      ...registered('nic1.vf'),
      renamed('nic1.vf', 'x2'),
    ];
    expect(watch('stable-name', script)).toEqual([]);
  });
});
