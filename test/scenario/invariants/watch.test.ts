import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../src/base/time.ts';
import { coveredBy, JUDGED_ELSEWHERE, LEFT_OUT, NUMBERS } from '../../../src/scenario/invariants/coverage.ts';
import { INVARIANTS } from '../../../src/scenario/invariants/invariants.ts';
import type { EventBody } from '../../../src/trace/event.ts';
import { BUS_STORIES } from './stories-bus.ts';
import { KERNEL_STORIES } from './stories-kernel.ts';
import { NETVSC_STORIES } from './stories-netvsc.ts';
import { REGISTRY_STORIES } from './stories-registry.ts';
import {
  address,
  answers,
  asks,
  associates,
  flags,
  guestPath,
  heard,
  hung,
  joined,
  listed,
  master,
  moved,
  registered,
  renamed,
  state,
  uevent,
  visible,
  vmbus,
  vpci,
  watch,
} from './told.ts';

const STORIES = { ...REGISTRY_STORIES, ...NETVSC_STORIES, ...BUS_STORIES, ...KERNEL_STORIES };

describe.each(INVARIANTS.map((invariant) => [invariant.name, invariant] as const))('%s', (name, invariant) => {
  test('is found broken, with the earlier moment', () => {
    const story = STORIES[name];
    expect(story && watch(name, story.broken)).toEqual([story?.found]);
  });

  test('holds where it is nearly broken', () => {
    const story = STORIES[name];
    expect(story && watch(name, story.held)).toEqual([]);
  });

  test('says what it means, why it matters, and where it comes from', () => {
    const { meaning, why, source, covers, races } = invariant;
    expect(meaning).toMatch(/^[A-Z][^.]+(\.\d[^.]*)*\.$/);
    expect(why).toMatch(/^\S.*\.$/);
    expect(why.split(/\. /).length).toBeLessThanOrEqual(3);
    expect(source).toMatch(/^(Linux|reference|Azure|openvmm)/);
    for (const number of covers) expect(NUMBERS).toContain(number);
    for (const race of races) expect(race).toMatch(/^(D-\d\d|G-\d{1,2})$/);
  });
});

