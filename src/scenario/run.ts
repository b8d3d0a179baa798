/**
 * Runs a scenario on a stage, to the end: its steps as a context of their own, then whatever still goes on until
 * nothing more can happen, and a verdict. What this leaves out: who looks at the events (a listener), and which order
 * is run (a strategy).
 */
import { formatDuration, formatMoment, seconds } from '../base/time.ts';
import type { Plan } from '../machine/plan.ts';
import type { Simulation, Stop } from '../sim/simulation.ts';
import type { Strategy } from '../sim/strategy.ts';
import { describeRunning, describeStuck, findStuck } from '../sim/stuck.ts';
import type { EventKind } from '../trace/event.ts';
import { type Listener, Recorder } from '../trace/recorder.ts';
import { Course } from './course.ts';
import { Watch } from './invariants/watch.ts';
import { Performance } from './performance.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import type { Failure, Verdict } from './verdict.ts';

/** Makes a stage from a plan; its first events already go to the recorder. */
export type StageMaker<S extends Stage = Stage> = (
  plan: Plan,
  options: { readonly trace: Recorder; readonly strategy?: Strategy },
) => S;

export interface RunOptions {
  readonly strategy?: Strategy | undefined;
  /** Steps of the simulation before the run is given up. */
  readonly stepsMax?: number | undefined;
  /** See every event, before what the invariants make of it. */
  readonly listeners?: readonly Listener[];
  /** Called now and then, for a line that shows how far the run is. */
  readonly onProgress?: (sim: Simulation) => void;
  /** Asked before each step: true ends the run there. */
  readonly enough?: () => boolean;
}

export interface Run<S extends Stage = Stage> {
  readonly verdict: Verdict;
  readonly stage: S;
}

export const USUAL_STEPS_MAX = 20_000_000;
/** How far behind the last step a run goes on when something never comes to rest (a client that asks for ever). */
const AFTERMATH = seconds(600);
/** How much longer than its own time a step may take before it counts as stuck. */
const PATIENCE = seconds(600);

/** The events that a verdict is made of. */
const COUNTED: readonly EventKind[] = ['scenario.expect', 'invariant.violated', 'invariant.exempt'];

/** Builds the stage from the scenario's plan, and runs the scenario on it. */
export function runScenario<S extends Stage>(
  scenario: Scenario,
  makeStage: StageMaker<S>,
  options: RunOptions = {},
): Run<S> {
  const trace = new Recorder();
  const failures: Failure[] = [];
  const exemptions: string[] = [];
  let expectations = 0;
  trace.listen((event) => {
    if (event.kind === 'scenario.expect') expectations++;
    if (event.kind === 'invariant.violated') failures.push(brokenInvariant(event));
    if (event.kind === 'invariant.exempt')
      exemptions.push(`${event.invariant} does not bind ${event.dev}: ${event.why}`);
  }, COUNTED);
  for (const listener of options.listeners ?? []) trace.listen(listener);
  const { strategy } = options;
  // Made before the stage, whose first events it is to see.
  const watch = new Watch(trace, scenario.always, () => stage.sim.isTimed);
  const stage: S = makeStage(scenario.plan, strategy === undefined ? { trace } : { trace, strategy });
  watch.noteIn(stage.sim);
  tellExemptions(scenario, trace);
  const performance = new Performance(scenario, stage);
  const { stepsMax = USUAL_STEPS_MAX, onProgress, enough } = options;
  const course = new Course(stage, { stepsMax, onProgress, enough });
  const { stop, stuck } = drive(stage, performance, course);
  stage.conclude?.();
  // What still ticks may let somebody go on after all.
  if (stop === 'idle') course.waits.rest();
  if (stop === 'idle' || stop === 'until') {
    for (const { dev, reader } of stage.unread?.() ?? []) trace.emit({ kind: 'ring.unread', dev, reader });
    watch.rest();
  }
  failures.unshift(...performance.failures);
  failures.push(...stuck);
  for (const { what, found } of stuck) trace.emit({ kind: 'sim.stuck', problem: what, detail: found });
  const limit = stop === 'steps' && stuck.length === 0 ? describeLimit(stage.sim) : whyNotJudged(scenario, stage);
  const counts = { steps: stage.sim.steps, events: trace.count, expectations };
  const exit = failures.length > 0 ? 1 : limit === undefined ? 0 : 3;
  return {
    stage,
    verdict: { exit, failures: failures.sort(byMoment), exemptions, limit, stop, counts, endTime: stage.sim.now },
  };
}

