import { describe, expect, test } from 'vitest';
import type { CloneType } from '../../../../src/guest/freebsd/clone/cloner.ts';
import { createClone } from '../../../../src/guest/freebsd/clone/create.ts';
import { clonerPart } from '../../../../src/guest/freebsd/clone/register.ts';
import { type CloneKind, cloneType } from '../../../../src/guest/freebsd/cloners/kinds.ts';
import { renameIfnet } from '../../../../src/guest/freebsd/net/rename.ts';
import { lendIfnet } from '../../../../src/guest/freebsd/net/vmove.ts';
import { type BenchOptions, IfnetBench } from '../net/ifnet-bench.ts';
import { Ifconfig } from './clone-bench.ts';

function bench(kinds: readonly CloneKind[], options: BenchOptions = {}) {
  const made = new IfnetBench(options);
  return { bench: made, net: made.net, ifconfig: new Ifconfig(made, kinds) };
}

describe('create and destroy, one after the other', () => {
  const KINDS: readonly (readonly [CloneKind, readonly string[]])[] = [
    ['lo', ['lo0', 'lo1']],
    ['gif', ['gif0']],
    ['faith', ['faith0']],
    ['bridge', ['bridge0']],
    ['tap', ['tap0']],
    ['tun', ['tun0']],
    ['vmnet', ['vmnet0']],
    ['vlan', ['vlan0']],
    ['epair', ['epair0b', 'epair0a']],
  ];

  test.each(KINDS)('%s', (kind, names) => {
    const { ifconfig, net } = bench([kind]);
    const before = ifconfig.names();
    const name = ifconfig.create(kind);
    expect(ifconfig.names()).toEqual(names);
    expect(net.vnet0.groups.membersOf(kind).map((ifp) => ifp.name)).toEqual(names);
    expect(ifconfig.destroy(name)).toBeUndefined();
    expect(ifconfig.names()).toEqual(before);
    expect(net.vnet0.groups.names).toEqual(before.length === 0 ? [] : ['all', 'lo']);
    expect(ifconfig.faults()).toEqual([]);
  });

  test('the lowest free unit is the next one, and a specific one can be had', () => {
    const { ifconfig } = bench(['tap']);
    expect(['tap', 'tap5', 'tap', 'tap'].map((name) => ifconfig.create(name))).toEqual([
      'tap0',
      'tap5',
      'tap1',
      'tap2',
    ]);
    ifconfig.destroy('tap1');
    expect(ifconfig.create('tap')).toBe('tap1');
    expect(ifconfig.faults()).toEqual([]);
  });

  test('a clone that was renamed is destroyed by the cloner that made it, and its unit is free again', () => {
    const { ifconfig, bench: on, net } = bench(['tap']);
    ifconfig.create('tap');
    on.run(() => renameIfnet(net, ifconfig.find('tap0'), 'vm'));
    expect(ifconfig.create('tap')).toBe('tap1');
    expect(ifconfig.destroy('vm')).toBeUndefined();
    expect(ifconfig.create('tap')).toBe('tap0');
  });

  test('either end of an epair takes the other with it', () => {
    const { ifconfig } = bench(['epair']);
    expect([ifconfig.create('epair3'), ifconfig.destroy('epair3b'), ifconfig.names()]).toEqual([
      'epair3a',
      undefined,
      [],
    ]);
  });

  test('an end that a jail has goes with the one at home, and with the jail it comes home', () => {
    const { ifconfig, bench: on, net } = bench(['epair']);
    const jail = on.vnet('jail');
    for (const again of [false, true]) {
      ifconfig.create('epair');
      on.run(() => lendIfnet(net, net.vnet0, 'epair0b', 'jail'));
      expect(ifconfig.names(jail)).toEqual(['epair0b']);
      expect(jail.groups.membersOf('epair').length).toBe(1);
      if (again) on.run(() => on.vnets.destroy(jail));
      else expect(ifconfig.destroy('epair0a')).toBeUndefined();
      expect(ifconfig.names()).toEqual(again ? ['epair0a', 'epair0b'] : []);
    }
    expect(ifconfig.faults()).toEqual([]);
  });

  test('a jail that ends takes its own clones with it, wherever they are', () => {
    const { ifconfig, bench: on, net } = bench(['lo', 'epair', 'tap']);
    const jail = on.vnet('jail');
    expect([ifconfig.create('tap', jail), ifconfig.create('epair', jail)]).toEqual(['tap0', 'epair0a']);
    on.run(() => lendIfnet(net, jail, 'epair0b', 'vnet0'));
    expect(ifconfig.names()).toEqual(['lo0', 'epair0b']);
    on.run(() => on.vnets.destroy(jail));
    expect(ifconfig.names()).toEqual(['lo0']);
    expect(ifconfig.faults()).toEqual([]);
  });
});

