/** One run from a ground: the scenario's stretch and what is behind it, as the scenario has it or struck. */
import { assert } from '../../base/assert.ts';
import type { Nanoseconds } from '../../base/time.ts';
import { keyOf } from '../../explore/scenario-program.ts';
import type { Catalogue } from '../../host/plan.ts';
import type { Found } from '../../report/boot-explore.ts';
import { runScenario } from '../../scenario/run.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Step } from '../../scenario/step.ts';
import { formatFailure, type Verdict } from '../../scenario/verdict.ts';
import type { Task } from '../../sim/operation.ts';
import { Simulation } from '../../sim/simulation.ts';
import type { Event } from '../../trace/event.ts';
import { type Channel, observe } from '../compare/observe.ts';
import { type MachineImages, RealMachine } from '../real-machine.ts';
import type { Snapshot } from '../snapshot.ts';
import { isComplaint } from './complaints.ts';
import { type Ground, guestOn } from './ground.ts';
import { type Blow, StruckStage } from './struck-stage.ts';

/** What all runs of one stretch have in common. */
export interface Setting {
  readonly scenario: Scenario;
  readonly catalogue: Catalogue;
  readonly images: MachineImages;
  readonly ground: Ground;
  /** That of the ground, unpacked. */
  readonly snapshot: Snapshot;
}

export interface RunPlan {
  readonly steps: readonly Step[];
  readonly blow?: Blow;
  readonly quantum: number;
}

export interface ExploredRun {
  readonly stage: StruckStage;
  readonly verdict: Verdict;
  readonly events: readonly Event[];
  readonly found: readonly Found[];
  /** What could be seen of it from outside, in its order: messages and lines of the kernel's log. */
  readonly course: readonly string[];
}

export async function runFrom(setting: Setting, { steps, blow, quantum }: RunPlan): Promise<ExploredRun> {
  const { scenario, catalogue, images, ground, snapshot } = setting;
  letGo();
  const machine = await RealMachine.restore(scenario.plan, catalogue, images, snapshot, { quantum });
  assert(machine.ok, 'a machine does not come back from its own snapshot');
  const guest = guestOn(machine.value, ground);
  const begun = machine.value.now;
  const events: Event[] = [];
  const { stage, verdict } = runScenario(
    { ...scenario, steps },
    (plan, { trace }) => new StruckStage(guest, { plan, trace }, ground.past, blow),
    { listeners: [(event) => events.push(event)] },
  );
  return {
    stage,
    verdict,
    events,
    found: findingsOf(verdict, stage, events),
    course: courseOf(scenario, events, begun),
  };
}

/** Gives the memory of the last machine back, where the collector can be asked. */
function letGo(): void {
  // The last operation that somebody came to is kept by those who share its place (sim/operation.ts), with its machine.
  const sim = new Simulation();
  sim.spawn('nobody', 'scenario', wait(sim));
  globalThis.gc?.();
}

function* wait(sim: Simulation): Task {
  yield* sim.sleep(0, 'nothing');
}

function findingsOf(verdict: Verdict, stage: StruckStage, events: readonly Event[]): readonly Found[] {
  const found: Found[] = verdict.failures.map((failure) => ({ key: keyOf(failure), text: formatFailure(failure) }));
  if (verdict.limit !== undefined) found.push({ key: 'limit', text: verdict.limit });
  for (const text of stage.wrong) found.push({ key: text, text });
  for (const event of events) {
    if (event.kind === 'log' && isComplaint(event.text)) found.push({ key: `log: ${event.text}`, text: event.text });
  }
  return found;
}

/** What tells one course of things from another. */
const TELLING: ReadonlySet<Channel> = new Set(['NVSP', 'log']);

function courseOf({ plan }: Scenario, events: readonly Event[], begun: Nanoseconds): readonly string[] {
  const nics = plan.nics.map(({ name }) => name);
  // Each event is observed alone; what came before is asked only for names.
  const before = observe(
    events.filter(({ time }) => time < begun),
    nics,
  ).length;
  return observe(events, nics)
    .slice(before)
    .filter(({ channel }) => TELLING.has(channel))
    .map(({ nic, channel, text }) => `${nic} ${channel}: ${text}`.trim());
}
