import { describe, expect, test } from 'vitest';
import { releaseIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import { setFlags } from '../../../../src/guest/freebsd/net/flags.ts';
import { setLinkState } from '../../../../src/guest/freebsd/net/link.ts';
import { renameIfnet } from '../../../../src/guest/freebsd/net/rename.ts';
import { addAddress, removeAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import { joinMulticast, leaveMulticast } from '../../../../src/guest/freebsd/netinet/multicast.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import { IfnetBench } from './ifnet-bench.ts';

describe('attach', () => {
  test('it is found by its number before it has a place on the list, and announced before it has its MAC', () => {
    const bench = new IfnetBench();
    const macs: string[] = [];
    bench.run(() =>
      bench.net.events.register('ifnet_arrival_event', {
        name: 'watcher',
        priority: 10_000,
        *handle(ifp) {
          macs.push(ifp.mac);
        },
      }),
    );
    const ifp = bench.attached('d1');
    expect(bench.story('d1')).toEqual([
      'in index',
      'allocated',
      'in name',
      'attached',
      'RTM_IFANNOUNCE arrival',
      'watcher: ifnet_arrival_event',
      'devctl IFNET ATTACH',
      'devctl ETHERNET IFATTACH',
    ]);
    expect([...macs, ifp.mac]).toEqual(['00:00:00:00:00:00', '00:0d:3a:00:00:01']);
    expect([ifp.name, ifp.index]).toEqual(['em1', 1]);
  });

  test('nobody looks whether the name is taken, and look-ups find the older one', () => {
    const bench = new IfnetBench();
    const first = bench.attached('d1', { dunit: 7 });
    const second = bench.attached('d2', { dunit: 7 });
    expect([first.name, second.name]).toEqual(['em7', 'em7']);
    expect(bench.net.vnet0.interfaces.findNow('em7')).toBe(first);
  });

  test('with names that are taken in one step the younger one gets another name', () => {
    const bench = new IfnetBench({ profile: 'ideal' });
    bench.attached('d1', { dunit: 7 });
    expect(bench.attached('d2', { dunit: 7 }).name).toBe('if2');
  });
});

describe('detach, as user mode sees it (A.15)', () => {
  test('it vanishes from listings, then it is down, its addresses go, and then it departs', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    bench.run(() => setFlags(bench.net, ifp, IFF.UP));
    bench.run(() => addAddress(bench.net, ifp, '10.0.0.1'));
    bench.run(() => addAddress(bench.net, ifp, 'fe80::1'));
    bench.run(() => joinMulticast(bench.net, ifp, '01:00:5e:00:00:01'));
    const from = bench.events.length;
    bench.run(() => bench.remove(ifp));
    expect(bench.story('d1', from)).toEqual([
      'out of name',
      '+DYING',
      'unlinked',
      'RTM_DELETE 10.0.0.1/32 fib 0',
      '-UP',
      'RTM_IFINFO',
      'RTM_DELADDR 10.0.0.1',
      'RTM_DELMADDR 224.0.0.1',
      'RTM_DELETE fe80::1/128 fib 0',
      'RTM_DELADDR fe80::1',
      'RTM_DELMADDR 01:00:5e:00:00:01',
      'RTM_IFANNOUNCE departure',
      'devctl IFNET DETACH',
      'out of index',
      'index-freed',
      'freed',
    ]);
    expect(bench.net.vnet0.routes.peek()).toBe(0);
    expect(bench.faults()).toEqual([]);
  });

  test('a second time: ENOENT, and the count of interfaces goes down again all the same', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    expect([bench.run(() => detachIfnet(bench.net, ifp)), bench.run(() => detachIfnet(bench.net, ifp))]).toEqual([
      undefined,
      'ENOENT',
    ]);
    expect(bench.net.vnet0.count).toBe(-1);
  });

  test('a second time, where the count is right', () => {
    const bench = new IfnetBench({ fixes: { 'count-what-was-found': true } });
    const ifp = bench.attached('d1');
    bench.run(() => detachIfnet(bench.net, ifp));
    bench.run(() => detachIfnet(bench.net, ifp));
    expect(bench.net.vnet0.count).toBe(0);
  });

  test('a second time in main: a panic', () => {
    const bench = new IfnetBench({ profile: 'freebsd-main' });
    const ifp = bench.attached('d1');
    bench.run(() => detachIfnet(bench.net, ifp));
    bench.run(() => detachIfnet(bench.net, ifp));
    expect(bench.faults()).toEqual(['panic: if_detach: em1 is on no list']);
  });

  test('the driver hears nothing of the end of its methods: what calls them afterwards gets ENXIO', () => {
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
    bench.run(() => setFlags(bench.net, ifp, IFF.UP));
    bench.run(() => detachIfnet(bench.net, ifp));
    expect(asked).toEqual(['SIOCSIFFLAGS']);
    const methods = ifp.methods.now;
    expect(bench.run(() => methods.transmit(new Uint8Array()))).toBe('ENXIO');
  });

  test('who holds a reference keeps the memory, not the number', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    bench.run(function* () {
      yield* ifp.references.tryAcquire();
    });
    bench.run(() => bench.remove(ifp));
    expect(ifp.state).toBe('zombie');
    expect(bench.attached('d2').index).toBe(1);
    bench.run(() => releaseIfnet(bench.net, ifp));
    expect(ifp.state).toBe('freed');
  });
});

