import { describe, expect, test } from 'vitest';
import { Lock } from '../../../../src/guest/freebsd/kern/lock.ts';
import type { LockClass } from '../../../../src/guest/freebsd/kern/witness.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

const A: LockClass = { name: 'a', kind: 'sx' };
const B: LockClass = { name: 'b', kind: 'sx' };
const C: LockClass = { name: 'c', kind: 'sx' };
const MUTEX: LockClass = { name: 'mutex', kind: 'mutex' };

/** Takes locks of these classes one inside of the other, each time anew. */
function nested(bench: IfnetBench, ...classes: LockClass[]): void {
  const locks = classes.map((each) => new Lock(bench.sim, bench.net.witness, each));
  bench.run(function* () {
    for (const lock of locks) yield* lock.lock();
    for (const lock of locks.reverse()) yield* lock.unlock();
  });
}

describe('the lock-order checker', () => {
  test('reports two classes that are taken both ways round, though nobody waits', () => {
    const bench = new IfnetBench();
    nested(bench, A, B);
    expect(bench.faults()).toEqual([]);
    nested(bench, B, A);
    expect(bench.faults()).toEqual(['reversal: b -> a']);
  });

  test('and through a third class', () => {
    const bench = new IfnetBench();
    nested(bench, A, B);
    nested(bench, B, C);
    nested(bench, C, A);
    expect(bench.faults()).toEqual(['reversal: c -> a']);
  });

  test('knows the orders of the interface layer from the start', () => {
    const bench = new IfnetBench();
    bench.run(function* () {
      yield* bench.net.ifnetLock.lock();
      yield* bench.net.detachLock.lock();
    });
    expect(bench.faults()).toEqual(['reversal: ifnet_sx -> ifnet_detach_sx']);
  });

  test('reports who may sleep under a mutex or in an epoch section', () => {
    const bench = new IfnetBench();
    nested(bench, MUTEX, A);
    bench.run(function* () {
      yield* bench.net.epoch.enter();
      yield* bench.net.ifnetLock.lock();
    });
    expect(bench.faults()).toEqual(['sleeps: mutex -> a', 'sleeps: net_epoch -> ifnet_sx']);
  });

  test('reports before the wait, so that a deadlock has its reversal in the trace', () => {
    const bench = new IfnetBench();
    const [a, b] = [A, B].map((each) => new Lock(bench.sim, bench.net.witness, each)) as [Lock, Lock];
    function* take(first: Lock, second: Lock) {
      yield* first.lock();
      yield* bench.sim.sleep(1, 'the other one');
      yield* second.lock();
    }
    bench.sim.spawn('ab', 'guest', take(a, b));
    bench.sim.spawn('ba', 'guest', take(b, a));
    bench.sim.run();
    expect(bench.faults()).toEqual(['reversal: b -> a']);
  });
});

describe('a sleepable lock', () => {
  test('is shared by readers and had by one writer', () => {
    const bench = new IfnetBench();
    const said: string[] = [];
    const { ifnetLock: lock } = bench.net;
    function* read(name: string) {
      yield* lock.lockShared();
      said.push(`${name} reads`);
      yield* bench.sim.sleep(10, 'its work');
      said.push(`${name} is done`);
      yield* lock.unlockShared();
    }
    bench.sim.spawn('one', 'guest', read('one'));
    bench.sim.spawn('two', 'guest', read('two'));
    bench.run(function* () {
      yield* lock.lock();
      said.push('the writer has it');
      yield* lock.unlock();
    });
    expect(said).toEqual(['one reads', 'two reads', 'one is done', 'two is done', 'the writer has it']);
  });

  test('is taken again by whoever has it, if it is recursive', () => {
    const bench = new IfnetBench();
    bench.run(function* () {
      yield* bench.net.detachLock.lock();
      yield* bench.net.detachLock.lock();
      yield* bench.net.detachLock.unlock();
      expect(bench.net.detachLock.isMine).toBe(true);
      yield* bench.net.detachLock.unlock();
      expect(bench.net.detachLock.isMine).toBe(false);
    });
    expect(bench.net.detachLock.peek()).toBe('free');
  });
});
