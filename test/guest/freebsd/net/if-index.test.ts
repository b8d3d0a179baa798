import { describe, expect, test } from 'vitest';
import { freeIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import { byIndex, byIndexGeneration } from '../../../../src/guest/freebsd/net/lookup.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { IfnetBench } from './ifnet-bench.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `d${i + 1}`);

describe('one table for all', () => {
  test('numbers begin with one, the lowest free one is given again, and the table grows by doubling', () => {
    const bench = new IfnetBench();
    const made = names(8).map((dev) => bench.attached(dev));
    expect(made.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const { indices } = bench.net.vnet0;
    expect([indices.capacity, indices.highest]).toEqual([16, 8]);
    const [, second, third] = made;
    for (const ifp of [second, third]) if (ifp !== undefined) bench.run(() => bench.remove(ifp));
    expect(bench.attached('d9').index).toBe(2);
  });

  test('the high-water mark falls past empty slots, and the generation of a slot counts its tenants', () => {
    const bench = new IfnetBench();
    const [first, second, third] = names(3).map((dev) => bench.attached(dev));
    if (first === undefined || second === undefined || third === undefined) return expect.unreachable();
    bench.run(() => bench.remove(second));
    bench.run(() => bench.remove(third));
    expect(bench.net.vnet0.indices.highest).toBe(1);
    expect([second.generation, bench.attached('d4').generation]).toEqual([0, 1]);
  });

  test('a jail begins anywhere, and its count is the highest of its numbers, found by going through all', () => {
    const bench = new IfnetBench();
    for (const dev of names(4)) bench.attached(dev);
    const jail = bench.vnet('jail');
    expect(bench.attached('d5', { vnet: jail }).index).toBe(5);
    bench.attached('d6');
    expect(jail.highestNumber).toBe(5);
    jail.indices.tellCount(jail.highestNumber);
    const scans = bench.events.filter(({ kind }) => kind === 'ifindex.scan');
    expect(scans.at(-1)).toMatchObject({ what: 'ifcount', scanned: 6, found: 5 });
  });

  test('a number is kept over a move, and then answers in the other vnet only', () => {
    const bench = new IfnetBench();
    const jail = bench.vnet('jail');
    const ifp = bench.attached('d1');
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'));
    const { net } = bench;
    expect(ifp.index).toBe(1);
    expect(bench.run(() => byIndex(net, net.vnet0, 1))).toBeUndefined();
    expect(bench.run(() => byIndex(net, jail, 1))).toBe(ifp);
    expect(bench.run(() => byIndex(net, undefined, 1))).toBe(ifp);
    expect([net.vnet0.highestNumber, jail.highestNumber]).toEqual([0, 1]);
  });

  test('what a packet remembers of an interface is not another one, until the generation wraps', () => {
    const bench = new IfnetBench();
    const { net } = bench;
    const first = bench.attached('d1');
    const { index, generation } = first;
    bench.run(() => bench.remove(first));
    const second = bench.attached('d2');
    expect(second.index).toBe(index);
    expect(bench.run(() => byIndexGeneration(net, net.vnet0, { index, generation }))).toBeUndefined();
    const wrapped = (fixed: boolean): boolean => {
      const other = new IfnetBench({ fixes: { 'wide-generation': fixed } });
      other.run(function* () {
        const { indices } = other.net.vnet0;
        const stranger = yield* other.allocate('d1');
        for (let i = 0; i < 2 ** 16; i++) {
          yield* indices.clear(1, stranger);
          yield* indices.publish(1, stranger);
        }
      });
      const vnet = other.net.vnet0;
      return other.run(() => byIndexGeneration(other.net, vnet, { index: 1, generation: 0 })) !== undefined;
    };
    expect([wrapped(false), wrapped(true)]).toEqual([true, false]);
  });
});

describe('a table each vnet', () => {
  test('each begins with one, and a move gives another number: departure tells the old one, arrival the new', () => {
    const bench = new IfnetBench({ index: 'per-vnet' });
    const jail = bench.vnet('jail');
    bench.attached('d1', { vnet: jail });
    const [, ifp] = ['d2', 'd3'].map((dev) => bench.attached(dev));
    const from = bench.events.length;
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em3', 'jail'));
    expect(ifp?.index).toBe(2);
    bench.attached('d4');
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em2', 'jail'));
    const told = bench.events.slice(from).filter(({ kind }) => kind === 'routing');
    const announced = told.flatMap((event) =>
      event.kind === 'routing' && event.message === 'RTM_IFANNOUNCE'
        ? [`${event.ifname} ${event.what} ${event.ifindex} ${event.vnet}`]
        : [],
    );
    expect(announced).toEqual([
      'em3 departure 2 vnet0',
      'em3 arrival 2 jail',
      'em4 arrival 2 vnet0',
      'em2 departure 1 vnet0',
      'em2 arrival 3 jail',
    ]);
  });
});

describe('when all numbers are taken', () => {
  const exhausted = (index: 'global' | 'per-vnet', checked = false) => {
    const bench = new IfnetBench({ index, indexMost: 3, fixes: { 'index-limit': checked } });
    const jail = bench.vnet('jail');
    for (const dev of names(3)) bench.attached(dev, { vnet: jail });
    return bench;
  };

  test('of one table for all, the host gets the number 0, and the next one looks for ever with the lock held', () => {
    const bench = exhausted('global');
    expect(bench.attached('d4').index).toBe(0);
    bench.attached('d5');
    expect(bench.faults()).toEqual([
      'kernel.spin: ifindex_alloc: all numbers are taken, and the search wraps for ever',
    ]);
    expect(bench.net.ifnetLock.peek()).toBe('test');
  });

  test('of a table each vnet, the host does not mind, but a jail that goes on freezes it all the same', () => {
    const bench = exhausted('per-vnet');
    expect(bench.attached('d4').index).toBe(1);
    const jail = bench.net.vnetOf('jail');
    if (jail === undefined) return expect.unreachable();
    bench.attached('d5', { vnet: jail });
    bench.attached('d6', { vnet: jail });
    expect(bench.faults()).toHaveLength(1);
    expect(bench.attached('d7')).toBeUndefined();
  });

  test('where that is looked at, an allocation fails with ENOSPC, and the machine goes on', () => {
    const bench = exhausted('global', true);
    expect(() => bench.run(() => bench.allocate('d4'))).toThrow('no d4: ENOSPC');
    expect(bench.events.at(-1)).toMatchObject({ kind: 'netdev.error', dev: 'd4', what: 'if_alloc', errno: 'ENOSPC' });
  });
});

test('a number that is given back can be had at once, while the old interface is still there', () => {
  const bench = new IfnetBench();
  const ifp = bench.attached('d1');
  bench.run(function* () {
    yield* ifp.references.acquire();
    yield* detachIfnet(bench.net, ifp);
    yield* freeIfnet(bench.net, ifp);
  });
  expect([bench.attached('d2').index, ifp.index, ifp.state]).toEqual([1, 1, 'zombie']);
});
