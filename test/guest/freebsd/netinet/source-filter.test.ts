import { describe, expect, test } from 'vitest';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import { addAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import { FibHolder } from '../../../../src/guest/freebsd/netinet/fib.ts';
import { addRoute } from '../../../../src/guest/freebsd/netinet/interface-routes.ts';
import {
  changeSource,
  type GroupRequest,
  hears,
  joinGroup,
  leaveGroup,
  MulticastSocket,
  openSocket,
  setSourceFilter,
} from '../../../../src/guest/freebsd/netinet/multicast-socket.ts';
import { SourceFilter } from '../../../../src/guest/freebsd/netinet/source-filter.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

const GROUP = '232.0.1.7';
const [ONE, TWO] = ['192.0.2.1', '192.0.2.2'] as const;

interface Members {
  readonly bench: IfnetBench;
  readonly ifp: Ifnet;
  readonly socket: MulticastSocket;
  readonly join: (request?: Partial<GroupRequest>) => string | undefined;
  /** From which of the two sources the socket hears the group. */
  readonly heard: () => string[];
}

function member(fixes: Readonly<Record<string, boolean>> = {}): Members {
  const bench = new IfnetBench({ fixes });
  const { net } = bench;
  const ifp = bench.attached('d1');
  const socket = openSocket(net, net.vnet0);
  const join = (request: Partial<GroupRequest> = { index: ifp.index }) =>
    bench.run(() => joinGroup(net, socket, { group: GROUP, ...request }));
  const heard = () =>
    [ONE, TWO].filter((source) => bench.run(() => hears(socket, { ifp, group: GROUP, source, sourcePort: 9 })));
  return { bench, ifp, socket, join, heard };
}

describe('which sources a socket hears (F-9)', () => {
  test('none before it is a member, and all after a join that names no source; no list is made for that', () => {
    const { socket, join, heard } = member();
    expect(heard()).toEqual([]);
    expect(join()).toBeUndefined();
    expect(heard()).toEqual([ONE, TWO]);
    expect(socket.memberships.map(({ filter }) => [filter.mode, filter.isAllocated])).toEqual([['exclude', false]]);
  });

  test('a source that is blocked is not heard, and one that is not blocked any more is', () => {
    const { bench, socket, join, heard } = member();
    join();
    const change = (blocked: boolean) =>
      bench.run(() => changeSource(bench.net, socket, GROUP, { blocked, source: ONE }));
    expect([change(false), change(true), change(true), heard()]).toEqual([
      'EADDRNOTAVAIL',
      undefined,
      'EADDRNOTAVAIL',
      [TWO],
    ]);
    expect([change(false), heard()]).toEqual([undefined, [ONE, TWO]]);
  });

  test('a join of sources hears those, and is left source by source', () => {
    const { bench, ifp, socket, join, heard } = member();
    expect([join({ index: 1, source: ONE }), heard()]).toEqual([undefined, [ONE]]);
    expect([join({ index: 1, source: TWO }), heard()]).toEqual([undefined, [ONE, TWO]]);
    const leave = (source: string) =>
      bench.run(() => leaveGroup(bench.net, socket, { group: GROUP, index: ifp.index, source }));
    expect([leave(ONE), leave(ONE), heard()]).toEqual([undefined, 'EADDRNOTAVAIL', [TWO]]);
  });

  test.each([
    ['the group again', { index: 1 }, undefined, 'EADDRINUSE'],
    ['one source where all are heard', { index: 1 }, ONE, 'EINVAL'],
    ['all where one source is heard', { index: 1, source: ONE }, undefined, 'EINVAL'],
    ['a source again', { index: 1, source: ONE }, ONE, 'EADDRNOTAVAIL'],
  ] as const)('a join of %s', (_, first, source, errno) => {
    const { join } = member();
    join(first);
    expect(join({ index: 1, ...(source === undefined ? {} : { source }) })).toBe(errno);
  });

  test('setsourcefilter() gives mode and list at once; an empty list of those to hear hears nobody', () => {
    const { bench, socket, join, heard } = member();
    join();
    const set = (mode: 'exclude' | 'include', sources: readonly string[]) => {
      const errno = bench.run(() => setSourceFilter(bench.net, socket, GROUP, mode, sources));
      return errno ?? heard();
    };
    expect([set('include', [TWO]), set('include', []), set('exclude', [TWO]), set('exclude', [])]).toEqual([
      [TWO],
      [],
      [ONE],
      [ONE, TWO],
    ]);
    expect(
      set(
        'exclude',
        Array.from({ length: 129 }, (_, i) => `192.0.2.${i}`),
      ),
    ).toBe('ENOBUFS');
    expect(bench.run(() => setSourceFilter(bench.net, socket, '224.0.0.9', 'exclude', []))).toBe('EADDRNOTAVAIL');
  });

  test('a datagram that came in by another interface is not of the group that was joined', () => {
    const { bench, socket, join } = member();
    join();
    const other = bench.attached('d2');
    expect(bench.run(() => hears(socket, { ifp: other, group: GROUP, source: ONE, sourcePort: 9 }))).toBe(false);
  });

  test("the sender's port matters only to a socket that is connected to one", () => {
    const { bench, ifp } = member();
    const { net } = bench;
    const connected = new MulticastSocket(net, net.vnet0, new FibHolder(bench.sim), 5353);
    bench.run(() => joinGroup(net, connected, { group: GROUP, index: ifp.index }));
    const from = (sourcePort: number) =>
      bench.run(() => hears(connected, { ifp, group: GROUP, source: ONE, sourcePort }));
    expect([from(5353), from(9)]).toEqual([true, false]);
  });

  test.each([[], [ONE], [TWO], [ONE, TWO]].map((list) => [list]))(
    'a list of %j passes or blocks what is on it',
    (list) => {
      const heardWith = (mode: 'exclude' | 'include') => {
        const filter = new SourceFilter(mode);
        for (const source of list) filter.add(source);
        return [ONE, TWO].filter((source) => filter.passes(source));
      };
      expect(heardWith('include')).toEqual(list);
      expect(heardWith('exclude')).toEqual([ONE, TWO].filter((source) => !list.includes(source)));
    },
  );
});

describe('the interface of a join', () => {
  test.each([
    ['nobody has the number', { index: 77 }, 'EADDRNOTAVAIL'],
    ['nobody has the address', { address: '10.0.0.9' }, 'EADDRNOTAVAIL'],
    ['it is no group', { group: '10.0.0.1', index: 1 }, 'EINVAL'],
    ['there is none to choose', {}, 'EADDRNOTAVAIL'],
  ])('%s', (_, request, errno) => {
    expect(member().join(request)).toBe(errno);
  });

  test('a number is one of the vnet of the socket', () => {
    const { bench } = member();
    const socket = openSocket(bench.net, bench.vnet('jail'));
    expect(bench.run(() => joinGroup(bench.net, socket, { group: GROUP, index: 1 }))).toBe('EADDRNOTAVAIL');
  });

  test('an interface that cannot do multicast is not joined on', () => {
    const { bench, ifp, join } = member();
    bench.run(() => ifp.flags.update((flags) => flags & ~IFF.MULTICAST));
    expect(join()).toBe('EADDRNOTAVAIL');
  });

  test('by an address of it', () => {
    const { bench, ifp, socket, join } = member();
    bench.run(() => addAddress(bench.net, ifp, '10.0.0.1/24'));
    expect([join({ address: '10.0.0.1' }), socket.memberships[0]?.inm.ifp]).toEqual([undefined, ifp]);
  });

  /** Two interfaces with addresses, of which the first is the loopback one. */
  function twoWays(fixes: Readonly<Record<string, boolean>> = {}): Members & { second: Ifnet } {
    const members = member(fixes);
    const { bench, ifp } = members;
    const second = bench.attached('d2');
    bench.run(() => ifp.flags.update((flags) => flags | IFF.LOOPBACK));
    bench.run(() => addAddress(bench.net, ifp, '127.0.0.1/8'));
    bench.run(() => addAddress(bench.net, second, '10.0.0.1/24'));
    return { ...members, second };
  }

  test('that which the route to the group leads to, in the FIB of the socket', () => {
    const { bench, ifp, socket, join } = twoWays();
    bench.run(() => addRoute(bench.net, bench.net.vnet0, '224.0.0.0/4', ifp));
    expect([join({}), socket.memberships[0]?.inm.ifp]).toEqual([undefined, ifp]);
  });

  test('without a route the first that can do multicast and is not loopback; before 2007 none', () => {
    const { second, socket, join } = twoWays();
    expect([join({}), socket.memberships[0]?.inm.ifp]).toEqual([undefined, second]);
    expect(twoWays({ 'join-without-route': false }).join({})).toBe('EADDRNOTAVAIL');
  });
});

test('the default of looping back is that of sockets whose options are made after it was changed', () => {
  const { bench, socket, join } = member();
  const { net } = bench;
  join();
  bench.run(() => net.multicast.loopByDefault.set(false));
  const later = openSocket(net, net.vnet0);
  expect(later.loop).toBeUndefined();
  bench.run(() => joinGroup(net, later, { group: GROUP, index: 1 }));
  expect([socket.loop, later.loop]).toEqual([true, false]);
});
