/**
 * A known race as a scenario: the situation that it came from, never the order that went wrong. With every fix it holds
 * in all orders; without the one that ended the race there is an order that breaks what {@link Race.breaks} says.
 */
import type { Race, Scenario } from './scenario.ts';
import type { Failure } from './verdict.ts';

/** What a race can break beside invariants: a step's expectation, or that everything comes to its end. */
export const OTHER_BREAKS: readonly string[] = ['expectation', 'deadlock', 'livelock', 'stuck'];

/** The scenario on a kernel without the fixes that ended its race; one that is no race stays as it is. */
export function unfixed(scenario: Scenario): Scenario {
  return scenario.race === undefined ? scenario : withoutFixes(scenario, scenario.race.without);
}

/** The scenario with each of the proposed cures alone, on a kernel without the fixes that ended its race. */
export function remedied(scenario: Scenario): readonly { readonly remedy: string; readonly scenario: Scenario }[] {
  const { plan, ...rest } = unfixed(scenario);
  return (scenario.race?.remedies ?? []).map((remedy) => {
    return { remedy, scenario: { ...rest, plan: { ...plan, fixes: { ...plan.fixes, [remedy]: true } } } };
  });
}

/** The scenario on a kernel without these fixes. */
export function withoutFixes(scenario: Scenario, fixes: readonly string[]): Scenario {
  const { plan } = scenario;
  const off = Object.fromEntries(fixes.map((fix) => [fix, false]));
  return { ...scenario, plan: { ...plan, fixes: { ...plan.fixes, ...off } } };
}

/** Whether a failure is the one that the race is about. */
export function isBreakOf(race: Race, { kind, what }: Failure): boolean {
  return race.breaks === 'expectation' ? kind === 'expectation' : what === race.breaks;
}