describe('vlan', () => {
  test('by parent and tag, with the address of the parent, once a tag', () => {
    const { ifconfig, bench: on } = bench(['vlan']);
    const parent = on.attached('d1');
    expect(['em1.5', 'em1.05', 'em1.4095', 'em9.5'].map((name) => ifconfig.create(name))).toEqual([
      'em1.5',
      'EINVAL',
      'EINVAL',
      'EINVAL',
    ]);
    expect(ifconfig.find('em1.5').mac).toBe(parent.mac);
    on.run(() => renameIfnet(on.net, ifconfig.find('em1.5'), 'lan'));
    expect(ifconfig.create('em1.5')).toBe('EEXIST');
    expect(ifconfig.destroy('lan')).toBeUndefined();
    expect(ifconfig.create('em1.5')).toBe('em1.5');
    expect(ifconfig.faults()).toEqual([]);
  });

  test('a parent that departs leaves it down and without one; a rename is no departure', () => {
    const { ifconfig, bench: on } = bench(['vlan']);
    const parent = on.attached('d1');
    ifconfig.create('em1.5');
    const vlan = ifconfig.find('em1.5');
    on.run(() => renameIfnet(on.net, parent, 'wan'));
    expect(vlan.link.now).toBe('unknown');
    on.run(() => on.remove(parent));
    expect(vlan.link.now).toBe('down');
    expect([ifconfig.names(), ifconfig.destroy('em1.5'), ifconfig.faults()]).toEqual([['em1.5'], undefined, []]);
  });
});

describe('errors (the table of C.3)', () => {
  test.each([
    ['tap00', 'EINVAL', 'a leading zero'],
    ['tap1x', 'EINVAL', 'something behind the number'],
    ['tap32768', 'ENOSPC', 'a unit that there is not'],
    ['tap2147483648', 'EINVAL', 'no int'],
    ['tap0', 'EEXIST', 'taken'],
    ['nothing0', 'EINVAL', 'a cloner that there is not'],
    ['tap0123456789012', 'ENAMETOOLONG', 'what ifconfig refuses itself'],
    ['em1', 'EINVAL', 'hardware'],
  ])('create %s: %s (%s)', (name, errno) => {
    const { ifconfig, bench: on } = bench(['tap']);
    on.attached('d1');
    ifconfig.create('tap0');
    expect(ifconfig.create(name)).toBe(errno);
    expect(on.events.at(-1)).toMatchObject({ kind: 'netdev.error', what: `SIOCIFCREATE2 ${name}`, errno });
    expect([ifconfig.names(), ifconfig.faults()]).toEqual([['em1', 'tap0'], []]);
  });

  test.each([
    ['em1', 'EINVAL', 'hardware'],
    ['lo0', 'EINVAL', 'one that must be'],
    ['tap7', 'ENXIO', 'one that there is not'],
  ])('destroy %s: %s (%s)', (name, errno) => {
    const { ifconfig, bench: on } = bench(['lo', 'tap']);
    on.attached('d1');
    expect(ifconfig.destroy(name)).toBe(errno);
    expect([ifconfig.names(), ifconfig.faults()]).toEqual([['lo0', 'em1'], []]);
  });

  test('destroyed twice', () => {
    const { ifconfig } = bench(['tap']);
    ifconfig.create('tap0');
    expect([ifconfig.destroy('tap0'), ifconfig.destroy('tap0')]).toEqual([undefined, 'ENXIO']);
  });

  test('when all units are taken', () => {
    const { ifconfig, bench: on } = bench([]);
    const small: CloneType = { ...cloneType(on.net, 'gif'), maxUnit: 1 };
    on.run(() => on.vnets.register(clonerPart(on.net, small)));
    expect(['gif', 'gif', 'gif', 'gif2'].map((name) => ifconfig.create(name))).toEqual([
      'gif0',
      'gif1',
      'ENOSPC',
      'ENOSPC',
    ]);
  });

  test('a kind that cannot be destroyed, and one that fails to be made', () => {
    const { ifconfig, bench: on } = bench([]);
    const { destroy: _, ...forEver } = cloneType(on.net, 'gif');
    const failing: CloneType = {
      ...cloneType(on.net, 'tap'),
      *create() {
        return { ok: false, error: 'ENOMEM' };
      },
    };
    for (const type of [forEver, failing]) on.run(() => on.vnets.register(clonerPart(on.net, type)));
    expect([ifconfig.create('gif'), ifconfig.destroy('gif0'), ifconfig.create('tap')]).toEqual([
      'gif0',
      'EOPNOTSUPP',
      'ENOMEM',
    ]);
    expect([ifconfig.names(), ifconfig.faults()]).toEqual([['gif0'], []]);
    expect(on.net.vnet0.groups.membersOf('gif').length).toBe(1);
  });

  test('a kind that refuses to the end keeps the kernel in a loop when its cloner goes (C.4)', () => {
    const { ifconfig, bench: on } = bench([]);
    const stubborn: CloneType = {
      ...cloneType(on.net, 'gif'),
      *destroy() {
        return 'EBUSY';
      },
    };
    const part = clonerPart(on.net, stubborn);
    on.run(() => on.vnets.register(part));
    ifconfig.create('gif');
    on.run(() => part.destruct?.(on.net.vnet0) as Generator<never, void>);
    expect(on.faults()).toEqual(['kernel.spin: if_clone_detach: gif0 refuses with EBUSY, and is asked for ever']);
  });

  test('a name that somebody else has is gone past by a wildcard, and refused when it is asked for', () => {
    const { ifconfig, bench: on, net } = bench(['tap']);
    const other = on.attached('d1');
    on.run(() => renameIfnet(net, other, 'tap0'));
    expect([ifconfig.create('tap0'), ifconfig.create('tap')]).toEqual(['EEXIST', 'tap1']);
    expect(ifconfig.faults()).toEqual([]);
  });

  test('what netlink cannot set on a new interface is an error, and the interface stays (G-42)', () => {
    const stays = (fixes: BenchOptions['fixes']) => {
      const { ifconfig, bench: on, net } = bench(['tap'], { fixes: fixes ?? {} });
      const made = on.run(() =>
        createClone(net, net.vnet0, 'tap', function* () {
          return 'EINVAL';
        }),
      );
      return { made, names: ifconfig.names(), faults: ifconfig.faults() };
    };
    const made = { ok: false, error: 'EINVAL' };
    expect(stays({})).toEqual({ made, names: ['tap0'], faults: [] });
    expect(stays({ 'create-undone': true })).toEqual({ made, names: [], faults: [] });
  });
});

