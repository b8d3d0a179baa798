/** What a process of an exploration does for it: one machine at a time, each from the snapshot of a stretch. */
import { assert } from '../../base/assert.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { ms, type Nanoseconds, seconds } from '../../base/time.ts';
import type { Catalogue } from '../../host/plan.ts';
import type { StrikeResult } from '../../report/boot-explore.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Verdict } from '../../scenario/verdict.ts';
import type { Event } from '../../trace/event.ts';
import { type BootFailure, prepareGuest } from '../boot.ts';
import { DEFAULT_QUANTUM } from '../processor/wasm-patch.ts';
import type { MachineImages } from '../real-machine.ts';
import { decodeSnapshot } from '../snapshot.ts';
import { startMachine } from '../start.ts';
import { type Ground, makeGround } from './ground.ts';
import type { StretchMap } from './points.ts';
import { type ExploredRun, runFrom, type Setting } from './run.ts';
import { type Stretch, struckSteps, usualSteps } from './stretch.ts';
import { formatStrike, type Strike } from './strike.ts';

/** What it is started with: plain data. */
export interface ExplorerPlan {
  readonly scenario: Scenario;
  readonly images: MachineImages;
  readonly cache: string;
  readonly memoryMb: number;
}

/** A stretch with all that strikes into it need. */
export interface Field {
  readonly stretch: Stretch;
  readonly ground: Ground;
  /** How long the stretch is in the scenario's own course. */
  readonly length: Nanoseconds;
}

export interface Survey {
  readonly field: Field;
  readonly map: StretchMap;
  /** The scenario as it is. */
  readonly usual: Pick<ExploredRun, 'found' | 'course'>;
}

/** A run with all that happened in it. */
export interface ToldRun {
  readonly result: StrikeResult;
  readonly told: { readonly verdict: Verdict; readonly events: readonly Event[] };
}

/** A stretch of less is looked at for so long, and one of more for so long; its end is the guest's last sign. Invented. */
const [SHORTEST, LONGEST] = [ms(300), seconds(5)];

export class Explorer {
  private readonly plan: ExplorerPlan;
  private readonly catalogue: Catalogue;
  private readonly worker: URL | undefined;
  private on: { readonly field: Field; readonly setting: Setting } | undefined;

  /** @param worker boots a guest in a process of its own, where one has to be booted. */
  constructor(plan: ExplorerPlan, catalogue: Catalogue, worker?: URL) {
    this.plan = plan;
    this.catalogue = catalogue;
    this.worker = worker;
  }

  /** Boots, goes as far as the stretch, and runs it as the scenario has it, and without its end. */
  async survey(stretch: Stretch): Promise<Result<Survey, BootFailure>> {
    const ground = await this.groundOf(stretch);
    if (!ground.ok) return ground;
    this.goTo({ stretch, ground: ground.value, length: 0 });
    const { length, ...usual } = await this.usualOf(stretch);
    const field = { stretch, ground: ground.value, length: Math.min(Math.max(length, SHORTEST), LONGEST) };
    this.goTo(field);
    const map = await this.mapOf(field);
    return ok({ field, map, usual });
  }

  /** What is struck from now on. */
  goTo(field: Field): void {
    const { scenario, images } = this.plan;
    const { catalogue } = this;
    const snapshot = decodeSnapshot(field.ground.snapshot);
    assert(snapshot.ok, 'a snapshot that was just made is damaged');
    this.on = { field, setting: { scenario, catalogue, images, ground: field.ground, snapshot: snapshot.value } };
  }

  async strike(strike: Strike, withHash = false): Promise<ToldRun> {
    const { field } = this.here;
    const { point, quantum } = strike;
    const name = { strike: formatStrike(strike), at: point.at };
    const run = await this.run(struckSteps(field.stretch), { quantum, blow: { point, patience: field.length } });
    const { stage, verdict, events, found, course } = run;
    const memory = withHash ? { memory: stage.machine.memoryHash() } : {};
    return { result: { ...name, struck: stage.struck, found, course, ...memory }, told: { verdict, events } };
  }

  private get here(): NonNullable<Explorer['on']> {
    assert(this.on !== undefined, 'there is no stretch to strike into');
    return this.on;
  }

  private run(
    steps: Setting['scenario']['steps'],
    how: Partial<Parameters<typeof runFrom>[1]> = {},
  ): Promise<ExploredRun> {
    return runFrom(this.here.setting, { steps, quantum: DEFAULT_QUANTUM, ...how });
  }

  private async groundOf(stretch: Stretch): Promise<Result<Ground, BootFailure>> {
    const { plan, catalogue, worker } = this;
    const { scenario } = plan;
    const started = await startMachine({
      ...plan,
      plan: scenario.plan,
      catalogue,
      forStage: true,
      ...(worker === undefined ? {} : { worker }),
    });
    if (!started.ok) return started;
    const guest = prepareGuest(started.value.machine);
    if (!guest.ok) return guest;
    const ground = makeGround(guest.value, scenario, stretch);
    if (ground.ok) return ground;
    return err({ whose: 'guest', text: ground.error, tail: guest.value.machine.console.tail() });
  }

  /** No more of the run than is asked of it: each holds a machine. */
  private async usualOf(stretch: Stretch): Promise<Survey['usual'] & { readonly length: Nanoseconds }> {
    const { found, course, events } = await this.run(usualSteps(stretch));
    return { found, course, length: lengthOf(stretch, events) };
  }

  /** What the guest does while nothing strikes. */
  private async mapOf({ stretch, length }: Field): Promise<StretchMap> {
    const { stage } = await this.run([...stretch.flows, stretch.into], {
      blow: { point: undefined, patience: length },
    });
    const signs = stage.signs.filter(({ time }) => time <= length);
    const all = stage.struck?.instructions ?? 0;
    // Behind its last sign it is done; what it executes then are its clock's ticks.
    const last = signs.at(-1)?.instructions ?? all;
    return { signs, instructions: Math.min(all, last + BEHIND) };
  }
}

/** Instructions behind the last sign that still are of the stretch: what a driver does when it has told of something. Invented. */
const BEHIND = 300_000;

/** From the beginning of its first step to that of the action, in the scenario's own course. */
function lengthOf({ into, action }: Stretch, events: readonly Event[]): Nanoseconds {
  const begin = (line: number): Nanoseconds | undefined =>
    events.find((event) => event.kind === 'scenario.step' && event.line === line)?.time;
  return (begin(action.line) ?? 0) - (begin(into.line) ?? 0);
}