describe('flags and link', () => {
  test('up: the driver, the message, the event; down: the event while it is up still, then the message', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const seen: string[] = [];
    bench.run(() =>
      bench.net.events.register('ifnet_event', {
        name: 'watcher',
        priority: 0,
        *handle({ flags }, code) {
          seen.push(`${code} ${(flags.now & IFF.UP) !== 0}`);
        },
      }),
    );
    const from = bench.events.length;
    bench.run(() => setFlags(bench.net, ifp, IFF.UP));
    bench.run(() => setFlags(bench.net, ifp, 0));
    expect(seen).toEqual(['UP true', 'DOWN true']);
    expect(bench.story('d1', from)).toEqual([
      '+UP',
      'RTM_IFINFO',
      'watcher: ifnet_event',
      'watcher: ifnet_event',
      '-UP',
      'RTM_IFINFO',
    ]);
  });

  test('user mode cannot change what the stack and the driver keep', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const before = ifp.flags.now;
    bench.run(() => setFlags(bench.net, ifp, IFF.UP | IFF.DYING | IFF.PROMISC));
    expect(ifp.flags.now).toBe(before | IFF.UP);
  });

  test('changes of the link that come before its task are one, and it tells the latest', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const heard = bench.listener('ifnet_link_event', 'watcher', 0);
    bench.run(function* () {
      for (const state of ['up', 'down', 'up'] as const) yield* setLinkState(bench.net, ifp, state);
    });
    expect(heard).toEqual(['em1 up']);
    expect(bench.events.filter(({ kind }) => kind === 'log')).toMatchObject([
      { text: 'em1: 3 link states coalesced' },
      { text: 'em1: link state changed to UP' },
    ]);
  });

  test('IPv4 takes the routes away while it is down', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    bench.run(() => setFlags(bench.net, ifp, IFF.UP));
    bench.run(() => addAddress(bench.net, ifp, '10.0.0.1'));
    const routes: unknown[] = [];
    for (const flags of [0, IFF.UP]) {
      routes.push(bench.net.vnet0.routes.peek());
      bench.run(() => setFlags(bench.net, ifp, flags));
    }
    expect([...routes, bench.net.vnet0.routes.peek()]).toEqual([1, 0, 1]);
  });
});

describe('rename', () => {
  test('is a departure under the old name and an arrival under the new one, with the same number', () => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const flags: boolean[] = [];
    bench.run(() =>
      bench.net.events.register('ifnet_departure_event', {
        name: 'watcher',
        priority: 0,
        *handle(departing) {
          flags.push((departing.flags.now & IFF.RENAMING) !== 0);
        },
      }),
    );
    const from = bench.events.length;
    expect(bench.run(() => renameIfnet(bench.net, ifp, 'wan'))).toBeUndefined();
    const announced = bench.events.slice(from).filter(({ kind }) => kind === 'routing');
    expect(announced).toMatchObject([
      { message: 'RTM_IFANNOUNCE', what: 'departure', ifname: 'em1', ifindex: 1 },
      { message: 'RTM_IFANNOUNCE', what: 'arrival', ifname: 'wan', ifindex: 1 },
    ]);
    expect([...flags, (ifp.flags.now & IFF.RENAMING) !== 0, ifp.state]).toEqual([true, false, 'attached']);
    expect(bench.net.vnet0.interfaces.findNow('wan')).toBe(ifp);
    expect([ifp.dname, ifp.dunit]).toEqual(['em', 1]);
  });

  test.each([
    ['sixteen-letters!', 'ENAMETOOLONG'],
    ['', 'EINVAL'],
    ['em2', 'EEXIST'],
    ['em1', undefined],
  ])('to %j: %s', (to, errno) => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    bench.attached('d2');
    expect(bench.run(() => renameIfnet(bench.net, ifp, to))).toBe(errno);
    expect(ifp.name).toBe('em1');
    const told = bench.events.filter(({ kind }) => kind === 'netdev.error');
    expect(told).toMatchObject(errno === undefined ? [] : [{ dev: 'd1', what: 'SIOCSIFNAME', errno }]);
  });

  test("in a jail it reaches the host's devd, and does not where that is mended", () => {
    const told = (fixed: boolean): number => {
      const bench = new IfnetBench({ fixes: { 'rename-told-in-vnet0': fixed } });
      const jail = bench.vnet('jail');
      const ifp = bench.attached('d1', { vnet: jail });
      bench.run(() => renameIfnet(bench.net, ifp, 'wan'), jail);
      return bench.events.filter(({ kind }) => kind === 'devctl').length;
    };
    expect([told(false), told(true)]).toEqual([1, 0]);
  });
});

describe('addresses and groups that are not there', () => {
  test.each([
    ['an address twice', 'EEXIST'],
    ['no such address', 'EADDRNOTAVAIL'],
    ['no such multicast group', 'ENOENT'],
  ])('%s: %s', (what, errno) => {
    const bench = new IfnetBench();
    const ifp = bench.attached('d1');
    const given = bench.run(function* () {
      if (what === 'no such address') return yield* removeAddress(bench.net, ifp, '10.0.0.9');
      if (what === 'no such multicast group') return yield* leaveMulticast(bench.net, ifp, '01:00:5e:00:00:09');
      yield* addAddress(bench.net, ifp, '10.0.0.1');
      return yield* addAddress(bench.net, ifp, '10.0.0.1');
    });
    expect(given).toBe(errno);
  });

  test('a multicast group ends with the last who wants it', () => {
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
    const group = '01:00:5e:00:00:01';
    for (const change of [joinMulticast, joinMulticast, leaveMulticast, leaveMulticast])
      bench.run(() => change(bench.net, ifp, group) as ReturnType<typeof leaveMulticast>);
    expect(asked).toEqual(['SIOCADDMULTI', 'SIOCDELMULTI']);
  });
});
