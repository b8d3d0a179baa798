/**
 * Whole orders of a scenario: what a search found in the part that it searched, as an order from the first step to the
 * last, and such an order run again.
 */
import { runScenario, type StageMaker } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Strategy } from '../sim/strategy.ts';
import { FollowSchedule } from './follow.ts';
import { FollowLeniently } from './follow-leniently.ts';
import { RecordOrder } from './record-order.ts';
import { keyOf, type ScenarioProgramOptions, windowOf } from './scenario-program.ts';
import type { Choice, Schedule } from './schedule.ts';

/** The whole run around a minimised order of the searched part, and what is found in it. */
export function wholeOrder(
  scenario: Scenario,
  makeStage: StageMaker,
  order: readonly Choice[],
  { stepsMax, anyTime = false }: ScenarioProgramOptions = {},
): Pick<Schedule, 'choices' | 'finds'> {
  const whole = new RecordOrder(windowOf(scenario, new FollowLeniently(order), anyTime));
  const { failures } = runScenario(scenario, makeStage, { strategy: whole, stepsMax }).verdict;
  return { choices: whole.choices, finds: [...new Set(failures.map(keyOf))] };
}

/** Runs a whole order again: what it decides, and afterwards how that went. */
export class Replay {
  readonly strategy: Strategy;
  private readonly strict: FollowSchedule | undefined;
  private readonly inner: RecordOrder;

  /** `lenient`: what cannot run when it should waits until it can, or is left out. */
  constructor(scenario: Scenario, { choices, time }: Pick<Schedule, 'choices' | 'time'>, lenient = false) {
    this.strict = lenient ? undefined : new FollowSchedule(choices);
    const follow = this.strict ?? new FollowLeniently(choices);
    this.inner = new RecordOrder(follow);
    this.strategy = windowOf(scenario, this.inner, time === 'any', follow);
  }

  /** Why the run does not fit the order; never there when it is followed leniently. */
  get misfit(): string | undefined {
    return this.strict?.divergence ?? this.strict?.unused;
  }

  /** What was decided in the part of the run that a search looks at. */
  get searched(): readonly Choice[] {
    return this.inner.choices;
  }
}
