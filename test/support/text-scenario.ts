import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { ModelStage } from '../../src/scenario/model-stage.ts';
import { type Run, runScenario } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { Event } from '../../src/trace/event.ts';

export interface TextScenario {
  /** Lines; without a header the NICs are one, with a VF. */
  readonly steps: readonly string[];
  readonly nics?: readonly string[];
  /** Other lines of the header: `fixes: { vf-gate: off }`. */
  readonly header?: readonly string[];
}

export interface Told extends Run<ModelStage> {
  readonly events: readonly Event[];
  /** `stop-on-synthetic: nic1.vf: it went down ...`; what no invariant is for has an exclamation mark before it. */
  readonly failures: readonly string[];
}

/** A scenario that a test writes down. */
export function textScenario({
  steps,
  nics = ['nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 }'],
  header = [],
}: TextScenario): Scenario {
  const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');
  const head = ['name: test', 'about: test', ...header].map((line) => `${line}\n`).join('');
  const text = `${head}nics:\n${indented(nics)}steps: |\n${indented(steps)}`;
  const loaded = loadScenario(text, 'test.yaml', VOCABULARY);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value;
}

/** Runs it; `meddle` is told each event, and may reach into the machine. */
export function runText(scenario: TextScenario, meddle: (event: Event, stage: ModelStage) => void = () => {}): Told {
  const events: Event[] = [];
  let made: ModelStage | undefined;
  const run = runScenario(
    textScenario(scenario),
    (plan, options) => {
      made = makeStage(plan, options);
      return made;
    },
    {
      listeners: [
        (event) => {
          events.push(event);
          if (made !== undefined) meddle(event, made);
        },
      ],
    },
  );
  const failures = run.verdict.failures.map(
    ({ kind, what, found }) => `${kind === 'invariant' ? '' : '! '}${what}: ${found}`,
  );
  return { ...run, events, failures };
}
