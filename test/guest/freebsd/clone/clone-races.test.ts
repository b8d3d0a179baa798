import { describe, expect, test } from 'vitest';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../../src/explore/explore.ts';
import { findHiddenState } from '../../../../src/explore/hidden-state.ts';
import type { Program } from '../../../../src/explore/program.ts';
import { createClone } from '../../../../src/guest/freebsd/clone/create.ts';
import { Lock } from '../../../../src/guest/freebsd/kern/lock.ts';
import { PROFILES } from '../../../../src/guest/freebsd/profile.ts';
import { type BenchOptions, IfnetBench } from '../net/ifnet-bench.ts';
import { type Build, program } from '../threads.ts';
import { Ifconfig } from './clone-bench.ts';
import { CLONE_PROGRAMS } from './clone-programs.ts';

type Fixes = NonNullable<BenchOptions['fixes']>;

const search = (searched: Program): Exploration => searchOrders(searched, { ...USUAL_OPTIONS, strategy: 'reduced' });
/** Enough to find what is there, where all orders would be too many. */
const sample = (searched: Program): Exploration =>
  searchOrders(searched, { ...USUAL_OPTIONS, strategy: 'pos', samples: 400 });

/** What is found, or how many orders there are in which nothing is. */
function result(build: Build, profile: string, fixes: Fixes = {}, look = search): readonly string[] | number {
  const { verdict, found, searched } = look(program({ profile, fixes }, build));
  if (verdict === 'fails') return found.map(({ key }) => key).sort();
  expect(verdict).toBe('all');
  return searched?.orders ?? 0;
}

const duplicate = ['duplicate'];

describe('two interfaces of one name (seed 002, G-17), and what each remedy closes', () => {
  const P = CLONE_PROGRAMS;
  /** Found on freebsd-14, and orders with a check at attach itself (none landed). */
  test.each([
    ['C5-b', P.cloneAgainstRename],
    ['C5-c', P.renameAgainstRename],
    ['C5-d', P.hardwareAgainstRename],
    ['C5-e, lent', P.lendAgainstClone],
    ['C5-e, taken back', P.reclaimAgainstClone],
  ])('%s is there, and gone where a name is looked for and taken in one step', (_, build) => {
    expect(result(build, 'freebsd-14')).toEqual(duplicate);
    expect(result(build, 'freebsd-14', { 'atomic-names': true })).toBeGreaterThan(2);
  });

  test('C5-a needs no race, and the look at the name when a unit is given closes it alone', () => {
    expect(result(P.cloneAfterRename, 'freebsd-13', { 'clone-name-checked': false })).toEqual(duplicate);
    expect(result(P.cloneAfterRename, 'freebsd-13')).toBe(1);
  });

  test('the naming lock closes what clones and renames (b, c), and leaves who takes no name by a request (d, e)', () => {
    const lock = { 'naming-lock': true };
    const left = [P.hardwareAgainstRename, P.lendAgainstClone, P.reclaimAgainstClone];
    const closed = [P.cloneAgainstRename, P.renameAgainstRename];
    expect(closed.map((build) => result(build, 'freebsd-14', lock))).toEqual([2, 2]);
    expect(left.map((build) => result(build, 'freebsd-14', lock))).toEqual([duplicate, duplicate, duplicate]);
  });

  test('the serialiser closes what looks and is a request (b, c, lending), and leaves hardware and what never looks', () => {
    const serialiser = { 'ioctl-serialiser': true };
    const closed = [P.cloneAgainstRename, P.renameAgainstRename, P.lendAgainstClone];
    const left = [P.hardwareAgainstRename, P.reclaimAgainstClone];
    expect(closed.map((build) => result(build, 'freebsd-14', serialiser))).toEqual([4, 4, 4]);
    expect(left.map((build) => result(build, 'freebsd-14', serialiser))).toEqual([duplicate, duplicate]);
  });

  test('the serialiser as it is written lets two in when two have waited; looking again mends that', () => {
    const serialiser = { 'ioctl-serialiser': true };
    expect(result(P.threeRequests, 'freebsd-14', serialiser)).toEqual(['ioctl serialiser: 2 are within at once']);
    const mended = { ...serialiser, 'serialiser-looks-again': true };
    expect(result(P.threeRequests, 'freebsd-14', mended)).toBeGreaterThan(10);
  });

  test('its hidden problem: one request that waits for a program makes all others wait (G-20)', () => {
    expect(result(P.openTunAndRename, 'freebsd-14')).toEqual(['stuck']); // the destroy alone
    expect(result(P.openTunAndRename, 'freebsd-14', { 'ioctl-serialiser': true })).toEqual(['nothing goes', 'stuck']);
  });

  test('a lock that must not be held asleep cannot be held over a create; one that may can', () => {
    const told = (kind: 'mutex' | 'sx'): readonly string[] => {
      const bench = new IfnetBench();
      new Ifconfig(bench, ['bridge']);
      const { net, sim } = bench;
      const lock = new Lock(sim, net.witness, { name: 'naming', kind });
      bench.run(function* () {
        yield* lock.lock();
        yield* createClone(net, net.vnet0, 'bridge');
        yield* lock.unlock();
      });
      return bench.faults();
    };
    expect(told('mutex')).toContain('sleeps: naming -> ifnet_sx');
    expect(told('sx')).toEqual([]);
  });
});

