import { describe, expect, test } from 'vitest';
import { setFlags } from '../../../../src/guest/freebsd/net/flags.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import { output } from '../../../../src/guest/freebsd/net/output.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { addAddress, removeAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import { FibHolder, fibOf, setInterfaceFib } from '../../../../src/guest/freebsd/netinet/fib.ts';
import { addRoute, deleteRoute } from '../../../../src/guest/freebsd/netinet/interface-routes.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

const FIBS = 3;

/** A stack of three FIBs with an interface that has an address. */
function withAddress({ inAll = true, fib = 0 } = {}): { bench: IfnetBench; ifp: Ifnet } {
  const bench = new IfnetBench({ fibs: FIBS });
  const ifp = bench.attached('d1');
  bench.run(() => bench.net.vnet0.addressesInAllFibs.set(inAll));
  bench.run(() => setInterfaceFib(bench.net, ifp, fib));
  bench.run(() => addAddress(bench.net, ifp, '10.0.0.1/24'));
  return { bench, ifp };
}

/** By which interface each FIB reaches a neighbour of the interface. */
const reach = (bench: IfnetBench, address = '10.0.0.7') =>
  bench.net.vnet0.fibs.map((routes) => bench.run(() => routes.find(address))?.dev);

describe('routes of interfaces (F-1)', () => {
  test('every vnet has as many tables as the kernel was told to have, and one when it was told nothing (F-13)', () => {
    const counts = (bench: IfnetBench) => [bench.net.vnet0, bench.vnet('jail')].map(({ fibs }) => fibs.length);
    expect([counts(new IfnetBench({ fibs: FIBS })), counts(new IfnetBench())]).toEqual([
      [FIBS, FIBS],
      [1, 1],
    ]);
  });

  test("an address brings its network's route into every FIB, or into that of the interface alone", () => {
    expect(reach(withAddress().bench)).toEqual(['d1', 'd1', 'd1']);
    expect(reach(withAddress({ inAll: false, fib: 2 }).bench)).toEqual([undefined, undefined, 'd1']);
  });

  test('a program deletes it from one FIB; the others keep it, and code that knows of no others sees the first', () => {
    const { bench } = withAddress();
    const { net } = bench;
    expect(bench.run(() => deleteRoute(net, net.vnet0, '10.0.0.0/24', 1))).toBeUndefined();
    expect(bench.run(() => deleteRoute(net, net.vnet0, '10.0.0.0/24', 1))).toBe('ESRCH');
    expect(bench.run(() => deleteRoute(net, net.vnet0, '10.0.0.0/24', FIBS))).toBe('EINVAL');
    expect(reach(bench)).toEqual(['d1', undefined, 'd1']);
    expect(net.vnet0.routes).toBe(net.vnet0.fibs[0]);
  });

  test.each(['detached', 'moved to a jail'])('no FIB leads by what is %s', (what) => {
    const { bench, ifp } = withAddress();
    const { net } = bench;
    bench.run(() => addRoute(net, net.vnet0, '0.0.0.0/0', ifp, 2));
    bench.vnet('jail');
    bench.run(function* () {
      if (what === 'detached') yield* bench.remove(ifp);
      else yield* lendIfnet(net, net.vnet0, ifp.name, 'jail');
    });
    expect(net.vnet0.fibs.map((routes) => [routes.leadsBy(ifp), routes.now.length])).toEqual([
      [false, 0],
      [false, 0],
      [false, 0],
    ]);
  });

  test('messages say which FIB, and a socket that belongs to one hears of no other', () => {
    const bench = new IfnetBench({ fibs: 2 });
    const ifp = bench.attached('d1');
    const queue = bench.net.routing.subscribe('routed', 'vnet0', 1);
    const from = bench.events.length;
    bench.run(() => addAddress(bench.net, ifp, '10.0.0.1/24'));
    bench.run(() => bench.net.vnet0.addressesInAllFibs.set(false));
    bench.run(() => removeAddress(bench.net, ifp, '10.0.0.1')); // the policy is another one by now
    expect(bench.story('d1', from)).toEqual([
      'RTM_ADD 10.0.0.1/24 fib 0',
      'RTM_ADD 10.0.0.1/24 fib 1',
      'RTM_NEWADDR 10.0.0.1',
      'RTM_NEWMADDR 224.0.0.1',
      'RTM_DELETE 10.0.0.1/24 fib 0',
      'RTM_DELETE 10.0.0.1/24 fib 1',
      'RTM_DELADDR 10.0.0.1',
      'RTM_DELMADDR 224.0.0.1',
    ]);
    expect(queue.peek()).toBe(6);
  });

  test('the longest network that contains a destination counts', () => {
    const { bench } = withAddress();
    const { net } = bench;
    const [one, other] = [bench.attached('d2'), bench.attached('d3')];
    bench.run(() => addRoute(net, net.vnet0, '10.0.0.128/25', one));
    bench.run(() => addRoute(net, net.vnet0, '0.0.0.0/0', other));
    expect(['10.0.0.7', '10.0.0.200', '192.0.2.1', 'fe80::1'].map((address) => reach(bench, address)[0])).toEqual([
      'd1',
      'd2',
      'd3',
      undefined,
    ]);
  });

  test('two addresses of one network have one route, which the second brings when the first goes', () => {
    const { bench, ifp } = withAddress();
    const { net } = bench;
    const second = bench.attached('d2');
    bench.run(() => addAddress(net, second, '10.0.0.2/24'));
    expect(reach(bench)).toEqual(['d1', 'd1', 'd1']);
    bench.run(() => removeAddress(net, ifp, '10.0.0.1'));
    expect(reach(bench)).toEqual(['d2', 'd2', 'd2']);
  });

  test('they go from all FIBs while the interface is down, and come back', () => {
    const { bench, ifp } = withAddress();
    const seen = [IFF.UP, 0, IFF.UP].map((flags) => {
      bench.run(() => setFlags(bench.net, ifp, flags));
      return reach(bench);
    });
    const [all, none] = [Array(FIBS).fill('d1'), Array(FIBS).fill(undefined)];
    expect(seen).toEqual([all, none, all]);
  });
});

describe('the FIB of a packet (F-2)', () => {
  test('a process hands its own on to children and sockets, and later changes are of one alone', () => {
    const { net, sim } = new IfnetBench({ fibs: FIBS });
    const shell = new FibHolder(sim);
    expect(shell.set(net, 1)).toBeUndefined();
    const [child, socket] = [shell.hand(), shell.hand()];
    child.set(net, 2);
    expect([shell.fib, child.fib, socket.fib]).toEqual([1, 2, 1]);
  });

  test('an accepted connection has that of the socket that listens, and a tunnel that of whoever set it up', () => {
    const { net, sim } = new IfnetBench({ fibs: FIBS });
    const [listener, ifconfig] = [new FibHolder(sim), new FibHolder(sim, 2)];
    listener.set(net, 1);
    const [connection, tunnel] = [listener.hand(), ifconfig.hand()];
    for (const holder of [listener, ifconfig]) holder.set(net, 0);
    expect([connection.fib, fibOf({ socket: connection, tunnel })]).toEqual([1, 2]);
  });

  test('a classifier before what provoked it, before its socket, before the interface, before the first', () => {
    const { bench, ifp } = withAddress({ fib: 1 });
    const socket = new FibHolder(bench.sim, 2);
    const origins = [
      { classified: 0, provokedBy: 1, socket, cameBy: ifp },
      { provokedBy: 1, socket, cameBy: ifp },
      { socket, cameBy: ifp },
      { cameBy: ifp },
      {},
    ];
    expect(origins.map(fibOf)).toEqual([0, 1, 2, 1, 0]);
  });

  test.each([-1, 1.5, FIBS])('there is no FIB %d: EINVAL', (fib) => {
    const { bench, ifp } = withAddress();
    expect(bench.run(() => setInterfaceFib(bench.net, ifp, fib))).toBe('EINVAL');
    expect(new FibHolder(bench.sim).set(bench.net, fib)).toBe('EINVAL');
    expect(bench.run(() => addRoute(bench.net, bench.net.vnet0, '192.0.2.0/24', ifp, fib))).toBe('EINVAL');
  });

  test('a frame leaves by the route of its FIB, or by none', () => {
    const bench = new IfnetBench({ fibs: 2 });
    const { net } = bench;
    const sent: string[] = [];
    for (const dev of ['d1', 'd2'])
      bench.attached(dev, {
        methods: {
          *transmit() {
            sent.push(dev);
            return undefined;
          },
        },
      });
    const ways = [...net.vnet0.interfaces.now];
    for (const [fib, ifp] of ways.entries()) bench.run(() => addRoute(net, net.vnet0, '192.0.2.0/24', ifp, fib));
    bench.run(() => addRoute(net, net.vnet0, '198.51.100.0/24', ways[0] as Ifnet, 0));
    const send = (destination: string, socket: FibHolder) =>
      bench.run(() => output(net, { destination }, new Uint8Array(14), { socket }));
    const [first, second] = [new FibHolder(bench.sim, 0), new FibHolder(bench.sim, 1)];
    expect([send('192.0.2.1', first), send('192.0.2.1', second), send('198.51.100.1', second)]).toEqual([
      undefined,
      undefined,
      'ENXIO',
    ]);
    expect(sent).toEqual(['d1', 'd2']);
  });
});
