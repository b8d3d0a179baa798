/** Small programs with one known bug each, for minimising orders and for naming the two operations that race. */
import { ms } from '../../src/base/time.ts';
import type { Found, Program } from '../../src/explore/program.ts';
import { Window } from '../../src/explore/strategies/window.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Queue } from '../../src/sim/queue.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { describeStuck, findStuck } from '../../src/sim/stuck.ts';
import { Work } from '../../src/sim/work.ts';
import { Recorder } from '../../src/trace/recorder.ts';

/** What the program says, once it has come to rest, of how that went; undefined when all is well. */
type Judge = () => Found | undefined;

/** `anyTime`: timers may fire before what could run. */
export function toy(build: (sim: Simulation) => Judge, { anyTime = false } = {}): Program {
  return (strategy, listener) => {
    const trace = new Recorder();
    if (listener !== undefined) trace.listen(listener);
    const sim = new Simulation(trace, new Window(strategy, true, anyTime));
    const judge = build(sim);
    const stop = sim.run({ stepsMax: 2000 });
    const found = judge();
    return { found: found === undefined ? [] : [found], stop, steps: sim.steps };
  };
}

/**
 * Two add one to a counter, each by a read and a write. `lock`: under a lock that only the first one takes; `prelude`: so
 * many steps that the first one does before, while others could run already.
 */
export const lostUpdate = ({ lock = false, noise = 0, prelude = 0 } = {}): Program =>
  toy((sim) => {
    const counter = new Cell(sim, 'counter', 0);
    const mutex = new Mutex(sim, 'lock of a');
    function* add(locked: boolean, before = 0): Task {
      const own = new Cell(sim, 'prelude', 0);
      for (let i = 0; i < before; i++) yield* own.set(i);
      if (locked) yield* mutex.lock();
      const was = yield* counter.get();
      yield* counter.set(was + 1);
      if (locked) yield* mutex.unlock();
    }
    sim.spawn('a', 'guest', add(lock, prelude));
    sim.spawn('b', 'guest', add(false));
    for (let i = 0; i < noise; i++) sim.spawn(`noise ${i}`, 'guest', hum(sim, i));
    return () => (counter.now === 2 ? undefined : { key: 'lost update', text: `the counter is ${counter.now}` });
  });

function* hum(sim: Simulation, i: number): Task {
  const own = new Cell(sim, `own of ${i}`, 0);
  for (let n = 0; n < 5; n++) yield* own.set(n);
}

/** A device is published before its flag is set; `lock`: under a lock that the reader does not take. */
export const flagTooLate = ({ lock = false } = {}): Program =>
  toy((sim) => {
    const devices = new Queue<string>(sim, 'devices');
    const flag = new Cell(sim, 'flag', false);
    const rtnl = new Mutex(sim, 'rtnl');
    let found: Found | undefined;
    sim.spawn(
      'driver',
      'guest',
      (function* (): Task {
        if (lock) yield* rtnl.lock();
        yield* devices.put('vf');
        yield* flag.set(true);
        if (lock) yield* rtnl.unlock();
      })(),
    );
    sim.spawn(
      'reader',
      'user',
      (function* (): Task {
        const dev = yield* devices.take();
        if (!(yield* flag.get())) found = { key: 'unmarked', text: `${dev} has no flag` };
        sim.trace.emit({ kind: 'manager', dev, ifname: 'eth1', decision: 'looks at', why: '' });
      })(),
    );
    return () => found;
  });

/** Two locks, taken in two orders. */
export const twoLocks: Program = toy((sim) => {
  const [one, other] = [new Mutex(sim, 'A'), new Mutex(sim, 'B')];
  function* take(first: Mutex, second: Mutex): Task {
    yield* first.lock();
    yield* second.lock();
    yield* second.unlock();
    yield* first.unlock();
  }
  sim.spawn('ab', 'guest', take(one, other));
  sim.spawn('ba', 'guest', take(other, one));
  return () => {
    const stuck = findStuck(sim);
    return stuck === undefined ? undefined : { key: 'deadlock', text: describeStuck(stuck) };
  };
});

