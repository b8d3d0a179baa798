import { describe, expect, test } from 'vitest';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import { addAddress, removeAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import type { AfData } from '../../../../src/guest/freebsd/netinet/af-data.ts';
import { deleteRoute } from '../../../../src/guest/freebsd/netinet/interface-routes.ts';
import { forgetNeighbour, learnNeighbour, neighbourOf } from '../../../../src/guest/freebsd/netinet/neighbours.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { type BenchOptions, IfnetBench, MAC } from '../net/ifnet-bench.ts';
import { gone, hiddenIn, NOTHING_HIDDEN, shown } from '../searching.ts';
import type { Build } from '../threads.ts';

const NEIGHBOURS = ['10.0.0.7', '10.0.1.7'];

/** An interface in two networks that knows a neighbour in each. */
function acquainted(options: BenchOptions = {}): { bench: IfnetBench; ifp: Ifnet } {
  const bench = new IfnetBench(options);
  const { net } = bench;
  const ifp = bench.attached('d1');
  for (const address of ['10.0.0.1/24', '10.0.1.1/24']) bench.run(() => addAddress(net, ifp, address));
  for (const address of NEIGHBOURS) bench.run(() => learnNeighbour(net, ifp, address, MAC));
  return { bench, ifp };
}

/** Which of the two it knows. */
const known = (bench: IfnetBench, ifp: Ifnet): boolean[] =>
  NEIGHBOURS.map((address) => bench.run(() => neighbourOf(bench.net, ifp, address)));

/** An answer comes in while the interface is taken away. */
const learntWhileDetached: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *input() {
        yield* net.epoch.enter();
        if (yield* net.vnet0.interfaces.has(ifp)) yield* learnNeighbour(net, ifp, '10.0.0.7', MAC);
        yield* net.epoch.exit();
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

/** The same by somebody who has it from its number, listed or not. */
const learntByNumber: Build = (bench) => {
  const { net } = bench;
  const ifp = bench.attached('d1');
  return {
    threads: {
      *input() {
        yield* net.epoch.enter();
        const slot = yield* net.vnet0.indices.look(ifp.index);
        if (slot.ifp !== undefined) yield* learnNeighbour(net, slot.ifp, '10.0.0.7', MAC);
        yield* net.epoch.exit();
      },
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

describe('neighbours apart from routes (F-7)', () => {
  test('a route that is deleted takes no neighbours with it, and a listing of routes shows none', () => {
    const { bench, ifp } = acquainted();
    const { net } = bench;
    expect(net.vnet0.routes.now.map(({ destination }) => destination)).toEqual(['10.0.0.1/24', '10.0.1.1/24']);
    bench.run(() => deleteRoute(net, net.vnet0, '10.0.0.0/24'));
    expect(known(bench, ifp)).toEqual([true, true]);
  });

  test('before 2008 a neighbour was a route, and went with the one of its network', () => {
    const { bench, ifp } = acquainted({ fixes: { 'neighbours-apart': false } });
    const { net } = bench;
    const destinations = net.vnet0.routes.now.map(({ destination }) => destination);
    expect(destinations).toEqual(['10.0.0.1/24', '10.0.1.1/24', ...NEIGHBOURS]);
    bench.run(() => deleteRoute(net, net.vnet0, '10.0.0.0/24'));
    expect(known(bench, ifp)).toEqual([false, true]);
  });

  test('a neighbour that is forgotten takes no route with it; a second time: ENXIO', () => {
    const { bench, ifp } = acquainted();
    const { net } = bench;
    const forget = () => bench.run(() => forgetNeighbour(net, ifp, '10.0.0.7'));
    expect([forget(), forget()]).toEqual([undefined, 'ENXIO']);
    expect(bench.run(() => net.vnet0.routes.find('10.0.0.7'))).toBe(ifp);
  });

  test('a network that goes takes those with it that are in it', () => {
    const { bench, ifp } = acquainted();
    bench.run(() => removeAddress(bench.net, ifp, '10.0.0.1'));
    expect(known(bench, ifp)).toEqual([false, true]);
  });

  test('a network that another address of the interface is in keeps them', () => {
    const { bench, ifp } = acquainted();
    bench.run(() => addAddress(bench.net, ifp, '10.0.0.2/24'));
    bench.run(() => removeAddress(bench.net, ifp, '10.0.0.1'));
    expect(known(bench, ifp)).toEqual([true, true]);
  });

  test("they end with the family's data", () => {
    const { bench, ifp } = acquainted();
    const table = ifp.afdata.inet.now?.lltable;
    expect(table?.size).toBe(2);
    bench.run(() => detachIfnet(bench.net, ifp));
    expect([table?.size, ifp.afdata.inet.now, bench.faults()]).toEqual([0, undefined, []]);
  });

  test('whoever comes by the list is awaited; whoever comes by the number finds the data freed, or leaves one behind', () => {
    expect(shown(learntWhileDetached, ['in-afdata-deferred'])).toMatchObject({ with: [], verdict: 'all' });
    expect(shown(learntByNumber, ['in-afdata-deferred'])).toEqual(
      gone([
        'if_detach: a neighbour outlives the inet data',
        'null dereference: if_afdata[inet] by lla_create',
        'use after free: in_ifinfo by lla_create',
      ]),
    );
  });

  test('routes are not touched with a table of neighbours locked: that is the wrong way round', () => {
    const { bench, ifp } = acquainted();
    function* wrongWayRound(): Task {
      const { lltable } = ifp.afdata.inet.now as AfData;
      yield* lltable.lock.lock();
      yield* bench.net.vnet0.routes.find('10.0.0.7');
      yield* lltable.lock.unlock();
    }
    expect(bench.faults()).toEqual([]);
    bench.run(wrongWayRound);
    expect(bench.faults()).toEqual(['reversal: lltable -> rib head lock']);
  });
});

test.each(Object.entries({ learntWhileDetached, learntByNumber }))(
  'no state of %s is hidden from the search',
  (_, build) => {
    expect(hiddenIn(build)).toEqual(NOTHING_HIDDEN);
  },
);
