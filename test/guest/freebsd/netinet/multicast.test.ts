import { describe, expect, test } from 'vitest';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import { onInterface } from '../../../../src/guest/freebsd/net/ioctl.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { addAddress, removeAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import { type InMulti, igmpTimer, joinInMulti, leaveInMulti } from '../../../../src/guest/freebsd/netinet/in-multi.ts';
import { filterOf, joinMulticast, leaveMulticast } from '../../../../src/guest/freebsd/netinet/multicast.ts';
import {
  closeSocket,
  joinGroup,
  leaveGroup,
  openSocket,
} from '../../../../src/guest/freebsd/netinet/multicast-socket.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';
import { gone, hiddenIn, NOTHING_HIDDEN, shown, verdictOf } from '../searching.ts';
import type { Build } from '../threads.ts';

const GROUP = '224.0.1.7';

/** A socket that is in the group on an interface; and the interface is taken away, or goes to a jail, while it is closed. */
const closedWhile =
  (change: (bench: IfnetBench, ifp: Ifnet) => Task): Build =>
  (bench) => {
    const { net } = bench;
    bench.vnet('jail');
    const ifp = bench.attached('d1');
    const socket = openSocket(net, net.vnet0);
    bench.run(() => joinGroup(net, socket, { group: GROUP, index: ifp.index }));
    return {
      threads: {
        *program() {
          yield* closeSocket(net, socket);
        },
        *eject() {
          yield* change(bench, ifp);
        },
      },
    };
  };

const closedWhileEjected = closedWhile((bench, ifp) => bench.remove(ifp));
const closedWhileMoved = closedWhile(function* ({ net }, ifp) {
  yield* lendIfnet(net, net.vnet0, ifp.name, 'jail');
});