/** What the scenario asks for and its guest is not bound by. */
function tellExemptions({ plan, exempt = [] }: Scenario, trace: Recorder): void {
  for (const { invariant, why } of exempt) trace.emit({ kind: 'invariant.exempt', invariant, dev: plan.guest, why });
}

const byMoment = (a: Failure, b: Failure): number => a.step - b.step || a.at - b.at;

interface Outcome {
  readonly stop: Stop;
  readonly stuck: readonly Failure[];
}

/** First the steps, then what follows from them. */
function drive(stage: Stage, performance: Performance, course: Course): Outcome {
  const ended = performSteps(stage, performance, course);
  if (ended !== undefined) return ended;
  const { sim, settling = AFTERMATH } = stage;
  const stop = course.runUntil(sim.now + settling);
  if (stop === 'idle') return { stop, stuck: describeEnd(stage, performance) };
  if (stop !== 'until') return { stop, stuck: describeSpin(sim, course) };
  // Something still ticks, so a wait alone is no finding; a ring of contexts that wait for each other is.
  const ring = (findStuck(sim)?.cycle.length ?? 0) > 0;
  return { stop, stuck: ring ? describeRest(sim) : [] };
}

/** The end of the run, when there is none of the steps. */
function performSteps(stage: Stage, performance: Performance, course: Course): Outcome | undefined {
  const { sim, settling } = stage;
  // What comes to rest by itself is not interrupted before it does.
  const over = settling === undefined ? undefined : () => performance.over;
  while (!performance.over) {
    const due = performance.due + PATIENCE;
    const stop = course.runUntil(due, over);
    if (stop === 'asked' && over?.() === true) return undefined;
    if (stop === 'idle') return { stop, stuck: describeEnd(stage, performance) };
    if (stop === 'until' && due < performance.due + PATIENCE) continue;
    if (stop === 'until' && !performance.over) return { stop, stuck: [overdue(sim, performance)] };
    if (stop !== 'until') return { stop, stuck: describeSpin(sim, course) };
  }
  return undefined;
}

function describeSpin(sim: Simulation, { spin }: Course): readonly Failure[] {
  if (spin === undefined) return [];
  const found = `at ${formatMoment(sim.now)} s the same is done over and over: ${spin.join(', ')}`;
  return [{ kind: 'stuck', line: undefined, what: 'livelock', found, at: sim.now, step: sim.steps }];
}

/** Why nothing more can happen, where that is no good end. */
function describeEnd({ sim, death }: Stage, { line }: Performance): readonly Failure[] {
  return death === undefined ? describeRest(sim) : [{ kind: 'stuck', line, ...death, at: sim.now, step: sim.steps }];
}

function describeRest(sim: Simulation): readonly Failure[] {
  const report = findStuck(sim);
  if (report === undefined) return [];
  const what = report.cycle.length > 0 ? 'deadlock' : 'stuck';
  return [{ kind: 'stuck', line: undefined, what, found: describeStuck(report), at: sim.now, step: sim.steps }];
}

function overdue(sim: Simulation, performance: Performance): Failure {
  const waits = findStuck(sim);
  const who = waits === undefined ? '' : `; ${describeStuck(waits)}`;
  const found = `"${performance.doing}" has not come back ${formatDuration(PATIENCE)} after its time${who}`;
  return { kind: 'stuck', line: performance.line, what: 'stuck', found, at: sim.now, step: sim.steps };
}

/** Invariants hold of what was seen; where a stage has not seen all, nothing is said of them. */
const whyNotJudged = ({ always }: Scenario, { unseen }: Stage): string | undefined =>
  always.length > 0 ? unseen : undefined;

function describeLimit(sim: Simulation): string {
  const running = describeRunning(sim);
  return `${sim.steps} steps were done by ${formatMoment(sim.now)} s and these still run: ${running}`;
}

function brokenInvariant(event: {
  readonly invariant: string;
  readonly dev: string;
  readonly found: string;
  readonly since: number;
  readonly time: number;
  readonly step: number;
}): Failure {
  return {
    kind: 'invariant',
    line: undefined,
    what: event.invariant,
    found: `${event.dev}: ${event.found} (since ${formatMoment(event.since)} s)`,
    at: event.time,
    step: event.step,
  };
}
