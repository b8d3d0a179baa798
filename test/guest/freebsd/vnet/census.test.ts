/** What is left of a vnet when it has ended (reference F-14, INV-D3). */
import { describe, expect, test } from 'vitest';
import { searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import { setLinkState } from '../../../../src/guest/freebsd/net/link.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';
import { type Build, program } from '../threads.ts';

const PLACEHOLDERS = { 'destructors-complete': false } as const;

/** A jail that has an interface ends while a fragment comes in there. */
const fragmentAgainstEnd: Build = (bench) => {
  const { net, stack } = bench;
  const jail = bench.vnet('jail');
  const ifp = bench.attached('d1');
  bench.run(() => lendIfnet(net, net.vnet0, ifp.name, 'jail'));
  return {
    threads: {
      *end() {
        yield* bench.vnets.destroy(jail);
      },
      *input() {
        yield* net.epoch.enter();
        if (yield* jail.interfaces.has(ifp)) yield* stack.reassembly.add(ifp);
        yield* net.epoch.exit();
      },
    },
  };
};

const search = (fixes: Record<string, boolean>) =>
  searchOrders(program({ profile: 'freebsd-13', fixes }, fragmentAgainstEnd), {
    ...USUAL_OPTIONS,
    strategy: 'reduced',
  });

describe('a destructor that is a placeholder', () => {
  test('leaves what is queued, and a timer that goes off when there is no such vnet', () => {
    const { found } = search(PLACEHOLDERS);
    expect(found.map(({ key }) => key).sort()).toEqual([
      'ipreass_timeout in jail, which is no more',
      'jail ends with objects of ipreass',
      'jail ends with timers of ipreass',
    ]);
  });

  test('in no order when it is complete', () => {
    const { verdict, found, searched } = search({});
    expect({ verdict, found, orders: searched?.orders }).toEqual({ verdict: 'all', found: [], orders: 7 });
  });

  test.each([PLACEHOLDERS, {}])('no state is hidden from the search: %o', (fixes) => {
    const searched = program({ profile: 'freebsd-13', fixes }, fragmentAgainstEnd, { searchesSetUp: true });
    expect([1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined, undefined]);
  });
});

test('a census counts what a vnet has, part by part, and nothing before and after', () => {
  const bench = new IfnetBench();
  const { net, vnets, stack } = bench;
  const jail = net.newVnet('jail');
  const none = new Map([...vnets.censusOf(jail)].map(([what]) => [what, 0]));
  expect(vnets.censusOf(jail)).toEqual(none);

  const live = bench.vnet('jail');
  vnets.variables.define({ name: 'V_ip_defttl', initial: 64, size: 4 });
  const ifp = bench.attached('d1');
  bench.run(() => lendIfnet(net, net.vnet0, 'em1', 'jail'));
  function* sleep() {
    yield* bench.sim.sleep(1, 'its work');
  }
  let busy: ReturnType<typeof vnets.censusOf> = none;
  bench.run(function* () {
    yield* stack.reassembly.add(ifp);
    yield* stack.reassembly.add(ifp);
    yield* net.taskqueue.enqueue({ name: 'blocker', body: sleep });
    yield* setLinkState(net, ifp, 'up');
    busy = vnets.censusOf(live);
  }, live);
  expect(Object.fromEntries(busy)).toEqual({
    'interfaces on its list': 1,
    'interface groups': 1,
    variables: 1,
    'objects of ipreass': 2,
    'timers of ipreass': 1,
    'tasks of vnet_if_return': 1,
  });

  bench.run(() => vnets.destroy(live));
  expect(vnets.censusOf(live)).toEqual(none);
  expect(bench.faults()).toEqual([]);
});
