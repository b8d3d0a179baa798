import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { type Explored, explore, type ScenarioOptions } from '../../src/explore/drivers.ts';
import { setMtu } from '../../src/guest/linux/device.ts';
import type { LinuxKernel } from '../../src/guest/linux/kernel.ts';
import type { DriverFactory } from '../../src/guest/linux/modules.ts';
import { Registry } from '../../src/guest/linux/registry.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Work } from '../../src/sim/work.ts';

/** What a driver of somebody else must not do, and what the search says then. */

const catalogue = { vfs: vfModels, synthetics: syntheticModels };
const TEXT = `name: a test
about: A test.
nics: { nic1: { mac: "00:0d:3a:12:34:56" } }
always: []
steps: |
  +0ms host offer nic1
  ~5s expect nic1 is present
`;

function search(driver: DriverFactory, options: Partial<ScenarioOptions> = {}): Explored {
  return explore(TEXT, { catalogue, drivers: driver, strategy: 'random', samples: 2, ...options });
}

/** The one thing that is found, with its text. */
function findingOf(driver: DriverFactory, options?: Partial<ScenarioOptions>): string {
  const { found } = search(driver, options);
  return found.map(({ key, text }) => `${key} | ${text}`).join('\n');
}

const nothing = function* (): Task {};

/** A module that does this when it is loaded. */
const loading =
  (body: (kernel: LinuxKernel) => Task<unknown>): DriverFactory =>
  (kernel) => ({
    name: 'bad',
    *load() {
      yield* body(kernel);
    },
    unload: nothing,
  });

/** A module with a notifier that does this when nic1 has registered. */
const notified =
  (body: (kernel: LinuxKernel) => unknown): DriverFactory =>
  (kernel) => ({
    name: 'bad',
    *load() {
      const notify = (event: string) => (event === 'NETDEV_REGISTER' ? body(kernel) : fine());
      yield* kernel.net.addNotifier({ name: 'bad', priority: 0, notify: notify as never });
    },
    unload: nothing,
  });

function* fine(): Task<'done'> {
  return 'done';
}

/** Runs in plain code of the driver, in the middle of a task. */
const plainly = (body: () => unknown): DriverFactory =>
  notified(function* () {
    body();
    return yield* fine();
  });

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

/** An error as if it came from netvsim's own code. */
function ours<E extends Error>(error: E): E {
  const folder = new URL('../../src/guest/linux/registry.ts', import.meta.url).pathname;
  error.stack = `${error.name}: ${error.message}\n    at Registry.addNotifier (${folder}:1:1)`;
  return error;
}