describe('the list of the reference', () => {
  test('has each of its numbers in one place', () => {
    expect(NUMBERS).toHaveLength(53);
    for (const number of NUMBERS) {
      const places = [coveredBy(number).length > 0, number in JUDGED_ELSEWHERE, number in LEFT_OUT];
      expect([number, places.filter(Boolean).length]).toEqual([number, 1]);
    }
  });

  test('says why, where something is left out', () => {
    for (const why of Object.values({ ...JUDGED_ELSEWHERE, ...LEFT_OUT })) expect(why.length).toBeGreaterThan(20);
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
    const slave = [...registered('nic1.vf'), flags('nic1.vf', 0x802), master('nic1.vf', 'nic1')];
    expect(watch('slave-means-master', [...slave, ...registered('nic1.vf'), master('nic1.vf', 'nic1')])).toEqual([
      'nic1.vf: its master is nic1, but it lacks IFF_SLAVE (step 6)',
    ]);
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
    expect(watch('one-switch-in-flight', [asks('vf'), answers, asks('vf')])).toEqual([
      'nic1: it asks again for activeDataPath=1 (step 1)',
    ]);
  });

  test('a VF as data path that was not asked for, that nobody has joined, or that is down', () => {
    expect(watch('gate-after-answer', [asks('synthetic'), answers, guestPath('vf')])).toEqual([
      'nic1: it sends by the VF and has not asked for it (step 3)',
    ]);
    expect(watch('vf-path-needs-running-vf', [guestPath('vf')])).toEqual([
      'nic1: its data path is the VF, and none is joined (step 1)',
    ]);
    expect(watch('vf-path-needs-running-vf', [joined('nic1.vf'), guestPath('vf')])).toEqual([
      'nic1.vf: it is down and the data path of nic1 (step 2)',
    ]);
  });

  test('an association is for one probe of the NIC', () => {
    const gone = listed('nic1', '', false);
    expect(watch('association-before-switch', [associates(), gone, asks('vf')])).toEqual([
      'nic1: it asks for a VF that the host has not told it of (step 3)',
    ]);
  });

  test('a second VF at one NIC', () => {
    expect(watch('pairing', [joined('nic1.vf'), joined('nic2.vf')])).toEqual([
      'nic2.vf: nic1 has nic1.vf already (step 1)',
    ]);
  });

  test('an IPv6 address that outlives the mark', () => {
    const script = [...registered('nic1.vf'), address('nic1.vf'), master('nic1.vf', 'nic1')];
    expect(watch('no-ipv6-on-vf', script)).toEqual(['nic1.vf: it still has the address fe80::1 (step 4)']);
    expect(watch('no-ipv6-on-vf', [...script, master('nic1.vf', '')])).toEqual([]);
  });

  test('two of one name, or of one index, in a namespace that they came to', () => {
    const script = [visible('nic1', 'ioctl', 0, 'eth0', 2), moved('nic1', 'blue', 'eth0', 2)];
    const second = [visible('nic2', 'ioctl', 0, 'eth0', 2), moved('nic2', 'blue', 'eth0', 2)];
    expect(watch('names-unique', [...script, ...second])).toEqual([
      'nic2: eth0 is the name of nic1 (step 2)',
      'nic2: 2 is the index of nic1 (step 2)',
    ]);
  });

  test('a channel that is released without need, by somebody unknown, or never', () => {
    const offer = vmbus('host', 'offerChannel');
    const rescind = vmbus('host', 'rescindChannelOffer');
    const release = vmbus('guest', 'relidReleased');
    const tooMuch = 'a channel is released that the host has not taken back';
    expect(watch('released-once', [offer, release])).toEqual([`nic1.vf: ${tooMuch} (step 1)`]);
    expect(watch('released-once', [offer, rescind, release, vmbus('guest', 'relidReleased', 'vmbus')])).toEqual([
      `vmbus: ${tooMuch} (step 4)`,
    ]);
    expect(watch('released-once', [offer, rescind])).toEqual([
      'nic1.vf: its channel was taken back and never released (step 2)',
    ]);
    expect(watch('released-once', [offer, rescind, vmbus('guest', 'initiateContact', 'vmbus')])).toEqual([]);
  });

  test('D0 that is left and was not entered', () => {
    expect(watch('d0-alternates', [vpci('guest', 'busD0Exit')])).toEqual([
      'nic1.vf: it leaves D0 and has not entered it (step 1)',
    ]);
  });

  test('a task that waits for whoever has the RTNL', () => {
    expect(watch('rtnl-held-briefly', [hung('lock', 'rtnl', 'boot')])).toEqual([
      'boot: it holds the RTNL, for which worker waits and waits (step 7)',
    ]);
  });

  test('where timers overtake what could run nothing is late, but what never ends is wrong all the same', () => {
    const [eject, complete] = [vpci('host', 'eject'), vpci('guest', 'ejectionComplete')];
    expect(watch('eject-complete-once', [eject, seconds(61) / ms(1), complete], false)).toEqual([]);
    expect(watch('eject-complete-once', [eject], false)).toHaveLength(1);
    const wait = hung('wait', 'nic1.vf_add');
    expect(watch('host-waits-end', [wait], false)).toEqual([]);
    expect(watch('host-waits-end', [{ ...wait, forEver: true } as EventBody], false)).toHaveLength(1);
    expect(watch('rtnl-held-briefly', BUS_STORIES['rtnl-held-briefly']?.broken ?? [], false)).toEqual([]);
  });

  test('each listener has an ear of its own', () => {
    const other = heard('UP', 'nic1.vf', 'bonding');
    expect(watch('listeners-hear-in-turn', [heard('UP'), other, heard('GOING_DOWN')])).toEqual([]);
    expect(watch('listeners-hear-in-turn', [other, heard('UP'), heard('UNREGISTER')])).toEqual([
      'nic1.vf: hv_netvsc hears NETDEV_UNREGISTER after NETDEV_UP (step 2)',
    ]);
  });

  test('another serial number may bring another name', () => {
    const script = [
      associates(1, 1),
      ...registered('nic1.vf'),
      state('nic1.vf', 'unregistering'),
      associates(0, 1),
      associates(1, 2),
      ...registered('nic1.vf'),
      renamed('nic1.vf', 'x2'),
    ];
    expect(watch('stable-name', script)).toEqual([]);
  });
});
