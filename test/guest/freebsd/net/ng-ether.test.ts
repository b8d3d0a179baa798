/** Netgraph's nodes of Ethernet interfaces (reference A.7, A.13, G-45). */
import { expect, test } from 'vitest';
import { renameIfnet } from '../../../../src/guest/freebsd/net/rename.ts';
import { lendIfnet, reclaimIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { IfnetBench } from './ifnet-bench.ts';

function loaded(fixes: { 'ng-node-named-once'?: boolean } = {}) {
  const bench = new IfnetBench({ fixes });
  const ifp = bench.attached('d1');
  bench.run(() => bench.net.ngEther.module.load());
  const warnings = (): string[] =>
    bench.events.flatMap((event) => (event.kind === 'log' && event.level === 'warn' ? [event.text] : []));
  return { bench, ifp, net: bench.net, warnings };
}

test('a node follows the name of its interface, and nobody is told', () => {
  const { bench, ifp, net, warnings } = loaded();
  bench.run(() => renameIfnet(net, ifp, 'wan'));
  const other = bench.attached('d2');
  bench.run(() => renameIfnet(net, other, 'em1'));
  expect(warnings()).toEqual([]);
});

test.each([
  [
    false,
    ["ng_ether_ifnet_arrival_event: can't re-name node em1", "ng_ether_ifnet_arrival_event: can't re-name node em1"],
  ],
  [true, []],
] as const)('behind a move it is named a second time (G-45), unless that is looked for: %s', (looks, expected) => {
  const { bench, net, warnings } = loaded({ 'ng-node-named-once': looks });
  bench.vnet('jail');
  bench.run(() => lendIfnet(net, net.vnet0, 'em1', 'jail'));
  bench.run(() => reclaimIfnet(net, net.vnet0, 'em1', 'jail'));
  expect(warnings()).toEqual(expected);
});

test('a name is free again when its interface or the module has gone', () => {
  const { bench, ifp, net, warnings } = loaded();
  bench.run(() => bench.remove(ifp));
  const next = bench.attached('d2');
  bench.run(() => renameIfnet(net, next, 'em1'));
  bench.run(() => net.ngEther.module.unload());
  bench.run(() => net.ngEther.module.load());
  expect(warnings()).toEqual([]);
});

test('two interfaces of one name: the second one has a node without a name', () => {
  const { bench, ifp, net, warnings } = loaded();
  bench.attached('d2', { dname: ifp.dname, dunit: ifp.dunit ?? 0 });
  expect(warnings()).toEqual(["can't name node em1"]);
  expect([...net.vnet0.interfaces.now].filter(({ name }) => name === 'em1')).toHaveLength(2);
});