/** Somebody in the kernel is in a group (as carp and pfsync are), and leaves when the interface may have gone. */
const kernelLeaves: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  const inm = bench.run(() => locked(bench, joinInMulti(net, ifp, GROUP)));
  return {
    threads: {
      *carp() {
        yield* locked(bench, leaveInMulti(net, inm));
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
    judge: () => (inm.memory.isFreed ? undefined : { key: 'leak', text: 'the record of the group is left' }),
  };
};

/** An administrator removes the last address while the interface is taken away: IPv4 leaves the group of all hosts. */
const lastAddressRemoved: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  bench.run(() => addAddress(net, ifp, '10.0.0.1'));
  return {
    threads: {
      *administrator() {
        yield* onInterface(net, net.vnet0, 'em1', 'SIOCDIFADDR', (found) => removeAddress(net, found, '10.0.0.1'));
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

/** IGMP's timer goes through the groups while a socket leaves one. */
const timerAgainstSocket: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  const socket = openSocket(net, net.vnet0);
  bench.run(() => joinGroup(net, socket, { group: GROUP, index: ifp.index }));
  return {
    threads: {
      *igmp() {
        yield* igmpTimer(net, net.vnet0);
      },
      *program() {
        yield* closeSocket(net, socket);
      },
    },
  };
};

/** A program joins on a number while the interface that has it is taken away. */
const joinedWhileEjected: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  const socket = openSocket(net, net.vnet0);
  return {
    threads: {
      *program() {
        yield* joinGroup(net, socket, { group: GROUP, index: ifp.index });
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
    judge: () => {
      const stale = socket.memberships.some(({ inm }) => inm.ifp.state !== 'attached');
      return stale ? { key: 'stale', text: 'a socket is in a group on what is not there any more' } : undefined;
    },
  };
};

/** Two programs come and go in one group; the driver writes its filter anew whenever it is told to. */
const twoPrograms: Build = (bench) => {
  const { net } = bench;
  let hardware: readonly string[] = [];
  const ifp: Ifnet = bench.attached('d1', {
    methods: {
      *ioctl({ request }) {
        if (!request.endsWith('MULTI')) return undefined;
        yield* ifp.addressLock.lock();
        hardware = filterOf(ifp);
        yield* ifp.addressLock.unlock();
        return undefined;
      },
    },
  });
  const program = (group: string, leaves: boolean) =>
    function* (): Task {
      const socket = openSocket(net, net.vnet0);
      yield* joinGroup(net, socket, { group, index: ifp.index });
      if (leaves) yield* closeSocket(net, socket);
    };
  return {
    threads: { one: program(GROUP, true), two: program('225.0.1.7', false) },
    judge: () =>
      `${hardware}` === `${filterOf(ifp)}` ? undefined : { key: 'filter', text: `the filter is ${hardware}` },
  };
};

const programs = {
  closedWhileEjected,
  closedWhileMoved,
  kernelLeaves,
  lastAddressRemoved,
  timerAgainstSocket,
  joinedWhileEjected,
  twoPrograms,
};

function* locked<T>({ net }: IfnetBench, task: Task<T>): Task<T> {
  yield* net.multicast.lock.lock();
  const result = yield* task;
  yield* net.multicast.lock.unlock();
  return result;
}

describe('three layers (F-8)', () => {
  /** A bench with an interface, and what its driver was asked for. */
  function withDriver(): { bench: IfnetBench; ifp: Ifnet; asked: string[] } {
    const bench = new IfnetBench();
    const asked: string[] = [];
    const ifp = bench.attached('d1', {
      methods: {
        *ioctl({ request }) {
          asked.push(request);
          return undefined;
        },
      },
    });
    return { bench, ifp, asked };
  }

  const counts = (ifp: Ifnet) => ifp.multicast.map(({ group, wanted }) => `${group} ${wanted}`);

  test('each upper object has exactly one count on the one below it', () => {
    const { bench, ifp, asked } = withDriver();
    const { net } = bench;
    const sockets = [openSocket(net, net.vnet0), openSocket(net, net.vnet0)];
    for (const socket of sockets) bench.run(() => joinGroup(net, socket, { group: GROUP, index: ifp.index }));
    const inm = sockets[0]?.memberships[0]?.inm as InMulti;
    expect([inm.count, sockets[1]?.memberships[0]?.inm === inm]).toEqual([2, true]);
    expect(counts(ifp)).toEqual(['01:00:5e:00:01:07 1', '224.0.1.7 1']);
    for (const socket of sockets) bench.run(() => closeSocket(net, socket));
    expect([counts(ifp), inm.memory.isFreed, asked, bench.faults()]).toEqual([
      [],
      true,
      ['SIOCADDMULTI', 'SIOCDELMULTI'],
      [],
    ]);
  });

  test('IPv4 itself is in the group of all hosts from the first address of an interface to its last', () => {
    const { bench, ifp, asked } = withDriver();
    const { net } = bench;
    const groups = (): string[] => ifp.multicast.map(({ group }) => group);
    const seen: string[][] = [];
    for (const address of ['10.0.0.1', '10.0.0.2', 'fe80::1']) bench.run(() => addAddress(net, ifp, address));
    for (const address of ['10.0.0.1', '10.0.0.2']) {
      seen.push(groups());
      bench.run(() => removeAddress(net, ifp, address));
    }
    const both = ['01:00:5e:00:00:01', '224.0.0.1'];
    expect([...seen, groups(), asked]).toEqual([both, both, [], ['SIOCADDMULTI', 'SIOCDELMULTI']]);
  });

  test('two groups that have one link address share its entry', () => {
    const { bench, ifp } = withDriver();
    for (const group of [GROUP, '225.128.1.7']) bench.run(() => joinMulticast(bench.net, ifp, group));
    expect([counts(ifp), filterOf(ifp)]).toEqual([
      ['01:00:5e:00:01:07 2', '224.0.1.7 1', '225.128.1.7 1'],
      ['01:00:5e:00:01:07'],
    ]);
    bench.run(() => leaveMulticast(bench.net, ifp, GROUP));
    expect(counts(ifp)).toEqual(['01:00:5e:00:01:07 1', '225.128.1.7 1']);
  });

  test('IPv6 has link addresses of its own', () => {
    const { bench, ifp } = withDriver();
    bench.run(() => joinMulticast(bench.net, ifp, 'ff02::1:ff00:7'));
    expect(filterOf(ifp)).toEqual(['33:33:ff:00:00:07']);
  });

  test('sockets leave when the interface goes, before user mode hears of the end of its groups', () => {
    const { bench, ifp } = withDriver();
    const { net } = bench;
    const socket = openSocket(net, net.vnet0);
    bench.run(() => joinGroup(net, socket, { group: GROUP, index: ifp.index }));
    const from = bench.events.length;
    bench.run(() => detachIfnet(net, ifp));
    expect(socket.memberships).toEqual([]);
    expect(bench.story('d1', from).filter((told) => told.startsWith('RTM_'))).toEqual([
      'RTM_IFINFO',
      'RTM_DELMADDR 224.0.1.7',
      'RTM_IFANNOUNCE departure',
    ]);
    expect(bench.run(() => leaveGroup(net, socket, { group: GROUP }))).toBe('EADDRNOTAVAIL');
  });

  test('who leaves after the end succeeds, and no driver hears of it', () => {
    const { bench, ifp, asked } = withDriver();
    const inm = bench.run(() => locked(bench, joinInMulti(bench.net, ifp, GROUP)));
    bench.run(() => bench.remove(ifp));
    asked.length = 0;
    expect([inm.entry.ifp.now, inm.memory.isFreed]).toEqual([undefined, false]);
    bench.run(() => locked(bench, leaveInMulti(bench.net, inm)));
    expect([inm.memory.isFreed, inm.entry.memory.isFreed, asked, bench.faults()]).toEqual([true, true, [], []]);
  });
});

describe('against an interface that goes', () => {
  const uncounted = { fixes: { 'multicast-counted': false } } as const;
  /** What comes of a group that is left on an interface which is freed. */
  const LEFT_TOO_LATE = [
    'double free: ifmultiaddr by if_freemulti',
    'double free: ifmultiaddr by if_purgemaddrs',
    'use after free: ifmultiaddr by if_delmulti_ifma',
    'use after free: ifmultiaddr by in_leavegroup',
    'use after free: ifnet by if_delmulti_ifma',
  ];

  test('a socket that keeps the interface leaves a group on what is freed (G-11)', () => {
    const result = shown(closedWhileEjected, ['multicast-purged-first'], uncounted);
    expect(result).toMatchObject({ with: [], verdict: 'all' });
    expect(result.without).toEqual(LEFT_TOO_LATE);
  });

  test('counts alone help as well, with and without the early leaving', () => {
    const { with: wrong, verdict } = shown(closedWhileEjected, ['multicast-counted'], {
      fixes: { 'multicast-purged-first': false },
    });
    expect({ wrong, verdict }).toEqual({ wrong: [], verdict: 'all' });
  });

  test('what the kernel itself is in no socket leaves: without counts its entry is freed under it (G-12)', () => {
    const result = shown(kernelLeaves, ['multicast-counted']);
    expect(result).toMatchObject({ with: [], verdict: 'all' });
    expect(result.without).toEqual(LEFT_TOO_LATE);
  });

  test('so it is with the group of all hosts, when the last address is removed meanwhile (G-12)', () => {
    const fixes = ['multicast-counted', 'addresses-only-attached'] as const;
    expect(shown(lastAddressRemoved, fixes, { profile: 'ideal' })).toEqual(
      gone([
        'double free: ifmultiaddr by if_freemulti',
        'double free: ifmultiaddr by if_purgemaddrs',
        'use after free: ifmultiaddr by if_delmulti_ifma',
        'use after free: ifmultiaddr by in_leavegroup',
      ]),
    );
  });

  test('a move to a jail ends memberships as an end does', () => {
    expect(shown(closedWhileMoved, ['multicast-purged-first'])).toMatchObject({ with: [], verdict: 'all' });
  });

  test('IGMP follows a pointer that is cleared without its lock; to look first narrows it, the lock closes it (G-13)', () => {
    const cleared = ['null dereference: ifma_protospec by igmp_fasttimo'];
    const unguarded = { fixes: { 'protospec-guarded': false, 'protospec-locked': false } };
    expect(verdictOf(timerAgainstSocket, unguarded).wrong).toEqual(cleared);
    expect(shown(timerAgainstSocket, ['protospec-locked'])).toEqual(gone(cleared));
  });

  test('a join that has found its interface goes on although it is gone meanwhile (F-9)', () => {
    expect(shown(joinedWhileEjected, ['join-needs-attached'])).toEqual(gone(['stale']));
  });

  test('one that has but a pointer to it joins on what is freed', () => {
    expect(shown(joinedWhileEjected, ['join-holds-interface'], { fixes: { 'join-needs-attached': true } })).toEqual(
      gone(['use after free: ifnet by inp_join_group']),
    );
  });

  test("at rest the driver's filter is that of the entries, whoever comes and goes", () => {
    expect(shown(twoPrograms, [])).toEqual({ without: [], with: [], verdict: 'all' });
  });
});

test.each(Object.entries(programs))('no state of %s is hidden from the search', (_, build) => {
  expect(hiddenIn(build)).toEqual(NOTHING_HIDDEN);
});
