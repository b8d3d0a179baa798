import { expect, test } from 'vitest';
import { freeIfnet, releaseIfnet } from '../../../../src/guest/freebsd/net/allocate.ts';
import { etherAttach } from '../../../../src/guest/freebsd/net/attach.ts';
import { detachIfnet } from '../../../../src/guest/freebsd/net/detach.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import {
  byIndex,
  byIndexAttached,
  byIndexGeneration,
  byIndexReferenced,
  byNameReferenced,
} from '../../../../src/guest/freebsd/net/lookup.ts';
import { renameIfnet } from '../../../../src/guest/freebsd/net/rename.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import { IfnetBench, MAC } from './ifnet-bench.ts';

/** What each look-up of the table A.14 finds: n(ame), N(ame with a reference), i(ndex), I(ndex with one), a(ttached), g. */
function* found({ net }: IfnetBench, ifp: Ifnet): Task<string> {
  const { vnet0 } = net;
  const { index, generation, name } = ifp;
  const is = (letter: string, one: Ifnet | undefined): string => (one === ifp ? letter : '-');
  const held = yield* byNameReferenced(net, vnet0, name);
  const byRef = yield* byIndexReferenced(net, vnet0, index);
  if (held !== undefined) yield* releaseIfnet(net, held);
  if (byRef !== undefined) yield* releaseIfnet(net, byRef);
  return [
    is('n', yield* vnet0.interfaces.find(name)),
    is('N', held),
    is('i', yield* byIndex(net, vnet0, index)),
    is('I', byRef),
    is('a', yield* byIndexAttached(net, vnet0, index)),
    is('g', yield* byIndexGeneration(net, vnet0, { index, generation })),
  ].join('');
}

test('which look-up finds an interface in which part of its life (A.14)', () => {
  const bench = new IfnetBench();
  const { net } = bench;
  bench.vnet('jail');
  const table: Record<string, string> = {};
  bench.run(() =>
    net.events.register('ifnet_departure_event', {
      name: 'look',
      priority: 5,
      *handle(ifp) {
        table[ifp.state] = yield* found(bench, ifp);
      },
    }),
  );
  const moving = bench.attached('d2');
  bench.run(function* () {
    const ifp = yield* bench.allocate('d1');
    table[ifp.state] = yield* found(bench, ifp);
    yield* etherAttach(net, ifp, MAC);
    table[ifp.state] = yield* found(bench, ifp);
    yield* renameIfnet(net, ifp, 'wan');
    yield* ifp.references.acquire();
    yield* detachIfnet(net, ifp);
    yield* lendIfnet(net, net.vnet0, moving.name, 'jail');
    yield* freeIfnet(net, ifp);
    table[ifp.state] = yield* found(bench, ifp);
  });
  table['in the jail'] = bench.run(() => found(bench, moving));
  expect(table).toEqual({
    allocated: '--iI-g',
    attached: 'nNiIag',
    renaming: 'nNiIag',
    unlinked: '--i--g',
    moving: '--iI-g',
    zombie: '------',
    'in the jail': '-----g',
  });
});

test('with the remedies a reference is given only of what is attached, and a generation only in its vnet', () => {
  const bench = new IfnetBench({ profile: 'ideal' });
  bench.vnet('jail');
  const moving = bench.attached('d1');
  const before = bench.run(function* () {
    return yield* found(bench, yield* bench.allocate('d2'));
  });
  bench.run(() => lendIfnet(bench.net, bench.net.vnet0, moving.name, 'jail'));
  expect([before, bench.run(() => found(bench, moving))]).toEqual(['--i--g', '------']);
});
