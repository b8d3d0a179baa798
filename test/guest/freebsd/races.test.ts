import { describe, expect, test } from 'vitest';
import { type Exploration, searchOrders, USUAL_OPTIONS } from '../../../src/explore/explore.ts';
import { findHiddenState } from '../../../src/explore/hidden-state.ts';
import type { Program } from '../../../src/explore/program.ts';
import { PROFILES } from '../../../src/guest/freebsd/profile.ts';
import type { BenchOptions } from './net/ifnet-bench.ts';
import { PROGRAMS } from './programs.ts';
import { type Build, program } from './threads.ts';

const search = (searched: Program): Exploration => searchOrders(searched, { ...USUAL_OPTIONS, strategy: 'reduced' });
/** Enough to find what is there, where all orders would be too many. */
const sample = (searched: Program): Exploration =>
  searchOrders(searched, { ...USUAL_OPTIONS, strategy: 'pos', samples: 200 });
const keysOf = ({ found }: Exploration): string[] => found.map(({ key }) => key).sort();

type Fixes = NonNullable<BenchOptions['fixes']>;

/** What goes wrong in some order with these fixes, and that nothing does in any order when those are there too. */
function shown(build: Build, asShipped: Fixes, mended: Fixes, { profile = 'freebsd-13', look = search } = {}) {
  const before = look(program({ profile, fixes: asShipped }, build));
  const after = search(program({ profile, fixes: { ...asShipped, ...mended } }, build));
  return { before: keysOf(before), after: keysOf(after), verdict: after.verdict };
}

const gone = (before: readonly string[]) => ({ before, after: [], verdict: 'all' });

describe('the way out against a detach (seed 001, G-4)', () => {
  const FREED = 'use after free: in6_ifextra by in6_selecthlim';
  const CLEARED = 'null dereference: if_afdata[inet6] by in6_selecthlim';
  const wrong = (build: Build, options: BenchOptions) => keysOf(search(program(options, build)));

  test("by number: IPv6's data is freed under the sender, or gone", () => {
    expect(wrong(PROGRAMS.outputByNumber, { profile: 'freebsd-14' })).toEqual([CLEARED, FREED]);
  });

  test('data that is freed with the interface, behind all readers, is there for all of them', () => {
    const deferred = { 'in6-afdata-deferred': true };
    for (const build of [PROGRAMS.outputByNumber, PROGRAMS.outputByRoute])
      expect(shown(build, {}, deferred, { profile: 'freebsd-14' })).toEqual(gone([CLEARED, FREED]));
  });

  test('a look-up that sees only what is attached closes it for who looks by number: detach waits for those before', () => {
    const fixes = { 'output-sees-attached': true } as const;
    const result = search(program({ profile: 'freebsd-14', fixes }, PROGRAMS.outputByNumber));
    expect(result).toMatchObject({ verdict: 'all', found: [] });
  });

  test('it helps nobody who comes by a route', () => {
    const fixes = { 'output-sees-attached': true } as const;
    expect(wrong(PROGRAMS.outputByRoute, { profile: 'freebsd-14', fixes })).toEqual([CLEARED, FREED]);
  });

  test('an interface that is brought down first is still found by its number', () => {
    const fixes = { 'down-before-unlink': true } as const;
    expect(wrong(PROGRAMS.outputByNumber, { profile: 'freebsd-14', fixes })).toEqual([CLEARED, FREED]);
  });

  test('IFF_DYING tells nobody of a move: who holds a reference finds the data gone', () => {
    const deferred = { 'in6-afdata-deferred': true };
    expect(shown(PROGRAMS.outputWhileMoving, {}, deferred, { profile: 'freebsd-14' })).toEqual(gone([CLEARED, FREED]));
  });
});

describe('references', () => {
  test('one that is taken where there is none is freed under its holder (G-5)', () => {
    expect(shown(PROGRAMS.referenceFromNone, { 'if-try-ref': false }, { 'if-try-ref': true })).toEqual(
      gone([
        'a reference is taken where there is none',
        'if_free_deferred: it is referred to again',
        'use after free: ifnet by its holder',
      ]),
    );
  });

  test('one can be had of what is not attached yet (G-26)', () => {
    expect(shown(PROGRAMS.referenceTooEarly, {}, { 'reference-needs-attached': true })).toEqual(gone(['early']));
  });
});