/** A work item counts on what its scheduler does within 100 ms. */
export const timerTooEarly: Program = toy(
  (sim) => {
    const ready = new Cell(sim, 'ready', false);
    let found: Found | undefined;
    const work = new Work(sim, 'delayed', function* (): Task {
      if (!(yield* ready.get())) found = { key: 'not ready', text: 'the work came before what it needs' };
    });
    sim.spawn(
      'starter',
      'guest',
      (function* (): Task {
        yield* work.schedule(ms(100));
        yield* hum(sim, 0);
        yield* ready.set(true);
      })(),
    );
    return () => found;
  },
  { anyTime: true },
);

/** Asks so many times whether a message is dropped, and cannot do without the one of this number. */
export const droppedMessage = (messages: number, needed: number): Program =>
  toy((sim) => {
    const sent = new Cell(sim, 'sent', 0);
    const lost: number[] = [];
    sim.spawn(
      'sender',
      'host',
      (function* (): Task {
        for (let i = 0; i < messages; i++) {
          yield* sent.set(i);
          if (sim.strategy.value('drop', 2) === 1) lost.push(i);
        }
      })(),
    );
    return () => (lost.includes(needed) ? { key: 'lost message', text: `lost ${lost.join(', ')}` } : undefined);
  });

/** Two must take turns, step by step, for it to be found: there is nothing to leave out. */
export const takingTurns = (turns: number): Program =>
  toy((sim) => {
    let said = '';
    function* speak(word: string): Task {
      const own = new Cell(sim, word, 0);
      for (let i = 0; i < turns; i++) {
        yield* own.set(i);
        said += word;
      }
    }
    for (const word of ['a', 'b']) sim.spawn(word, 'guest', speak(word));
    return () => (said === 'ab'.repeat(turns) ? { key: 'turns', text: 'they take turns' } : undefined);
  });

/** The writer writes two halves, and the reader asks for the second one only where it has seen the first. */
export const halfWritten: Program = toy((sim) => {
  const halves = ['first half', 'second half'].map((name) => new Cell(sim, name, false));
  let found: Found | undefined;
  sim.spawn(
    'writer',
    'guest',
    (function* (): Task {
      for (const half of halves) yield* half.set(true);
    })(),
  );
  sim.spawn(
    'reader',
    'guest',
    (function* (): Task {
      for (const half of halves) {
        if (yield* half.get()) continue;
        found = { key: 'half', text: `the ${half.name} is missing` };
        return;
      }
    })(),
  );
  return () => found;
});

/** A request is sent, and what it is about is gone before the answer has come. */
export const notAwaited: Program = toy((sim) => {
  const requests = new Queue<string>(sim, 'requests');
  const open = new Cell(sim, 'open', true);
  let found: Found | undefined;
  sim.spawn(
    'client',
    'guest',
    (function* (): Task {
      yield* requests.put('leave');
      yield* open.set(false);
    })(),
  );
  sim.spawn(
    'server',
    'host',
    (function* (): Task {
      yield* requests.take();
      if (!(yield* open.get())) found = { key: 'closed', text: 'it was closed before it was left' };
    })(),
  );
  return () => found;
});

/** Something is said to be ready, and is only ready some time later. */
export const saidTooEarly: Program = toy((sim) => {
  const ready = new Cell(sim, 'ready', false);
  const value = new Cell(sim, 'value', 0);
  let found: Found | undefined;
  sim.spawn(
    'maker',
    'guest',
    (function* (): Task {
      yield* ready.set(true);
      yield* sim.sleep(ms(1), 'its making');
      yield* value.set(1);
    })(),
  );
  sim.spawn(
    'user',
    'user',
    (function* (): Task {
      if ((yield* ready.get()) && value.now === 0) found = { key: 'nothing there', text: 'ready, and there is none' };
    })(),
  );
  return () => found;
});