describe('units, before they were what they are (seed 002)', () => {
  const options = (fixes: NonNullable<BenchOptions['fixes']>): BenchOptions => ({ profile: 'freebsd-13', fixes });

  test('nobody looked whether the name was taken (C5-a)', () => {
    const { ifconfig, bench: on, net } = bench(['bridge'], options({ 'clone-name-checked': false }));
    const other = on.attached('d1');
    on.run(() => renameIfnet(net, other, 'bridge0'));
    expect(ifconfig.create('bridge')).toBe('bridge0');
    expect(ifconfig.names()).toEqual(['bridge0', 'bridge0']);
    expect(ifconfig.destroy('bridge0')).toBe('EINVAL'); // it is the other one that is found
  });

  test('what was taken in vain was never given back: so many units are lost at once (G-18)', () => {
    const { ifconfig, bench: on, net } = bench(['bridge'], options({ 'unit-given-back': false }));
    const others = [0, 1, 2].map((unit) => on.attached(`d${unit}`));
    for (const [unit, other] of others.entries()) on.run(() => renameIfnet(net, other, `bridge${unit}`));
    expect(ifconfig.create('bridge')).toBe('bridge3');
    expect(ifconfig.faults()).toEqual([
      ...[0, 1, 2].map((unit) => `INV-C1: unit ${unit} of bridge is nobody's`),
      'INV-C2: 2 references to the bridge cloner, and not 5',
    ]);
    for (const [unit, other] of others.entries()) on.run(() => renameIfnet(net, other, `lan${unit}`));
    expect(ifconfig.create('bridge0')).toBe('EEXIST'); // there is no such interface, and there will never be one
  });

  test('a unit that there is not was said to be taken (G-19)', () => {
    const before = bench(['bridge'], options({ 'unit-range-checked': false })).ifconfig.create('bridge123456');
    expect([before, bench(['bridge'], options({})).ifconfig.create('bridge123456')]).toEqual(['EEXIST', 'ENOSPC']);
  });
});
