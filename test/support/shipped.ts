import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { ModelStage } from '../../src/scenario/model-stage.ts';
import { type Run, type RunOptions, runScenario } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { Event } from '../../src/trace/event.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/scenarios/', import.meta.url));

export const shippedScenarios: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();

/** Whether a guest has everything that a shipped scenario names. */
export function runsOn(name: string, guest: string): boolean {
  const file = `${FOLDER}${name}.yaml`;
  return loadScenario(readFileSync(file, 'utf8'), file, VOCABULARY, { guest }).ok;
}

/** A scenario that the package ships, changed where the test says. */
export function shipped(name: string, change: { guest?: string; transport?: 'direct' | 'bytes' } = {}): Scenario {
  const file = `${FOLDER}${name}.yaml`;
  const loaded = loadScenario(readFileSync(file, 'utf8'), file, VOCABULARY, change);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value;
}

export interface Told extends Run<ModelStage> {
  readonly events: readonly Event[];
}

/** Runs it and keeps what happened. */
export function runShipped(
  scenario: Scenario,
  options: RunOptions & { readonly onStage?: (stage: ModelStage) => void } = {},
): Told {
  const events: Event[] = [];
  const listeners = [...(options.listeners ?? []), (event: Event) => events.push(event)];
  const { onStage, ...rest } = options;
  const make: typeof makeStage = (plan, made) => {
    const stage = makeStage(plan, made);
    onStage?.(stage);
    return stage;
  };
  return { ...runScenario(scenario, make, { ...rest, listeners }), events };
}

/** One event a line, with everything that it tells: what golden traces are made of. */
export function traceLine({ time, step, context, kind, ...fields }: Event): string {
  const told = Object.entries(fields).map(([key, value]) => `${key}=${value === '' ? '-' : value}`);
  return `${(time / 1e9).toFixed(6)} ${step} ${context.replaceAll(' ', '_')} ${kind} ${told.join(' ')}`;
}