describe('a pair of which one end is elsewhere (G-2)', () => {
  test('it is destroyed while the jail that has the other end ends: what goes home is freed', () => {
    const without = { 'detach-lock': false };
    expect(result(CLONE_PROGRAMS.pairAgainstJail, 'freebsd-13', without, sample)).toContain(
      'use after free: ifnet by if_vmove',
    );
    expect(result(CLONE_PROGRAMS.pairAgainstJail, 'freebsd-13')).toBe(3);
  });

  test('both ends are destroyed at once: the second finds that the first has done it, or panics', () => {
    expect(result(CLONE_PROGRAMS.endAgainstEnd, 'freebsd-13', { 'detach-lock': false }, sample)).toContain(
      'panic: epair_clone_destroy: the second end: ENXIO',
    );
    expect(result(CLONE_PROGRAMS.endAgainstEnd, 'freebsd-13')).toBe(2);
  });

  test('a module that goes asks nobody for the lock, until the layer of the cloners takes it itself', () => {
    const { moduleAgainstJail } = CLONE_PROGRAMS;
    expect(result(moduleAgainstJail, 'freebsd-14', {}, sample)).toContain('use after free: ifnet by if_vmove');
    const half = { 'cloner-locks-detach': true };
    expect(result(moduleAgainstJail, 'freebsd-14', half)).toContain('use after free: ifnet by if_vmove'); // G-28
    expect(result(moduleAgainstJail, 'freebsd-main')).toBeGreaterThan(2);
  });
});

test('a tun that a program has open is destroyed: who waits for the program has the lock that all others need (G-20)', () => {
  expect(result(CLONE_PROGRAMS.openTun, 'freebsd-main')).toEqual(['INV-C7', 'stuck']);
  expect(result(CLONE_PROGRAMS.openTun, 'freebsd-main', { 'tun-busy-refused': true })).toBeGreaterThan(5);
});

test('the map of units goes before the interfaces that have them (G-16)', () => {
  expect(result(CLONE_PROGRAMS.unloadWithClone, 'freebsd-13', { 'unit-map-counted': false })).toEqual([
    'use after free: ifc_units by ifc_free_unit',
  ]);
  expect(result(CLONE_PROGRAMS.unloadWithClone, 'freebsd-13')).toBe(1);
});

test('a cloner goes between the look for it and its use (G-42)', () => {
  expect(result(CLONE_PROGRAMS.unloadAgainstClone, 'freebsd-14')).toContain(
    'use after free: if_clone by if_clone_createif',
  );
  expect(result(CLONE_PROGRAMS.unloadAgainstClone, 'freebsd-14', { 'cloner-referenced': true })).toBe(8);
});

test('a unit is given that was the lowest free one at no moment of the call (INV-C5)', () => {
  expect(result(CLONE_PROGRAMS.lowestUnit, 'freebsd-14')).toEqual(['INV-C5']);
  expect(result(CLONE_PROGRAMS.lowestUnit, 'freebsd-14', { 'unit-kept': true })).toBeGreaterThan(100);
});

describe('no state is hidden from the search', () => {
  test.each(Object.entries(CLONE_PROGRAMS))('%s', (_, build) => {
    for (const profile of Object.keys(PROFILES)) {
      const searched = program({ profile }, build, { searchesSetUp: true });
      expect([1, 2].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined]);
    }
  });
});
