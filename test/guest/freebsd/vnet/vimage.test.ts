import { describe, expect, test } from 'vitest';
import { addAddress } from '../../../../src/guest/freebsd/netinet/addresses.ts';
import type { VnetVariable } from '../../../../src/guest/freebsd/vnet/vnet-variables.ts';
import type { Cell } from '../../../../src/sim/cell.ts';
import { runShipped, runsOn, shipped, shippedScenarios, traceLine } from '../../../support/shipped.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

const GUEST = 'freebsd-14';

/** What happens in a scenario, on a kernel with VIMAGE or without it. */
function traceOf(name: string, vimage: boolean): string[] {
  const scenario = shipped(name, { guest: GUEST });
  const plan = { ...scenario.plan, fixes: { ...scenario.plan.fixes, vimage } };
  return runShipped({ ...scenario, plan }).events.map(traceLine);
}

/** Those that make no jail; the firmware update is left out for its length. */
const ofOneStack = shippedScenarios.filter(
  (name) => runsOn(name, GUEST) && name !== 'firmware-update' && !makesJail(name),
);

function makesJail(name: string): boolean {
  return shipped(name, { guest: GUEST }).steps.some(
    ({ body }) => body.kind === 'guest' && body.command.do === 'add-netns',
  );
}

describe('where there is one stack, a kernel without VIMAGE does what one with it does (F-5)', () => {
  test.each(ofOneStack)(
    '%s',
    (name) => {
      const without = traceOf(name, false);
      expect(without.length).toBeGreaterThan(50);
      expect(without).toEqual(traceOf(name, true));
    },
    60_000,
  );

  test('there are such scenarios', () => {
    expect(ofOneStack.length).toBeGreaterThan(8);
  });
});

describe('a new vnet begins as the reference copy says (F-6, INV-D4)', () => {
  test('and not as the first one is by now, and what is changed in one is changed in no other', () => {
    const bench = new IfnetBench({ fibs: 2 });
    const { net, vnets } = bench;
    const variable: VnetVariable<number> = { name: 'V_module', initial: 7, size: 8 };
    const ifp = bench.attached('d1');
    bench.run(() => vnets.variables.load(variable));
    bench.run(() => (vnets.variables.of(net.vnet0, variable) as Cell<number>).set(8));
    bench.run(() => net.vnet0.addressesInAllFibs.set(false));
    bench.run(() => addAddress(net, ifp, '10.0.0.1/24'));
    const jail = bench.vnet('jail');
    const seen = [net.vnet0, jail].map((vnet) => ({
      variable: vnets.variables.of(vnet, variable)?.now,
      inAll: vnet.addressesInAllFibs.now,
      routes: vnet.fibs.map(({ now }) => now.length),
      addresses: bench.run(() => vnet.addresses.all('inet')).length,
    }));
    expect(seen).toEqual([
      { variable: 8, inAll: false, routes: [1, 0], addresses: 1 },
      { variable: 7, inAll: true, routes: [0, 0], addresses: 0 },
    ]);
  });
});
