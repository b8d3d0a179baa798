/**
 * That a lock is shared is never what makes a run come out as it does: when every shared hold is an exclusive one, the
 * default order gives the same trace, and the search finds the same (reference F-12: the lock of the PCBs became a
 * read/write lock, and every use of it an exclusive one).
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { searchOrders, USUAL_OPTIONS } from '../../../src/explore/explore.ts';
import type { Program } from '../../../src/explore/program.ts';
import { Lock } from '../../../src/guest/freebsd/kern/lock.ts';
import { Operation } from '../../../src/sim/operation.ts';
import { RunOn } from '../../../src/sim/strategy.ts';
import type { Event } from '../../../src/trace/event.ts';
import { runShipped, runsOn, shipped, shippedScenarios } from '../../support/shipped.ts';
import { PROGRAMS } from './programs.ts';
import { program } from './threads.ts';

/** How many shared holds were made exclusive ones. */
let replaced = 0;

function withoutSharing(): void {
  replaced = 0;
  vi.spyOn(Lock.prototype, 'lockShared').mockImplementation(function (this: Lock) {
    replaced++;
    return new Operation(this, 'lock');
  });
  vi.spyOn(Lock.prototype, 'unlockShared').mockImplementation(function (this: Lock) {
    return new Operation(this, 'unlock');
  });
}

afterEach(() => vi.restoreAllMocks());

const traced = (run: Program): readonly Event[] => {
  const events: Event[] = [];
  run(new RunOn(), (event) => events.push(event));
  return events;
};

const found = (run: Program): readonly string[] =>
  searchOrders(run, { ...USUAL_OPTIONS, strategy: 'pos', samples: 100 })
    .found.map(({ key }) => key)
    .sort();

describe('small programs', () => {
  test.each(Object.entries(PROGRAMS))('%s', (_, build) => {
    const run = program({ profile: 'freebsd-14' }, build);
    const [events, wrong] = [traced(run), found(run)];
    withoutSharing();
    expect(traced(run)).toEqual(events);
    expect(found(run)).toEqual(wrong);
  });

  test('some of them share a lock', () => {
    withoutSharing();
    for (const build of Object.values(PROGRAMS)) traced(program({ profile: 'freebsd-14' }, build));
    expect(replaced).toBeGreaterThan(0);
  });
});

describe('shipped scenarios on freebsd-14', () => {
  test.each(shippedScenarios.filter((name) => runsOn(name, 'freebsd-14')))('%s', (name) => {
    const once = () => runShipped(shipped(name, { guest: 'freebsd-14', transport: 'direct' })).events;
    const events = once();
    withoutSharing();
    expect(once()).toEqual(events);
    if (name === 'firmware-update') expect(replaced).toBeGreaterThan(100);
  });
});
