import { expect, test } from 'vitest';
import { Completion } from '../../src/sim/completion.ts';
import { Doorbell } from '../../src/sim/doorbell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { describeStuck, findStuck } from '../../src/sim/stuck.ts';

const stuckIn = (sim: Simulation): string => {
  const report = findStuck(sim);
  return report === undefined ? 'nothing' : describeStuck(report);
};

test('a lock lets one in at a time, and the next when it is released', () => {
  const sim = new Simulation();
  const rtnl = new Mutex(sim, 'rtnl');
  const log: string[] = [];
  for (const name of ['probe', 'ip']) {
    sim.spawn(
      name,
      'guest',
      (function* () {
        yield* rtnl.lock();
        log.push(`${name} in`);
        yield* sim.sleep(10, 'work');
        log.push(`${name} out`);
        yield* rtnl.unlock();
      })(),
    );
  }
  expect(sim.run()).toBe('idle');
  expect(log).toEqual(['probe in', 'probe out', 'ip in', 'ip out']);
});

test('trylock answers at once', () => {
  const sim = new Simulation();
  const rtnl = new Mutex(sim, 'rtnl');
  const got: boolean[] = [];
  sim.spawn(
    'holder',
    'guest',
    (function* () {
      got.push(yield* rtnl.tryLock());
      yield* sim.sleep(10, 'work');
      yield* rtnl.unlock();
    })(),
  );
  sim.spawn(
    'vf work',
    'guest',
    (function* () {
      got.push(yield* rtnl.tryLock());
      yield* sim.sleep(20, 'retry');
      got.push(yield* rtnl.tryLock());
    })(),
  );
  sim.run();
  expect(got).toEqual([true, false, true]);
});

test('releasing what somebody else holds is our mistake', () => {
  const sim = new Simulation();
  const rtnl = new Mutex(sim, 'rtnl');
  sim.spawn('stranger', 'guest', rtnl_unlock());
  function* rtnl_unlock() {
    yield* rtnl.unlock();
  }
  expect(() => sim.run()).toThrow('stranger releases rtnl, which nobody holds');
});

test('who takes a lock twice waits for himself, and the report says so', () => {
  const sim = new Simulation();
  const rtnl = new Mutex(sim, 'rtnl');
  sim.spawn(
    'mana probe',
    'guest',
    (function* () {
      yield* rtnl.lock();
      yield* rtnl.lock();
    })(),
  );
  sim.run();
  expect(stuckIn(sim)).toBe(
    'deadlock: mana probe -> mana probe; mana probe waits: lock rtnl (mana probe), held by mana probe',
  );
});

test('two locks in two orders: the report names the ring, and who is only behind it', () => {
  const sim = new Simulation();
  const rtnl = new Mutex(sim, 'rtnl');
  const rescan = new Mutex(sim, 'pci-rescan');
  const takes = (first: Mutex, second: Mutex) =>
    function* () {
      yield* first.lock();
      yield* sim.sleep(1, 'the other to take his');
      yield* second.lock();
    };
  sim.spawn('eject', 'guest', takes(rescan, rtnl)());
  sim.spawn('remove', 'guest', takes(rtnl, rescan)());
  sim.spawn(
    'ip link',
    'user',
    (function* () {
      yield* sim.sleep(5, 'boot');
      yield* rtnl.lock();
    })(),
  );
  sim.run();
  expect(stuckIn(sim)).toBe(
    'deadlock: eject -> remove -> eject; ' +
      'eject waits: lock rtnl (remove), held by remove; ' +
      'remove waits: lock pci-rescan (eject), held by eject; ' +
      'ip link waits: lock rtnl (remove), held by remove',
  );
});

test('a completion lets through as many as it was completed for', () => {
  const sim = new Simulation();
  const switched = new Completion(sim, 'vf_add');
  let through = 0;
  for (const name of ['a', 'b', 'c']) {
    sim.spawn(
      name,
      'guest',
      (function* () {
        yield* switched.wait();
        through++;
      })(),
    );
  }
  sim.spawn(
    'host',
    'guest',
    (function* () {
      yield* switched.complete();
      yield* switched.complete();
    })(),
  );
  sim.run();
  expect(through).toBe(2);
  expect(stuckIn(sim)).toBe('c waits: wait vf_add (0)');
});

test('complete_all lets everybody through, until it is made anew', () => {
  const sim = new Simulation();
  const done = new Completion(sim, 'done');
  const log: string[] = [];
  sim.spawn(
    'first',
    'guest',
    (function* () {
      yield* done.completeAll();
      yield* done.wait();
      yield* done.wait();
      log.push('twice through');
      yield* done.reinit();
      yield* done.wait();
      log.push('never');
    })(),
  );
  sim.run();
  expect(log).toEqual(['twice through']);
});

test('many rings before the worker wakes are one, and a worker at its bell is at rest', () => {
  const sim = new Simulation();
  const bell = new Doorbell(sim, 'channel 14');
  let wakes = 0;
  sim.spawn(
    'poll',
    'guest',
    (function* () {
      for (;;) {
        yield* bell.wait();
        wakes++;
      }
    })(),
    { daemon: true },
  );
  sim.after(5, () => {
    bell.inject();
    bell.inject();
  });
  sim.run();
  expect(wakes).toBe(1);
  expect(stuckIn(sim)).toBe('nothing');
});

test('a daemon that stops in the middle of its work is as stuck as anybody', () => {
  const sim = new Simulation();
  const answered = new Completion(sim, 'answered');
  sim.spawn(
    'worker',
    'guest',
    (function* () {
      yield* answered.wait();
    })(),
    { daemon: true },
  );
  sim.run();
  expect(stuckIn(sim)).toBe('worker waits: wait answered (0)');
});
