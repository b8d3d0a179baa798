import { describe, expect, test } from 'vitest';
import { ms } from '../../src/base/time.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { describeStuck, findStuck } from '../../src/sim/stuck.ts';
import { OrderedQueue, Work } from '../../src/sim/work.ts';

/** A machine with one delayed work item that takes 10 ms, and a log with the milliseconds. */
function machine(options: { readonly rearms?: number } = {}) {
  const sim = new Simulation();
  const log: string[] = [];
  const say = (text: string): number => log.push(`${sim.now / ms(1)} ${text}`);
  let rearms = options.rearms ?? 0;
  const work: Work = new Work(sim, 'dwork', function* () {
    say('begin');
    yield* sim.sleep(ms(10), 'work');
    if (rearms-- > 0) say(`re-armed: ${yield* work.schedule(ms(5))}`);
    say('end');
  });
  const does = (task: () => Task): void => {
    sim.spawn('driver', 'guest', task());
    sim.run();
  };
  return { sim, work, log, say, does };
}

describe('a work item', () => {
  test('runs after its delay', () => {
    const { work, log, does } = machine();
    does(function* () {
      yield* work.schedule(ms(100));
    });
    expect(log).toEqual(['100 begin', '110 end']);
  });

  test('is pending at most once: the first delay counts', () => {
    const { work, log, does } = machine();
    does(function* () {
      yield* work.schedule(ms(100));
      expect(yield* work.schedule()).toBe(false);
    });
    expect(log).toEqual(['100 begin', '110 end']);
  });

  test('can be scheduled again while it runs, and never runs beside itself', () => {
    const { sim, work, log, does } = machine();
    does(function* () {
      yield* work.schedule();
      yield* sim.sleep(ms(3), 'the work to begin');
      expect(yield* work.schedule()).toBe(true);
      expect(yield* work.schedule()).toBe(false);
    });
    expect(log).toEqual(['0 begin', '10 end', '10 begin', '20 end']);
  });

  test('can be taken back while it waits', () => {
    const { work, log, does } = machine();
    does(function* () {
      yield* work.schedule(ms(100));
      expect(yield* work.cancel()).toBe(true);
      expect(yield* work.cancel()).toBe(false);
    });
    expect(log).toEqual([]);
  });

  test('and be scheduled anew after that, with the new delay', () => {
    const { work, log, does } = machine();
    does(function* () {
      yield* work.schedule(ms(100));
      yield* work.cancel();
      yield* work.schedule(ms(20));
    });
    expect(log).toEqual(['20 begin', '30 end']);
  });
});

describe('cancel and wait (cancel_delayed_work_sync)', () => {
  test('returns when the running body is over', () => {
    const { sim, work, log, say, does } = machine();
    does(function* () {
      yield* work.schedule();
      yield* sim.sleep(ms(3), 'the work to begin');
      yield* work.cancelSync();
      say('cancelled');
    });
    expect(log).toEqual(['0 begin', '10 end', '10 cancelled']);
  });

  test('keeps a body that re-arms itself from doing so', () => {
    const { sim, work, log, say, does } = machine({ rearms: 1 });
    does(function* () {
      yield* work.schedule();
      yield* sim.sleep(ms(3), 'the work to begin');
      yield* work.cancelSync();
      say('cancelled');
    });
    expect(log).toEqual(['0 begin', '10 re-armed: false', '10 end', '10 cancelled']);
  });

  test('leaves the item usable', () => {
    const { work, log, does } = machine();
    does(function* () {
      yield* work.schedule(ms(50));
      expect(yield* work.cancelSync()).toBe(true);
      expect(yield* work.schedule()).toBe(true);
    });
    expect(log).toEqual(['0 begin', '10 end']);
  });
});

describe('a work item that is retired', () => {
  test('cannot be scheduled any more, and its context is gone', () => {
    const { sim, work, log, does } = machine();
    does(function* () {
      yield* work.schedule();
      yield* sim.sleep(ms(3), 'the work to begin');
      yield* work.cancelSync();
      yield* work.retire();
      expect(yield* work.schedule()).toBe(false);
    });
    expect(log).toEqual(['0 begin', '10 end']);
    expect([...sim.alive()]).toEqual([]);
  });

  test.each([
    { at: 3, was: 'running' },
    { at: 0, was: 'idle+queued' },
  ])('while it is $was is our mistake: its body would end in the middle', ({ at, was }) => {
    const { sim, work, does } = machine();
    const early = (): void =>
      does(function* () {
        yield* work.schedule();
        if (at > 0) yield* sim.sleep(ms(at), 'the work to begin');
        yield* work.retire();
      });
    expect(early).toThrow(`dwork is retired while it is ${was}`);
  });
});

