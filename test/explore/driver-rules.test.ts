import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { Registry } from '../../src/guest/linux/registry.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Work } from '../../src/sim/work.ts';
import { findingOf, fine, loading, notified, ours, plainly, search } from '../support/bad-driver.ts';

/** What a driver of somebody else may not yield, give or call, and what the search says then. */

const HERE = /\(?driver-rules\.test\.ts:\d+\)?/;

describe('what a task yields', () => {
  test.each<[string, () => unknown, string]>([
    ['a promise', () => (async () => 5)(), 'a promise'],
    ['nothing', () => undefined, 'nothing'],
    ['a plain value', () => 5, 'the number 5'],
    ['a task, and forgets the star', fine, 'a task that it does not run (the star is missing)'],
    ['an async generator', () => (async function* () {})(), 'an async generator'],
    ['an object', () => ({}), 'an object'],
  ])('%s', (_, make, told) => {
    const driver = loading(function* ({ net }) {
      yield* net.rtnl.lock();
      yield make() as never;
    });
    expect(findingOf(driver)).toBe(
      `driver yielded no operation | driver bad yields ${told} in boot, behind "lock rtnl": ` +
        'yield* on an operation or a task is all that may be there',
    );
  });

  test('an operation without the star', () => {
    const driver = loading(function* ({ net }) {
      yield net.rtnl.lock();
    });
    expect(findingOf(driver)).toBe(
      'driver yielded without the star | driver bad yields "lock rtnl" in boot without the star: ' +
        'yield* gives the result its type',
    );
  });

  test('an operation that was used before', () => {
    const driver = loading(function* ({ sim }) {
      const get = new Cell(sim, 'mtu', 1500).get();
      yield* get;
      yield* get;
    });
    expect(findingOf(driver)).toMatch(
      /^driver broke a rule: "get mtu" is an operation that was used before \| driver bad broke a rule in boot at .*driver-rules/,
    );
  });

  test('a task that another context has begun', () => {
    const driver = loading(function* ({ sim }) {
      const cell = new Cell(sim, 'shared', 0);
      const shared = (function* (): Task {
        for (;;) yield* cell.whileIs(0);
      })();
      const name = (n: number) => `carrier ${n}`;
      for (const n of [1, 2]) {
        const work = new Work(sim, name(n), function* () {
          yield* shared;
        });
        yield* work.schedule();
      }
      yield* sim.sleep(1000, 'both');
      yield* cell.set(1);
    });
    expect(findingOf(driver)).toMatch(
      /^driver shared a task \| driver bad lets another context carry on the task of carrier \d, behind "whileIs shared"/,
    );
  });
});

describe('what is no task', () => {
  test.each<[string, () => unknown]>([
    ['an async function', async () => 'done'],
    ['an async generator', () => (async function* () {})()],
    ['a plain function', () => undefined],
  ])('%s', (_, notify) => {
    expect(findingOf(notified(notify))).toMatch(
      /^driver gave no task \| driver bad gave .*\(notifier\.ts:\d+\) in \w+ something that is no task: write it as a generator/,
    );
  });

  test('a text, which could be gone through letter by letter', () => {
    expect(findingOf(notified(() => 'done'))).toMatch(
      /^driver yielded no operation \| driver bad yields the string d in /,
    );
  });
});

describe('time, chance and what comes later by itself', () => {
  test.each<[string, () => unknown, string]>([
    ['Date.now', () => Date.now(), 'kernel.sim.now'],
    ['new Date', () => new Date(), 'kernel.sim.now'],
    ['Date', () => Date(), 'kernel.sim.now'],
    ['performance.now', () => performance.now(), 'kernel.sim.now'],
    ['process.hrtime', () => process.hrtime(), 'kernel.sim.now'],
    ['process.hrtime.bigint', () => process.hrtime.bigint(), 'kernel.sim.now'],
    ['Math.random', () => [1].map(Math.random), 'kernel.sim.strategy.value'],
    ['crypto.randomUUID', () => crypto.randomUUID(), 'kernel.sim.strategy.value'],
    ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1)), 'kernel.sim.strategy.value'],
    ['setTimeout', () => setTimeout(() => {}, 1), 'kernel.sim.sleep'],
    ['setInterval', () => setInterval(() => {}, 1), 'kernel.sim.sleep'],
    ['setImmediate', () => setImmediate(() => {}), 'kernel.sim.sleep'],
    ['queueMicrotask', () => queueMicrotask(() => {}), 'kernel.sim.sleep'],
    ['process.nextTick', () => process.nextTick(() => {}), 'kernel.sim.sleep'],
    ['new Promise', () => new Promise(() => {}), 'yield* on an operation'],
    ['Promise.resolve', () => Promise.resolve(1), 'yield* on an operation'],
    ['Promise.all', () => Promise.all([]), 'yield* on an operation'],
    ['fetch', () => fetch('http://localhost'), 'its kernel and nothing else'],
  ])('%s', (what, use, instead) => {
    const finding = findingOf(plainly(use));
    expect(finding.startsWith(`driver used ${what} | driver bad uses ${what} at `)).toBe(true);
    expect(finding).toMatch(HERE);
    expect(finding).toContain(instead);
  });

  test('is found although the driver catches what it is told', () => {
    const driver = plainly(() => {
      try {
        Date.now();
      } catch {}
    });
    expect(findingOf(driver)).toMatch(/^driver used Date\.now /);
  });

  test('is found in what a driver calls', () => {
    const later = (read: () => number): number => read();
    expect(findingOf(plainly(() => later(() => Date.now())))).toMatch(/^driver used Date\.now /);
  });

  test('a date that was computed is a value like any other', () => {
    const driver = plainly(() => [new Date(0).toISOString(), Date.UTC(2026, 1), {} instanceof Promise, Math.max(1, 2)]);
    expect(findingOf(driver)).toBe('');
  });

  test('a line on the console is no crime, whatever Node does for it', () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk));
        done(); // what follows from it Node leaves to process.nextTick()
      },
    });
    const console = new Console(sink);
    expect(findingOf(plainly(() => console.log('here')))).toBe('');
    expect(lines).toContain('here\n');
  });

  test('is there again when the search is over, and when it was thrown out of', () => {
    const before = { ...everything() };
    findingOf(plainly(() => Date.now()));
    expect(everything()).toEqual(before);
    vi.spyOn(Registry.prototype, 'addNotifier').mockImplementationOnce(() => {
      throw ours(new RangeError('a bug'));
    });
    expect(() => search(notified(fine))).toThrow('a bug');
    expect(everything()).toEqual(before);
    expect(Object.getOwnPropertyNames(performance)).not.toContain('now');
  });
});

const everything = () => ({
  all: [Date, Promise, setTimeout, setInterval, setImmediate, queueMicrotask, fetch, Math.random, process.nextTick],
  limit: Error.stackTraceLimit,
});
