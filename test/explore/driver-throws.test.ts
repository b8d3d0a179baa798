import { describe, expect, test, vi } from 'vitest';
import { explore } from '../../src/explore/drivers.ts';
import { setMtu } from '../../src/guest/linux/device.ts';
import type { DriverFactory } from '../../src/guest/linux/modules.ts';
import { Registry } from '../../src/guest/linux/registry.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Work } from '../../src/sim/work.ts';
import {
  catalogue,
  findingOf,
  fine,
  loading,
  nothing,
  notified,
  ours,
  plainly,
  search,
  TEXT,
} from '../support/bad-driver.ts';

/** Drivers of somebody else that throw, break a rule of the kernel, or keep state beside it. */

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
        `^driver threw: TypeError: oops \\| driver bad threw in ${context} at .*oops.* \\(driver-throws.test.ts:\\d+\\): TypeError: oops$`,
      ),
    );
  });

  test('in a timer, which is nobody’s context', () => {
    const driver = loading(function* ({ sim }) {
      sim.after(5, oops);
    });
    expect(findingOf(driver)).toMatch(/^driver threw: TypeError: oops \| driver bad threw at .*oops \(driver-throws/);
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
    expect(() => search(notified(fine))).toThrow(/^a bug \(by the usual order, in the order 'boot/);
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
      /^driver broke a rule: dev_set_mtu without the RTNL \| driver bad broke a rule in resize at .*driver-throws/,
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