describe('what a driver throws', () => {
  const oops = (): never => {
    throw new TypeError('oops');
  };

  test.each<[string, DriverFactory, string]>([
    ['in a callback', plainly(oops), 'hv_pri_chan'],
    ['when it is loaded', loading(oops as never), 'boot'],
    [
      'in its own context',
      loading(function* ({ sim }) {
        sim.spawn(
          'own',
          'guest',
          (function* () {
            yield* sim.sleep(1, 'a moment');
            oops();
          })(),
        );
      }),
      'own',
    ],
    [
      'in a work item',
      loading(function* ({ sim }) {
        yield* new Work(sim, 'item', oops as never).schedule(5);
      }),
      'item',
    ],
    [
      'in what a cell is changed by',
      loading(function* ({ sim }) {
        yield* new Cell(sim, 'cell', 0).update(oops);
      }),
      'boot',
    ],
  ])('%s', (_, driver, context) => {
    expect(findingOf(driver)).toMatch(
      new RegExp(
        `^driver threw: TypeError: oops \\| driver bad threw in ${context} at .*oops.* \\(driver-rules.test.ts:\\d+\\): TypeError: oops$`,
      ),
    );
  });

  test('in a timer, which is nobody’s context', () => {
    const driver = loading(function* ({ sim }) {
      sim.after(5, oops);
    });
    expect(findingOf(driver)).toMatch(/^driver threw: TypeError: oops \| driver bad threw at .*oops \(driver-rules/);
  });

  test('what is no error', () => {
    const driver = plainly(() => {
      throw 'a text';
    });
    expect(findingOf(driver)).toMatch(/^driver threw: a string, a text \| driver bad threw in hv_pri_chan: a string/);
  });

  test('of several drivers it may be each', () => {
    const good: DriverFactory = () => ({ name: 'good', load: nothing, unload: nothing });
    const { found } = explore(TEXT, { catalogue, drivers: [good, plainly(oops)], strategy: 'random', samples: 0 });
    expect(found[0]?.text).toMatch(/^one of the drivers good, bad threw in /);
  });

  test('ends the run there: what would come of it is not told', () => {
    const driver = notified(function* ({ net }) {
      yield* net.rtnl.tryLock();
      return oops();
    });
    expect(search(driver).found).toHaveLength(1); // and no word of an RTNL that nobody releases
  });

  test('what netvsim throws is a bug of netvsim', () => {
    const spy = vi.spyOn(Registry.prototype, 'addNotifier').mockImplementation(() => {
      throw ours(new RangeError('a bug'));
    });
    expect(() => search(notified(fine))).toThrow(new RangeError('a bug'));
    spy.mockRestore();
  });
});

describe('rules of the kernel', () => {
  test.each<[string, DriverFactory, RegExp]>([
    [
      'a lock that somebody else holds is released',
      loading(function* ({ sim }) {
        const lock = new Mutex(sim, 'lock');
        const holder = new Work(sim, 'holder', function* () {
          yield* lock.lock();
        });
        yield* holder.schedule();
        yield* sim.sleep(5, 'the holder');
        yield* lock.unlock();
      }),
      /^driver broke a rule: boot releases lock, which holder holds \| driver bad broke a rule in boot: /,
    ],
    [
      'the RTNL is not held',
      notified(function* ({ net, sim }) {
        const body = function* (): Task {
          for (const dev of net.devices()) yield* setMtu(net, dev, 1400);
        };
        yield* new Work(sim, 'resize', body).schedule();
        return 'done';
      }),
      /^driver broke a rule: dev_set_mtu without the RTNL \| driver bad broke a rule in resize at .*driver-rules/,
    ],
    [
      'a callback gives the RTNL away',
      notified(function* ({ net }) {
        yield* net.rtnl.unlock();
        return 'done';
      }),
      /^driver broke a rule: .*rtnl.* \| driver bad broke a rule in hv_pri_chan: /,
    ],
  ])('%s', (_, driver, finding) => {
    expect(findingOf(driver)).toMatch(finding);
    expect(findingOf(driver, { strategy: 'reduced', ordersMax: 20 })).toMatch(finding);
  });
});

describe('state that is not the kernel’s', () => {
  test('a variable that outlives the run', () => {
    let runs = 0;
    const driver: DriverFactory = (kernel) => {
      const number = ++runs;
      return loading(function* ({ sim }) {
        sim.trace.emit({ kind: 'log', level: 'info', dev: '', text: `run ${number}` });
      })(kernel);
    };
    const finding = findingOf(driver);
    expect(finding).toMatch(/^not the same twice \| event \d+ was .*run 2.*, and is .*run 3/);
    expect(finding).toContain('a variable outside of what the factory makes');
  });

  test('a module that is made only once', () => {
    let made: ReturnType<DriverFactory> | undefined;
    const driver: DriverFactory = (kernel) => (made ??= loading(nothing)(kernel));
    expect(findingOf(driver)).toMatch(/^not the same twice \| driver bad gives the module of an earlier run again/);
  });

  test('a variable of two contexts that no kernel object holds, found by steps that change places', () => {
    const driver = loading(function* ({ sim }) {
      const order: string[] = [];
      for (const name of ['a', 'b']) {
        const own = new Cell(sim, name, 0);
        const task = function* (): Task {
          yield* own.set(1);
          order.push(name);
          sim.trace.emit({ kind: 'log', level: 'info', dev: '', text: `${name} is number ${order.length}` });
        };
        sim.spawn(name, 'guest', task());
      }
    });
    const found = search(driver, { samples: 0 });
    expect(found.verdict).toBe('fails');
    expect(findingOf(driver)).toMatch(
      /^driver hides state \| "[ab]: set [ab]" and "[ab]: set [ab]" touch nothing in common/,
    );
    expect(findingOf(driver)).toContain('is to be in an object of the kernel, or to have a Place beside it');
  });

  test('a variable of two contexts that no kernel object holds misleads the search of all orders, which says so', () => {
    const driver = loading(function* ({ sim }) {
      const order: string[] = [];
      for (const name of ['a', 'b']) {
        const own = new Cell(sim, name, 0);
        const task = function* (): Task {
          yield* own.set(1);
          order.push(name);
          if (order[0] === 'b') throw new Error('b came first');
        };
        sim.spawn(name, 'guest', task());
      }
    });
    const wide = TEXT.replace(/ {2}\+0ms host.*\n.*\n/, '  +0ms guest load late\n');
    const late: DriverFactory = (kernel) => ({ ...driver(kernel), name: 'late' });
    const { found, searched } = explore(wide, { catalogue, drivers: late, samples: 10 });
    expect(searched).toMatchObject({ orders: 1, whole: true });
    expect(found.map(({ key }) => key)).toEqual(['driver threw: Error: b came first']);
    expect(found[0]?.text).toContain('The search of all orders does not meet it');
  });
});
