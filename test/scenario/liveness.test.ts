import { describe, expect, test } from 'vitest';
import { ms, type Nanoseconds, seconds } from '../../src/base/time.ts';
import { LongWaits } from '../../src/scenario/long-waits.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { WaitCell } from '../../src/sim/wait-cell.ts';
import type { EventOf } from '../../src/trace/event.ts';
import { keep } from '../../src/trace/recorder.ts';
import { runText } from '../support/text-scenario.ts';

describe('who has waited for very long', () => {
  /** Lets the simulation go on to a moment, with every look that is due; who was told of, and when. */
  function looks(sim: Simulation, until: Nanoseconds): readonly string[] {
    const events = keep(sim.trace);
    const waits = new LongWaits(sim);
    sim.after(until, () => {}); // something still ticks, or there would be nothing to wait for
    while (sim.now < until) {
      sim.run({ until: Math.min(until, waits.due) });
      waits.look();
    }
    return events
      .filter((event): event is EventOf<'task.hung'> => event.kind === 'task.hung')
      .map(({ task, operation, object, heldBy, since, time }) => {
        const holder = heldBy === '' ? '' : ` of ${heldBy}`;
        return `${time / 1e9}: ${task} ${operation} ${object}${holder} since ${since / 1e9}`;
      });
  }

  /** After a while it waits; the answer comes later, or never. */
  function waiter(sim: Simulation, name: string, from: Nanoseconds, answerAfter?: Nanoseconds, limit?: Nanoseconds) {
    function* wait(): Task {
      yield* sim.sleep(from, 'its time');
      const cell = new WaitCell<true>(sim, `${name}'s answer`, limit);
      if (answerAfter !== undefined) sim.after(answerAfter, () => cell.inject(true));
      yield* cell.wait();
    }
    sim.spawn(name, 'guest', wait());
  }

  test('is told to the moment, whenever the wait began', () => {
    const sim = new Simulation();
    waiter(sim, 'late', seconds(7));
    waiter(sim, 'later', seconds(119));
    expect(looks(sim, seconds(600))).toEqual([
      "127: late wait late's answer since 7",
      "239: later wait later's answer since 119",
    ]);
  });

  test('an answer at the last moment is in time', () => {
    const sim = new Simulation();
    waiter(sim, 'just', seconds(3), seconds(120));
    waiter(sim, 'missed', seconds(3), seconds(120) + 1);
    expect(looks(sim, seconds(600))).toEqual(["123: missed wait missed's answer since 3"]);
  });

  test('waits one after the other are not one long wait, and a wait with a limit is none', () => {
    const sim = new Simulation();
    function* patient(): Task {
      for (let i = 0; i < 20; i++) {
        const cell = new WaitCell<true>(sim, `answer ${i}`);
        sim.after(seconds(100), () => cell.inject(true));
        yield* cell.wait();
      }
    }
    sim.spawn('patient', 'guest', patient());
    waiter(sim, 'limited', 0, undefined, seconds(1000));
    expect(looks(sim, seconds(1500))).toEqual([]);
  });

  test('sleepers and the host are not told of', () => {
    const sim = new Simulation();
    function* sleeper(): Task {
      yield* sim.sleep(seconds(1000), 'a long night');
    }
    sim.spawn('sleeper', 'guest', sleeper());
    function* host(): Task {
      yield* new WaitCell<true>(sim, "the guest's answer").wait();
    }
    sim.spawn('host', 'host', host());
    expect(looks(sim, seconds(900))).toEqual([]);
  });

  test('who waits for a lock is told with whoever has it', () => {
    const sim = new Simulation();
    const lock = new Mutex(sim, 'rtnl');
    function* holder(): Task {
      yield* lock.lock();
      yield* sim.sleep(seconds(300), 'the device');
      yield* lock.unlock();
    }
    function* other(): Task {
      yield* sim.sleep(ms(10), 'its time');
      yield* lock.lock();
      yield* lock.unlock();
    }
    sim.spawn('holder', 'guest', holder());
    sim.spawn('other', 'user', other());
    expect(looks(sim, seconds(600))).toEqual(['120.01: other lock rtnl of holder since 0.01']);
  });
});

describe('a machine', () => {
  const up = ['+0ms host offer nic1', '~5s expect nic1 is present', '+0ms guest up nic1'];
  const withoutAssociation = [...up, '+20ms host offer vf of nic1'];

  test('whose association never comes waits for it under the RTNL, and everybody else for the RTNL', () => {
    const { verdict, failures } = runText({ steps: [...withoutAssociation, '+10s guest mtu nic1 1400'] });
    expect(verdict.exit).toBe(1);
    expect(failures.slice(0, 3)).toEqual([
      'rtnl-held-briefly: nic1.vf_takeover: it holds the RTNL, for which scenario waits and waits (since 10.020360 s)',
      'rtnl-held-briefly: nic1.vf_takeover: it holds the RTNL, for which linkwatch waits and waits (since 0.820500 s)',
      'host-waits-end: nic1.vf_takeover: it waits and waits: wait nic1.vf_add (since 0.820500 s)',
    ]);
    expect(failures[3]).toMatch(/^! stuck: scenario waits: lock rtnl/);
  });

  test('that still ticks meanwhile is told after two minutes', () => {
    const ticking = [
      ...up,
      '+0ms flow echo on nic1 every 10s',
      '+20ms host offer vf of nic1',
      '+200s expect nic1 is up',
    ];
    const { verdict, failures } = runText({ steps: ticking });
    const waits = 'host-waits-end: nic1.vf_takeover: it waits and waits: wait nic1.vf_add (since 0.820520 s)';
    expect(failures).toContain(waits);
    expect(verdict.failures[failures.indexOf(waits)]?.at).toBe(seconds(120) + 820_520_000);
  });

  test('that holds the RTNL for a second or more says so', () => {
    const { verdict, events } = runText({
      steps: [...withoutAssociation, '+10s host associate vf of nic1', '~5s expect datapath of nic1 is vf'],
    });
    expect(verdict).toMatchObject({ exit: 0, failures: [] });
    const held = events.filter((event): event is EventOf<'rtnl.held'> => event.kind === 'rtnl.held');
    expect(held.map(({ context, since }) => `${context} since ${since / 1e9}`)).toEqual([
      'nic1.vf_takeover since 0.5805',
    ]);
    expect(held[0]?.held).toBeGreaterThan(seconds(9));
  });

  test('whose interrupt gets lost leaves a ring unread', () => {
    const { failures } = runText({ steps: up }, (event, { machine }) => {
      if (event.kind === 'netvsc.listed') machine.bus.unlisten(1);
    });
    expect(failures).toContain(
      'nothing-unread: nic1: its ring holds something that the guest was not told of (since 0.000380 s)',
    );
    expect(failures).toContain(
      "host-waits-end: scenario: it waits and waits: wait nic1 host's answer to set (since 0.000360 s)",
    );
  });
});
