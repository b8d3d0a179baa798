/** The tap of an interface against detach and move (reference G-10). */
import { describe, expect, test } from 'vitest';
import { searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import { BpfDevices } from '../../../../src/guest/freebsd/net/bpf.ts';
import { setFlags } from '../../../../src/guest/freebsd/net/flags.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import { type Build, program } from '../threads.ts';
import { IfnetBench } from './ifnet-bench.ts';

const FRAME = new Uint8Array(60);

/** An interface goes to a jail, where it is brought up and a frame comes in. */
const moved: Build = (bench) => {
  const { net } = bench;
  const jail = bench.vnet('jail');
  const ifp = bench.attached('d1');
  return {
    threads: {
      *mover() {
        yield* lendIfnet(net, net.vnet0, 'em1', 'jail');
        yield* net.curvnet.within(jail, setFlags(net, ifp, IFF.UP));
      },
      *driver() {
        yield* net.epoch.enter();
        yield* bench.stack.etherInput(ifp, FRAME);
        yield* net.epoch.exit();
      },
    },
  };
};

const ejected: Build = (bench) => {
  const ifp = bench.attached('d1');
  return {
    threads: {
      *eject() {
        yield* bench.remove(ifp);
      },
    },
  };
};

const search = (build: Build, fixed: boolean) =>
  searchOrders(program({ profile: 'freebsd-14', fixes: { 'bpf-own-tap': fixed } }, build), {
    ...USUAL_OPTIONS,
    strategy: 'reduced',
  });

describe('a tap that is freed later', () => {
  test.each([
    ['takes the new tap of an interface that has moved', moved, 'null dereference: if_bpf by bpf_mtap', 8],
    ['is looked for in an interface that is gone', ejected, 'use after free: ifnet by bpf_ifdetach', 1],
  ] as const)('%s', (_, build, fault, orders) => {
    expect(search(build, false).found.map(({ key }) => key)).toEqual([fault]);
    const { verdict, found, searched } = search(build, true);
    expect({ verdict, found, orders: searched?.orders }).toEqual({ verdict: 'all', found: [], orders });
  });

  test.each([moved, ejected])('no state is hidden from the search', (build) => {
    for (const fixed of [true, false]) {
      const searched = program({ fixes: { 'bpf-own-tap': fixed } }, build, { searchesSetUp: true });
      expect([1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined, undefined]);
    }
  });
});

test('a descriptor hears nothing any more, and cannot send, when its interface has moved', () => {
  const bench = new IfnetBench();
  const { net, sim } = bench;
  bench.vnet('jail');
  const ifp = bench.attached('d1');
  const devices = new BpfDevices(sim, net);
  const opened = bench.run(() => open());
  function* open() {
    return yield* devices.open('em1', 'tcpdump');
  }
  if (!opened.ok) return expect.unreachable();
  const { received, send } = opened.value;
  const frameUp = (): void => {
    bench.run(function* () {
      yield* setFlags(net, ifp, IFF.UP);
      yield* bench.stack.etherInput(ifp, FRAME);
    });
  };
  frameUp();
  expect(bench.run(() => send(FRAME))).toEqual({ ok: true, value: undefined });
  bench.run(() => lendIfnet(net, net.vnet0, 'em1', 'jail'));
  frameUp();
  expect(received.length).toBe(1);
  expect(bench.run(() => send(FRAME))).toEqual({ ok: false, error: 'ENXIO' });
});
