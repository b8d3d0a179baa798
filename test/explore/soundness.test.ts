import { expect, test } from 'vitest';
import type { Program } from '../../src/explore/program.ts';
import type { Reduction } from '../../src/explore/strategies/reduced.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Place } from '../../src/sim/place.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { enumerate } from './enumerate.ts';
import { compare, comparePlan } from './soundness.ts';

const PROGRAMS = 300;
/** Orders beyond which a program is too large to be enumerated plainly: one in four is. */
const RUNS_MAX = 500;

test(`the reduced search ends as plain enumeration does, on ${PROGRAMS} random programs`, () => {
  const problems: string[] = [];
  let [compared, tooLarge, naive, reduced] = [0, 0, 0, 0];
  for (let seed = 1; compared < PROGRAMS; seed++) {
    const comparison = compare(seed, RUNS_MAX);
    if (comparison.verdict === 'too large') {
      tooLarge++;
      continue;
    }
    compared++;
    naive += comparison.naive;
    reduced += comparison.reduced;
    if (comparison.verdict === 'differs') problems.push(comparison.problem);
  }
  expect(problems).toEqual([]);
  // More programs were drawn, and are too large to be enumerated plainly: they are no part of the claim.
  expect({ tooLarge, naive, reduced }).toMatchInlineSnapshot(`
    {
      "naive": 12919,
      "reduced": 2808,
      "tooLarge": 65,
    }
  `);
});

/** Programs in which orders were missed once, or run twice. Each context: what it does, and to which object. */
const FOUND: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'an event is raised while its first handler comes': [['handlers.raise 0'], ['place.look 0', 'handlers.register 0']],
  'two come to be the first handlers of an event': [
    ['handlers.raise 0', 'handlers.register 0'],
    ['handlers.register 1', 'handlers.register 0'],
  ],
  'a step makes an object, and in other orders another object has its number': [
    ['sysfs.find 0', 'sysfs.rename 1'],
    ['sysfs.find 0', 'sysfs.rename 1'],
  ],
  'a step touches less behind another one, and slept before it': [
    ['place.touchOtherIfUntouched 1'],
    ['place.look 1', 'place.touchOtherIfUntouched 0'],
    ['place.look 0'],
  ],
  'a context that is ended waits at another object by then': [
    ['context.end 0', 'context.sleep 0'],
    ['context.sleep 0', 'context.end 1'],
    ['context.end 0'],
  ],
};

test.each(Object.entries(FOUND))('%s', (_, contexts) => {
  const action = (text: string): { kind: string; do: string; n: number } => {
    const [kind = '', what = '', n] = text.split(/[. ]/);
    return { kind, do: what, n: Number(n) };
  };
  const plan = { contexts: contexts.map((actions) => actions.map(action)), work: [], patient: true };
  expect(comparePlan(plan, { anyTime: true, runsMax: 100_000 })).toMatchObject({ verdict: 'agrees', problem: '' });
});

/** Two contexts that touch one thing beside what they operate on, and may or may not say so. */
function sharing(said: boolean): Program {
  return (strategy) => {
    const sim = new Simulation(new Recorder(), strategy);
    const place = new Place(sim);
    let shared = '';
    function* touch(name: string): Task {
      yield* new Cell(sim, `${name}'s own`, 0).set(1);
      if (said) place.write();
      shared += name;
    }
    for (const name of ['a', 'b']) sim.spawn(name, 'guest', touch(name));
    const stop = sim.run();
    return { found: stop === 'cut' ? [] : [{ key: shared, text: '' }], stop, steps: sim.steps };
  };
}

const endsOf = (program: Program, reduction: Reduction): readonly string[] =>
  [...enumerate(program, { reduction, anyTime: false, runsMax: 100 }).ends].sort();

test('state that is shared without a word makes it miss ends, and plain enumeration none', () => {
  expect(endsOf(sharing(false), 'none')).toEqual(['ab', 'ba']);
  expect(endsOf(sharing(false), 'races')).toEqual(['ab']);
  expect(endsOf(sharing(true), 'races')).toEqual(['ab', 'ba']);
});
