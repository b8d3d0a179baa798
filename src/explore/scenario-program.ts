import { runScenario, type StageMaker } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Failure } from '../scenario/verdict.ts';
import type { Strategy } from '../sim/strategy.ts';
import type { Program } from './program.ts';
import { Window } from './strategies/window.ts';

export interface ScenarioProgramOptions {
  /** Steps of one run before it is given up. */
  readonly stepsMax?: number | undefined;
  /** Timers may fire before what could run (the scenario's own never do). */
  readonly anyTime?: boolean | undefined;
  /** Asked before each step: true ends the run there. */
  readonly enough?: (() => boolean) | undefined;
}

/** A scenario as something to search; strategies decide only where it wants its orders searched. */
export function scenarioProgram(
  scenario: Scenario,
  makeStage: StageMaker,
  { stepsMax, anyTime = false, enough }: ScenarioProgramOptions = {},
): Program {
  return (inner, listener) => {
    const strategy = windowOf(scenario, inner, anyTime);
    const { failures, stop, counts, limit } = runScenario(scenario, makeStage, {
      strategy,
      stepsMax,
      listeners: listener === undefined ? [] : [listener],
      ...(enough === undefined ? {} : { enough }),
    }).verdict;
    const found = failures.map((failure) => ({ key: keyOf(failure), text: failure.found }));
    return { found, stop, steps: counts.steps, limit };
  };
}

/** Where the scenario wants its orders searched, and only there, `inner` decides. */
export function windowOf(scenario: Scenario, inner: Strategy, anyTime: boolean, outside?: Strategy): Window {
  const isMarked = scenario.steps.some(({ body }) => body.kind === 'orders' && body.all);
  return new Window(inner, !isMarked, anyTime, outside);
}

/** What makes two findings of different runs the same: what was broken, not by whom, where and when. */
export function keyOf({ kind, line, what }: Failure): string {
  if (kind === 'invariant') return what;
  return line === undefined ? what : `line ${line}: ${what}`;
}
