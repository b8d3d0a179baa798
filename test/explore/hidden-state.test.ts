import { describe, expect, test } from 'vitest';
import { makeStage } from '../../src/cli/model.ts';
import { findHiddenState } from '../../src/explore/hidden-state.ts';
import type { Program } from '../../src/explore/program.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Place } from '../../src/sim/place.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { race, raceFiles } from '../support/race.ts';
import { shipped, shippedScenarios } from '../support/shipped.ts';

/** State that contexts share beside the kernel's objects shows when steps that touch nothing in common change places. */

/** Two contexts with a cell each, and a variable between them. */
function program(
  share: (sim: Simulation) => { readonly note: (name: string) => void; readonly first: () => string },
): Program {
  return (strategy, listener) => {
    const trace = new Recorder();
    if (listener !== undefined) trace.listen(listener);
    const sim = new Simulation(trace, strategy);
    const { note, first } = share(sim);
    for (const name of ['a', 'b', 'c']) {
      const own = new Cell(sim, name, 0);
      const task = function* (): Task {
        yield* own.set(1);
        yield* own.set(2);
        if (name !== 'c') note(name);
        yield* own.set(3);
        if (name === 'b') sim.trace.emit({ kind: 'log', level: 'info', dev: '', text: `${first()} was first` });
      };
      sim.spawn(name, 'guest', task());
    }
    return { found: [], stop: sim.run(), steps: sim.steps };
  };
}

const seeds = Array.from({ length: 10 }, (_, i) => i + 1);

const variable = (): { readonly note: (name: string) => void; readonly first: () => string } => {
  const names: string[] = [];
  return { note: (name) => names.push(name), first: () => names[0] ?? 'nobody' };
};

test('a variable of two contexts is found, with the two steps that it makes depend on each other', () => {
  const found = seeds.map((seed) => findHiddenState(program(variable), seed)).filter((each) => each !== undefined);
  expect(found.length).toBeGreaterThan(3);
  for (const { text } of found) {
    expect(text).toMatch(
      /^"[ab]: set [ab]" and "[ab]: set [ab]" touch nothing in common, and yet it matters which comes first: /,
    );
    expect(text).toMatch(/what b tells: .*[ab] was first.*, and not .*[ab] was first/);
  }
});

test('the order that is told shows the difference', () => {
  const found = seeds.map((seed) => findHiddenState(program(variable), seed)).find((each) => each !== undefined);
  expect(found?.order.map((choice) => 'times' in choice && choice.context)).toEqual(
    expect.arrayContaining(['a', 'b', 'c']),
  );
});

test('the same variable with a place beside it is no secret', () => {
  const noted = (sim: Simulation): ReturnType<typeof variable> => {
    const { note, first } = variable();
    const place = new Place(sim);
    return {
      note(name) {
        place.write();
        note(name);
      },
      first() {
        place.read();
        return first();
      },
    };
  };
  expect(seeds.map((seed) => findHiddenState(program(noted), seed))).toEqual(seeds.map(() => undefined));
});

/** From the first step on, whatever the scenario wants searched. */
const whole = (scenario: Scenario): Scenario => ({
  ...scenario,
  steps: scenario.steps.filter(({ body }) => body.kind !== 'orders'),
});

const STEPS_MAX = 20_000;
const cases = [
  ...shippedScenarios.map((name) => [name, shipped(name)] as const),
  ...raceFiles.map((file) => [file, race(file)] as const),
];

describe('netvsim itself has no secrets', () => {
  test.each(cases)('%s', (_, scenario) => {
    const model = scenarioProgram(whole(scenario), makeStage, { stepsMax: STEPS_MAX });
    expect([1, 2].map((seed) => findHiddenState(model, seed)?.text)).toEqual([undefined, undefined]);
  });
});
