import { describe, expect, test } from 'vitest';
import { setFlags } from '../../../../src/guest/freebsd/net/flags.ts';
import { onInterface, setMtu } from '../../../../src/guest/freebsd/net/ioctl.ts';
import { lendIfnet, reclaimIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import type { Subsystem } from '../../../../src/guest/freebsd/vnet/vnet.ts';
import type { VnetPart } from '../../../../src/guest/freebsd/vnet/vnets.ts';
import { IFF } from '../../../../src/guest/uapi/freebsd.ts';
import { IfnetBench } from '../net/ifnet-bench.ts';

describe('a vnet that comes and goes', () => {
  /** A part that notes what becomes of it. */
  const part = (said: string[], subsystem: Subsystem): VnetPart => ({
    name: subsystem,
    subsystem,
    *construct({ name }) {
      said.push(`+${subsystem} ${name}`);
    },
    *destruct({ name }) {
      said.push(`-${subsystem} ${name}`);
    },
  });

  test('its parts are constructed in order, and destructed in the reverse one', () => {
    const bench = new IfnetBench();
    const said: string[] = [];
    for (const subsystem of ['PSEUDO', 'EVENTHANDLER', 'PROTO_DOMAIN'] as const)
      bench.vnets.preset(part(said, subsystem));
    const jail = bench.vnet('jail');
    bench.run(() => bench.vnets.destroy(jail));
    expect(said).toEqual([
      '+EVENTHANDLER jail',
      '+PSEUDO jail',
      '+PROTO_DOMAIN jail',
      '-PROTO_DOMAIN jail',
      '-PSEUDO jail',
      '-EVENTHANDLER jail',
    ]);
    expect([jail.state, bench.net.vnetOf('jail')]).toEqual(['destroyed', undefined]);
    expect(bench.faults()).toEqual([]);
  });

  test('a part that a module brings is constructed in all vnets that there are', () => {
    const bench = new IfnetBench();
    const said: string[] = [];
    bench.vnet('jail');
    const late = part(said, 'PSEUDO');
    bench.run(() => bench.vnets.register(late));
    bench.run(() => bench.vnets.deregister(late));
    expect(said).toEqual(['+PSEUDO vnet0', '+PSEUDO jail', '-PSEUDO vnet0', '-PSEUDO jail']);
  });

  test('foreign interfaces go home as they are, and one whose name is taken there has a namesake', () => {
    const bench = new IfnetBench();
    const jail = bench.vnet('jail');
    const ifp = bench.attached('d1');
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'));
    const twin = bench.attached('d2', { dunit: 1 });
    bench.run(() => bench.vnets.destroy(jail));
    expect([...bench.net.vnet0.interfaces.now]).toEqual([twin, ifp]);
    expect([ifp.name, twin.name, ifp.state]).toEqual(['em1', 'em1', 'attached']);
    expect(bench.net.vnet0.count).toBe(2);
    expect(bench.faults()).toEqual([]);
  });

  test('a count that is wrong makes the room for those who go home too small', () => {
    const bench = new IfnetBench();
    const jail = bench.vnet('jail');
    bench.attached('d1');
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'));
    jail.count--;
    bench.run(() => bench.vnets.destroy(jail));
    expect(bench.faults()).toEqual(['overflow: room for 0 interfaces by vnet_if_return']);
  });

  test('while it ends, requests in it get EBUSY', () => {
    const bench = new IfnetBench();
    const jail = bench.vnet('jail');
    const errnos: unknown[] = [];
    bench.vnets.preset({
      name: 'asker',
      subsystem: 'PSEUDO',
      *destruct() {
        errnos.push(yield* onInterface(bench.net, jail, 'em1', 'SIOCSIFMTU', (ifp) => setMtu(bench.net, ifp, 1400)));
        errnos.push(yield* lendIfnet(bench.net, jail, 'em1', 'vnet0'));
      },
    });
    bench.run(() => bench.vnets.destroy(jail));
    expect(errnos).toEqual(['EBUSY', 'EBUSY']);
  });
});

describe("a vnet's own data", () => {
  const ttl = { name: 'V_ip_defttl', initial: 64, size: 4 } as const;

  test('comes from the reference copy, and not from the default vnet', () => {
    const bench = new IfnetBench();
    const { variables } = bench.vnets;
    variables.define(ttl);
    const own = variables.of(bench.net.vnet0, ttl);
    bench.run(function* () {
      yield* own?.set(1 as 64) as ReturnType<NonNullable<typeof own>['set']>;
    });
    const jail = bench.vnet('jail');
    expect([own?.now, variables.of(jail, ttl)?.now]).toEqual([1, 64]);
    bench.run(() => bench.vnets.destroy(jail));
    expect(variables.of(jail, ttl)).toBeUndefined();
  });

  test('of modules has 8 KiB: what is too much is refused, and what goes makes room', () => {
    const bench = new IfnetBench();
    const { variables } = bench.vnets;
    const [large, other] = ['large', 'other'].map((name) => ({ name, initial: 0, size: 5000 }));
    if (large === undefined || other === undefined) return expect.unreachable();
    const load = (variable: typeof large) => bench.run(() => variables.load(variable));
    expect([load(large), load(other)]).toEqual([undefined, 'ENOSPC']);
    variables.unload(large);
    expect(load(other)).toBeUndefined();
    expect(variables.of(bench.vnet('jail'), other)?.now).toBe(0);
  });
});

describe('an interface that is lent to a jail', () => {
  test('departs here and arrives there, with its MAC and down, and devd of the host hears only of its end', () => {
    const bench = new IfnetBench();
    bench.vnet('jail');
    const ifp = bench.attached('d1');
    bench.run(() => setFlags(bench.net, ifp, IFF.UP));
    const from = bench.events.length;
    expect(bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'))).toBeUndefined();
    expect(bench.story('d1', from)).toEqual([
      'out of name',
      'moving',
      '-UP',
      'RTM_IFINFO',
      'RTM_IFANNOUNCE departure',
      'devctl IFNET DETACH',
      'in name',
      'attached',
      'RTM_IFANNOUNCE arrival',
    ]);
    expect([ifp.mac, ifp.index, ifp.homeVnet?.name]).toEqual(['00:0d:3a:00:00:01', 1, 'vnet0']);
  });

  test('can be taken back', () => {
    const bench = new IfnetBench();
    bench.vnet('jail');
    const ifp = bench.attached('d1');
    bench.run(() => lendIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'));
    expect(bench.run(() => reclaimIfnet(bench.net, bench.net.vnet0, 'em1', 'jail'))).toBeUndefined();
    expect([...bench.net.vnet0.interfaces.now]).toEqual([ifp]);
  });

  test.each([
    ['lend to no such jail', 'ENXIO'],
    ['lend to the same vnet', 'EEXIST'],
    ['lend where the name is taken', 'EEXIST'],
    ['lend what is not there', 'ENXIO'],
    ['reclaim from no such jail', 'ENXIO'],
    ['reclaim what is not there', 'ENXIO'],
    ['reclaim from the same vnet', 'EEXIST'],
  ])('%s: %s', (what, errno) => {
    const bench = new IfnetBench();
    const { net } = bench;
    const jail = bench.vnet('jail');
    bench.attached('d1');
    if (what.endsWith('taken')) bench.attached('d2', { dunit: 1, vnet: jail });
    const requests: Record<string, () => ReturnType<typeof lendIfnet>> = {
      'lend to no such jail': () => lendIfnet(net, net.vnet0, 'em1', 'nobody'),
      'lend to the same vnet': () => lendIfnet(net, net.vnet0, 'em1', 'vnet0'),
      'lend where the name is taken': () => lendIfnet(net, net.vnet0, 'em1', 'jail'),
      'lend what is not there': () => lendIfnet(net, net.vnet0, 'em9', 'jail'),
      'reclaim from no such jail': () => reclaimIfnet(net, net.vnet0, 'em1', 'nobody'),
      'reclaim what is not there': () => reclaimIfnet(net, net.vnet0, 'em1', 'jail'),
      'reclaim from the same vnet': () => reclaimIfnet(net, net.vnet0, 'em1', 'vnet0'),
    };
    expect(bench.run(requests[what] as () => ReturnType<typeof lendIfnet>)).toBe(errno);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'netdev.error', errno });
    expect(bench.net.vnet0.count).toBe(1);
  });
});
