/** Which modules the drivers of somebody else are, and where a scenario loads them. */
import type { DriverFactory, Module } from '../guest/linux/modules.ts';
import { familyOf, linuxOf } from '../machine/guests.ts';
import { type Catalogue, Machine } from '../machine/machine.ts';
import type { Plan } from '../machine/plan.ts';
import { type Scenario, USUAL_GUEST } from '../scenario/scenario.ts';
import { DriverGuard } from './driver-guard.ts';

/** What was given to be searched cannot be: the text is no scenario, a driver is none. The message says why. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

const NOTHING: Plan = {
  guest: USUAL_GUEST,
  fixes: {},
  nics: [],
  user: [],
  modules: [],
  latency: {},
  transport: 'direct',
};

/** The names of the modules that the drivers make, each made once on a machine without devices. */
export function moduleNames(drivers: readonly DriverFactory[], catalogue: Catalogue): readonly string[] {
  const names = drivers.map((driver, i) => {
    if (typeof driver !== 'function') throw new SourceError(`driver number ${i + 1} is no function`);
    const guard = new DriverGuard([`number ${i + 1}`]);
    const made: Module[] = [];
    const make: DriverFactory = (kernel) => {
      made.push(guard.make(driver, kernel));
      return made[0] as Module;
    };
    const error = guard.run(() => {
      try {
        new Machine(NOTHING, catalogue, { drivers: [make], guard: guard.watch });
        return undefined;
      } catch (thrown) {
        return guard.judge(thrown, undefined) ? undefined : thrown;
      }
    });
    if (guard.found !== undefined) throw new SourceError(guard.found.text);
    if (error !== undefined) throw error;
    return (made[0] as Module).name;
  });
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new SourceError(`two of the drivers are called ${twice}`);
  return names;
}

/**
 * The scenario with these modules among those that are loaded before its first step, behind the others; those that stand
 * in for the guest's own are loaded when those are, and one that a step of the scenario loads is left to it.
 */
export function withModules(scenario: Scenario, names: readonly string[], catalogue: Catalogue): Scenario {
  const { guest } = scenario.plan;
  if (names.length > 0 && familyOf(guest) !== 'linux') {
    throw new SourceError(`${guest} takes no drivers: those of one's own are for Linux guests`);
  }
  const own = linuxOf(new Machine(NOTHING, catalogue)).modules.names();
  const steps = scenario.steps.flatMap(({ body }) =>
    body.kind === 'guest' && body.command.do === 'load' ? [body.command.module] : [],
  );
  const added = names.filter((name) => !own.includes(name));
  const { modules } = scenario.plan;
  const wanted = added.filter((name) => !steps.includes(name) && !modules.includes(name));
  const loaded = [...modules.filter((name) => !added.includes(name) || !steps.includes(name)), ...wanted];
  return { ...scenario, plan: { ...scenario.plan, modules: loaded } };
}
