import { describe, expect, test } from 'vitest';
import { ms } from '../../src/base/time.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Doorbell } from '../../src/sim/doorbell.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { findSpin } from '../../src/sim/spin.ts';

const stepping = (sim: Simulation) => () => sim.run({ stepsMax: sim.steps + 1 }) === 'steps';

function* forEver(round: (n: number) => Task): Task {
  for (let n = 0; ; n++) yield* round(n);
}

describe('a spin', () => {
  test('of one who looks again and again', () => {
    const sim = new Simulation();
    const flag = new Cell(sim, 'flag', false);
    function* look(): Task {
      yield* flag.get();
    }
    sim.spawn('poller', 'guest', forEver(look));
    expect(findSpin(sim, stepping(sim))).toEqual(['poller (get flag)']);
  });

  test('of two who wake each other', () => {
    const sim = new Simulation();
    const bells = [new Doorbell(sim, 'left'), new Doorbell(sim, 'right')] as const;
    function* pass(from: Doorbell, to: Doorbell): Task {
      yield* from.wait();
      yield* to.ring();
    }
    sim.spawn(
      'a',
      'guest',
      forEver(() => pass(bells[0], bells[1])),
    );
    sim.spawn(
      'b',
      'guest',
      forEver(() => pass(bells[1], bells[0])),
    );
    bells[0].inject();
    const found = findSpin(sim, stepping(sim));
    expect(found?.toSorted()).toEqual(['a (heed left)', 'a (ring right)', 'b (heed right)', 'b (ring left)']);
  });
});

describe('no spin', () => {
  test('when time moves, however little', () => {
    const sim = new Simulation();
    sim.spawn(
      'sleeper',
      'guest',
      forEver(() => sim.sleep(ms(1), 'a while') as unknown as Task),
    );
    expect(findSpin(sim, stepping(sim))).toBeUndefined();
  });

  test('when something new is done after all', () => {
    const sim = new Simulation();
    const flag = new Cell(sim, 'flag', 0);
    function* work(n: number): Task {
      if (n < 11_000) yield* flag.set(n);
      else yield* new Cell(sim, `result ${n}`, 0).set(n);
    }
    sim.spawn('worker', 'guest', forEver(work));
    expect(findSpin(sim, stepping(sim))).toBeUndefined();
    expect(sim.steps).toBe(11_001);
  });

  test('when the order never lets somebody run who could', () => {
    const sim = new Simulation();
    const flag = new Cell(sim, 'flag', false);
    function* look(): Task {
      yield* flag.get();
    }
    function* raise(): Task {
      yield* flag.set(true);
    }
    sim.spawn('poller', 'guest', forEver(look));
    sim.spawn('setter', 'guest', raise());
    expect(findSpin(sim, stepping(sim))).toBeUndefined();
  });

  test('when the run ends', () => {
    const sim = new Simulation();
    const flag = new Cell(sim, 'flag', 0);
    function* work(): Task {
      for (let n = 0; n < 5000; n++) yield* flag.set(n);
    }
    sim.spawn('worker', 'guest', work());
    expect(findSpin(sim, stepping(sim))).toBeUndefined();
  });
});
