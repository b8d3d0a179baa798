/** Drivers that need Giant (reference F-11). */
import { describe, expect, test } from 'vitest';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import { allocateIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import type { IfMethods } from '../../../../src/guest/freebsd/net/ifnet.ts';
import type { FreebsdNet } from '../../../../src/guest/freebsd/net.ts';
import { Cell } from '../../../../src/sim/cell.ts';
import { findStuck } from '../../../../src/sim/stuck.ts';
import { type BenchOptions, IfnetBench } from '../net/ifnet-bench.ts';
import { type Build, program } from '../threads.ts';

const FRAME = new Uint8Array(14);

/** A driver that trusts that there is only one of it: it notes when a second thread is in it. */
function legacy(net: FreebsdNet) {
  const inside = new Cell(net.sim, 'threads in the driver', 0);
  const seen = { overlap: false, frames: 0 };
  function* work() {
    if ((yield* inside.update((n) => n + 1)) > 1) seen.overlap = true;
    yield* inside.update((n) => n - 1);
  }
  const methods: IfMethods = {
    *ioctl() {
      yield* work();
      return undefined;
    },
    *transmit() {
      yield* work();
      seen.frames++;
      return undefined;
    },
  };
  return { seen, methods };
}

const made = (bench: IfnetBench, methods: IfMethods, needsGiant: boolean) =>
  bench.run(() =>
    allocateIfnet(bench.net, {
      dev: 'd1',
      type: 'ether',
      dname: 'ed',
      dunit: 0,
      flags: 0,
      methods,
      ...(needsGiant ? { needsGiant } : {}),
    }),
  );

/** Two requests and a frame at once, for a driver that does or does not say what it needs. */
const busy =
  (needsGiant: boolean): Build =>
  (bench) => {
    const { seen, methods } = legacy(bench.net);
    const ifp = made(bench, methods, needsGiant);
    if (!ifp.ok) throw new Error(ifp.error);
    const { ioctl, transmit } = ifp.value.methods.now;
    function* request() {
      yield* ioctl({ request: 'SIOCSIFFLAGS' });
    }
    return {
      threads: {
        one: request,
        two: request,
        *sender() {
          yield* transmit(FRAME);
        },
      },
      judge: () => {
        if (seen.frames !== 1) return { key: 'not started', text: 'the frame was not sent' };
        return seen.overlap ? { key: 'overlap', text: 'two threads are in the driver' } : undefined;
      },
    };
  };

/** The driver waits in a method for a lock whose owner is about to enter the driver. `dropped`: as a kernel waits. */
const waiting =
  (dropped: boolean): Build =>
  (bench) => {
    const { net } = bench;
    function* locked() {
      yield* net.detachLock.lock();
      yield* net.detachLock.unlock();
    }
    const ifp = made(
      bench,
      {
        *ioctl({ request }) {
          if (request === 'SIOCADDMULTI') yield* dropped ? net.giant.asleep(locked()) : locked();
          return undefined;
        },
        *transmit() {
          return undefined;
        },
      },
      true,
    );
    if (!ifp.ok) throw new Error(ifp.error);
    const { ioctl } = ifp.value.methods.now;
    return {
      threads: {
        *one() {
          yield* ioctl({ request: 'SIOCADDMULTI' });
        },
        *two() {
          yield* net.detachLock.lock();
          yield* ioctl({ request: 'SIOCSIFFLAGS' });
          yield* net.detachLock.unlock();
        },
      },
      judge: () => {
        const ring = findStuck(net.sim)?.cycle ?? [];
        return ring.length > 0 ? { key: 'deadlock', text: ring.join(' -> ') } : undefined;
      },
    };
  };

const SHIM = { 'giant-drivers-refused': false } as const;
const explore = (build: Build, fixes: BenchOptions['fixes'] = SHIM): Exploration =>
  searchOrders(program({ profile: 'freebsd-13', fixes }, build), { ...USUAL_OPTIONS, strategy: 'reduced' });
const keysOf = ({ found }: Exploration): string[] => found.map(({ key }) => key).sort();

describe('with the shim', () => {
  test('a driver that does not ask for it has two threads in it', () => {
    expect(keysOf(explore(busy(false)))).toEqual(['overlap']);
  });

  test('one that does has one at a time in all orders, and its frame is started by a task', () => {
    const { verdict, found, searched } = explore(busy(true));
    expect({ verdict, found, orders: searched?.orders }).toEqual({ verdict: 'all', found: [], orders: 6 });
  });

  test('who sleeps in such a driver has let go of Giant, so that nobody waits for ever', () => {
    expect(keysOf(explore(waiting(false)))).toContain('deadlock');
    const { verdict, found, searched } = explore(waiting(true));
    expect({ verdict, found, orders: searched?.orders }).toEqual({ verdict: 'all', found: [], orders: 4 });
  });
});

test('without the shim such a driver is refused, and the others are not', () => {
  const bench = new IfnetBench({ profile: 'freebsd-13' });
  const { methods } = legacy(bench.net);
  expect(made(bench, methods, true)).toEqual({ ok: false, error: 'EOPNOTSUPP' });
  expect(bench.events.at(-1)).toMatchObject({ kind: 'netdev.error', dev: 'd1', errno: 'EOPNOTSUPP' });
  expect(made(bench, methods, false)).toMatchObject({ ok: true });
});

test.each([
  ['a busy driver', busy(true)],
  ['one that waits', waiting(true)],
])('no state is hidden from the search: %s', (_, build) => {
  const searched = program({ profile: 'freebsd-13', fixes: SHIM }, build, { searchesSetUp: true });
  expect([1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined, undefined]);
});
