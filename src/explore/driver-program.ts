/** A scenario with drivers of somebody else as something to search: each run makes them anew, and is guarded. */
import type { DriverFactory, Module } from '../guest/linux/modules.ts';
import { type Catalogue, Machine } from '../machine/machine.ts';
import { ModelStage } from '../scenario/model-stage.ts';
import type { StageMaker } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Simulation } from '../sim/simulation.ts';
import type { Strategy } from '../sim/strategy.ts';
import type { Listener } from '../trace/recorder.ts';
import { DriverGuard } from './driver-guard.ts';
import type { Outcome, Program } from './program.ts';
import { type ScenarioProgramOptions, scenarioProgram } from './scenario-program.ts';
import { Diverged } from './strategies/reduced.ts';

export interface DriverProgramOptions extends ScenarioProgramOptions {
  readonly catalogue: Catalogue;
  readonly drivers: readonly DriverFactory[];
  /** How their modules are called, in the same order. */
  readonly names: readonly string[];
}

/** Without drivers nothing is guarded, and nothing costs. */
export function driverProgram(
  scenario: Scenario,
  { catalogue, drivers, names, ...options }: DriverProgramOptions,
): Program {
  if (drivers.length === 0) {
    return scenarioProgram(scenario, (plan, made) => new ModelStage(new Machine(plan, catalogue, made)), options);
  }
  const before = new WeakSet<Module>();
  return (strategy, listener) => {
    const guard = new DriverGuard(names);
    const make = drivers.map(
      (driver): DriverFactory =>
        (kernel) =>
          guard.make(driver, kernel, before),
    );
    let sim: Simulation | undefined;
    const makeStage: StageMaker<ModelStage> = (plan, made) => {
      guard.trace = made.trace;
      const machine = new Machine(plan, catalogue, { ...made, drivers: make, guard: guard.watch });
      sim = machine.sim;
      return new ModelStage(machine);
    };
    const program = scenarioProgram(scenario, makeStage, { ...options, enough: () => guard.found !== undefined });
    return guard.run(() => runOnce(program, strategy, listener, { guard, sim: () => sim }));
  };
}

function runOnce(
  program: Program,
  strategy: Strategy,
  listener: Listener | undefined,
  { guard, sim }: { readonly guard: DriverGuard; readonly sim: () => Simulation | undefined },
): Outcome {
  let outcome: Outcome;
  try {
    outcome = program(strategy, listener);
  } catch (error) {
    const at = sim();
    if (error instanceof Diverged || !guard.judge(error, at?.current)) throw error;
    // The search is to know what the step touched that was not done to its end.
    if (at?.current !== undefined) at.strategy.touched?.(at.current);
    outcome = { found: [], stop: 'asked', steps: at?.steps ?? 0 };
  }
  return guard.found === undefined ? outcome : { ...outcome, found: [...outcome.found, guard.found] };
}