describe('two who take an interface away', () => {
  test('eject against reclaim: the driver frees what the move goes on with (G-3, G-28)', () => {
    const mended = { 'unlink-under-detach': true };
    const { before, ...after } = shown(PROGRAMS.ejectAgainstReclaim, {}, mended, { look: sample });
    expect(before).toEqual(expect.arrayContaining(['use after free: ifnet by if_vmove']));
    expect(after).toEqual({ after: [], verdict: 'all' });
  });

  test('eject against eject: the count of interfaces is wrong (G-27)', () => {
    expect(shown(PROGRAMS.ejectTwice, {}, { 'count-what-was-found': true })).toEqual(gone(['count']));
  });

  test('eject against the end of the vnet that it is in, before anybody locked (G-1)', () => {
    const asShipped = { 'return-collected': false, 'detach-lock': false };
    const mended = { 'return-collected': true, 'detach-lock': true, 'unlink-under-detach': true };
    const { before, ...after } = shown(PROGRAMS.ejectFromDyingVnet, asShipped, mended, { look: sample });
    expect(before).toEqual(expect.arrayContaining(['use after free: ifnet by if_vmove']));
    expect(after).toEqual({ after: [], verdict: 'all' });
  });
});

describe('names', () => {
  test('two renames to one name (C5-c)', () => {
    expect(shown(PROGRAMS.twoRenames, {}, { 'atomic-names': true })).toEqual(gone(['duplicate']));
  });

  test('a VF that is attached while somebody takes its name (C5-d)', () => {
    expect(shown(PROGRAMS.attachAgainstRename, {}, { 'atomic-names': true })).toEqual(gone(['duplicate']));
  });
});

describe('views of an interface that moves (seed 000)', () => {
  const wrong = (build: Build, options: BenchOptions) => keysOf(search(program(options, build)));

  test('with one table its number answers in the new vnet before it is on the list there', () => {
    expect(wrong(PROGRAMS.seenByNumberFirst, { index: 'global' })).toEqual(['unlisted']);
  });

  test('with a table each vnet as well: the new number is given before the list', () => {
    expect(wrong(PROGRAMS.seenByNumberFirst, { index: 'per-vnet' })).toEqual(['unlisted']);
  });

  test('with a table each vnet the number that it still says can be that of another one; with one table it is kept', () => {
    expect(wrong(PROGRAMS.numberWhileMoving, { index: 'per-vnet' })).toEqual(['stranger']);
    expect(wrong(PROGRAMS.numberWhileMoving, { index: 'global' })).toEqual([]);
  });

  test('two that come home with one name share it (C5-e)', () => {
    expect(shown(PROGRAMS.sameNameReturns, {}, { 'atomic-names': true })).toEqual(gone(['duplicate']));
  });
});

test('the flag of a rename and that of an end: one of the two is lost (G-29)', () => {
  expect(shown(PROGRAMS.renameAgainstUnlink, {}, { 'atomic-flags': true })).toEqual(gone(['lost']));
});

test('a driver that reports its link while it goes: the task runs after the end (G-7)', () => {
  const found = ['use after free: ifnet by link task'];
  expect(shown(PROGRAMS.lateLink, {}, { 'no-late-link-event': true })).toEqual(gone(found));
});

test('a fragment that waits for its packet longer than its interface lives (G-9)', () => {
  const mended = { 'departure-clears-queues': true };
  expect(shown(PROGRAMS.fragment, { 'departure-clears-queues': false }, mended)).toEqual(
    gone(['use after free: ifnet by ipreass_timeout']),
  );
});

test('a module that comes while a jail is made: the jail lacks its data, or its part (G-43)', () => {
  const mended = { 'vnet-listed-first': true };
  expect(shown(PROGRAMS.moduleAgainstVnet, {}, mended)).toEqual(gone(['no data', 'not constructed']));
});

test('an address that is changed when the data of the family have gone (G-8)', () => {
  const mended = { 'lladdr-guarded': true, 'in-afdata-deferred': true };
  const { before, ...after } = shown(PROGRAMS.addressOfDetached, { 'lladdr-guarded': false }, mended);
  expect(before).toContain('null dereference: if_afdata[inet] by arp_iflladdr');
  expect(after).toEqual({ after: [], verdict: 'all' });
});

describe('packets in flight', () => {
  test('that remember a pointer have it to nothing; those that remember number and generation do not', () => {
    const { inFlightWhenEjected } = PROGRAMS;
    expect(keysOf(search(program({ profile: 'freebsd-13' }, inFlightWhenEjected)))).toEqual([
      'use after free: ifnet by netisr',
    ]);
    expect(search(program({ profile: 'freebsd-14' }, inFlightWhenEjected))).toMatchObject({
      verdict: 'all',
      found: [],
    });
  });

  test('find their interface in another vnet, since the generation knows nothing of a move (G-25)', () => {
    const mended = { 'generation-knows-vnet': true };
    const options = { profile: 'freebsd-14' };
    expect(shown(PROGRAMS.inFlightWhenMoved, {}, mended, options)).toEqual(gone(['strayed']));
  });
});

describe('no state is hidden from the search', () => {
  test.each(Object.entries(PROGRAMS))('%s', (_, build) => {
    for (const profile of Object.keys(PROFILES)) {
      const searched = program({ profile }, build, { searchesSetUp: true });
      expect([1, 2, 3].map((seed) => findHiddenState(searched, seed)?.text)).toEqual([undefined, undefined, undefined]);
    }
  });
});