describe('a body that could not get a lock', () => {
  /** A work item that tries the RTNL, which a slow probe holds for 50 ms. */
  function contended() {
    const sim = new Simulation();
    const rtnl = new Mutex(sim, 'rtnl');
    const log: string[] = [];
    const work = new Work(sim, 'vf_takeover', function* () {
      const got = yield* rtnl.tryLock();
      log.push(`${sim.now / ms(1)} ${got ? 'got it' : 'busy'}`);
      if (!got) return rtnl;
      yield* rtnl.unlock();
      return undefined;
    });
    sim.spawn('probe', 'guest', hold());
    function* hold(): Task {
      yield* rtnl.lock();
      yield* work.schedule();
      yield* sim.sleep(ms(50), 'firmware');
      yield* rtnl.unlock();
    }
    return { sim, work, log };
  }

  test('tries again when it is free', () => {
    const { sim, log } = contended();
    sim.run();
    expect(log).toEqual(['0 busy', '50 got it']);
  });

  test('does not when it is cancelled meanwhile', () => {
    const { sim, work, log } = contended();
    sim.spawn('remove', 'guest', cancel());
    function* cancel(): Task {
      yield* sim.sleep(ms(20), 'the remove');
      yield* work.cancelSync();
    }
    sim.run();
    expect(log).toEqual(['0 busy']);
  });
});

describe('an ordered queue', () => {
  test('runs its items one at a time, in the order in which they came', () => {
    const sim = new Simulation();
    const queue = new OrderedQueue(sim, 'hv_pri_chan');
    const log: string[] = [];
    const item = (name: string) => ({
      name,
      *body(): Task {
        log.push(`${name} begins`);
        yield* sim.sleep(ms(1), name);
        log.push(`${name} ends`);
      },
    });
    sim.spawn(
      'offers',
      'guest',
      (function* () {
        yield* queue.queue(item('nic1'));
        yield* queue.queue(item('vf'));
      })(),
    );
    sim.run();
    expect(log).toEqual(['nic1 begins', 'nic1 ends', 'vf begins', 'vf ends']);
  });

  test('is destroyed when all that was queued has run, and its worker is gone then', () => {
    const sim = new Simulation();
    const queue = new OrderedQueue(sim, 'hv_pci');
    const log: string[] = [];
    sim.spawn(
      'remove',
      'guest',
      (function* () {
        yield* queue.queue({
          name: 'eject',
          *body() {
            yield* sim.sleep(ms(1), 'the driver to let go');
            log.push('ejected');
          },
        });
        yield* queue.destroy();
        log.push('destroyed');
      })(),
    );
    sim.run();
    expect(log).toEqual(['ejected', 'destroyed']);
    expect([...sim.alive()]).toEqual([]);
  });

  test('takes nothing more after that', () => {
    const sim = new Simulation();
    const queue = new OrderedQueue(sim, 'hv_pci');
    sim.spawn(
      'remove',
      'guest',
      (function* () {
        yield* queue.destroy();
        yield* queue.queue({ name: 'late', *body() {} });
      })(),
    );
    expect(() => sim.run()).toThrow('hv_pci is destroyed and takes no work');
  });

  test('refuses from the moment at which its end begins, while what was queued before still runs', () => {
    const sim = new Simulation();
    const queue = new OrderedQueue(sim, 'hv_pci');
    const log: string[] = [];
    const item = (name: string) => ({
      name,
      *body(): Task {
        yield* sim.sleep(ms(2), name);
        log.push(name);
      },
    });
    sim.spawn(
      'remove',
      'guest',
      (function* () {
        expect(yield* queue.queueOrRefuse(item('eject'))).toBe(true);
        yield* queue.destroy();
        log.push('destroyed');
      })(),
    );
    sim.spawn(
      'callback',
      'guest',
      (function* () {
        yield* sim.sleep(ms(1), 'the end to begin');
        log.push(`late: ${yield* queue.queueOrRefuse(item('late'))}`);
        yield* sim.sleep(ms(5), 'the end to be over');
        log.push(`later: ${yield* queue.queueOrRefuse(item('later'))}`);
      })(),
    );
    sim.run();
    expect(log).toEqual(['late: false', 'eject', 'destroyed', 'later: false']);
  });

  test('that waits for its own end is a deadlock with itself', () => {
    const sim = new Simulation();
    const queue = new OrderedQueue(sim, 'hv_pci');
    sim.spawn(
      'remove',
      'guest',
      (function* () {
        yield* queue.queue({ name: 'remove', body: () => queue.destroy() });
      })(),
    );
    sim.run();
    const report = findStuck(sim);
    expect(report && describeStuck(report)).toBe(
      'deadlock: hv_pci -> hv_pci; hv_pci waits: drain hv_pci (busy+0 closed), held by hv_pci',
    );
  });
});
