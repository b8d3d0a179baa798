import type { Nanoseconds } from '../../src/base/time.ts';
import type { HostAction } from '../../src/host/action.ts';
import type { Plan } from '../../src/machine/plan.ts';
import type { StageMaker } from '../../src/scenario/run.ts';
import type { Answer, FlowPlan, GuestVerb, Question, Stage } from '../../src/scenario/stage.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Operation, Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { WaitCell } from '../../src/sim/wait-cell.ts';
import type { EventBody } from '../../src/trace/event.ts';

/** What a test lets the stage do: at a moment, say something, make an answer true, or be busy for ever. */
export interface Script {
  /** Emitted at these moments (nanoseconds), by the clock. */
  readonly events?: readonly (readonly [Nanoseconds, EventBody])[];
  /** From which moment on a kind of question is answered with yes; never, when it is not here. */
  readonly yesFrom?: Readonly<Partial<Record<Question['ask'], Nanoseconds>>>;
  readonly refuse?: string;
  /** How long a guest command takes. */
  readonly slow?: Nanoseconds;
  /** A context that runs for ever without sleeping. */
  readonly spins?: boolean;
  /** A context that sleeps so often, a millisecond each time. */
  readonly walks?: number;
  /** Two contexts that wait for each other. */
  readonly hangs?: boolean;
  /** Contexts that each do as many steps, so that their order is open. */
  readonly racers?: { readonly names: readonly string[]; readonly steps: number };
}

/** A stage without a machine: it notes what it is asked to do. */
export class FakeStage implements Stage {
  readonly sim: Simulation;
  readonly done: (HostAction | GuestVerb | FlowPlan | { readonly stop: string })[] = [];
  private readonly script: Script;

  constructor(sim: Simulation, script: Script) {
    this.sim = sim;
    this.script = script;
    for (const [at, body] of script.events ?? []) sim.after(at, () => sim.trace.emit(body));
    if (script.spins === true) sim.spawn('spinner', 'guest', this.spin(Number.POSITIVE_INFINITY));
    if (script.walks !== undefined) sim.spawn('walker', 'guest', this.walk(script.walks));
    if (script.hangs === true) sim.spawn('sleeper', 'guest', this.hang());
    for (const name of script.racers?.names ?? []) sim.spawn(name, 'guest', this.spin(script.racers?.steps ?? 1));
  }

  *host(action: HostAction): Task<{ readonly refused: string } | undefined> {
    this.done.push(action);
    this.sim.trace.emit({ kind: 'host.action', action: action.do, dev: 'nic' in action ? action.nic : '' });
    return this.refusal();
  }

  *guest(command: GuestVerb): Task<{ readonly refused: string } | undefined> {
    this.done.push(command);
    if (this.script.slow !== undefined) yield* this.sim.sleep(this.script.slow, 'the command');
    return this.refusal();
  }

  *startFlow(flow: FlowPlan): Task<{ readonly refused: string } | undefined> {
    this.done.push(flow);
    return this.refusal();
  }

  *stopFlow(name: string): Task<{ readonly refused: string } | undefined> {
    this.done.push({ stop: name });
    return undefined;
  }

  *ask(question: Question): Task<Answer> {
    return this.answer(question);
  }

  private answer(question: Question): Answer {
    const from = this.script.yesFrom?.[question.ask];
    const holds = from !== undefined && this.sim.now >= from;
    return { holds, found: holds ? 'yes' : 'something else' };
  }

  *until(question: Question, limit: Nanoseconds): Task<Answer> {
    const from = this.script.yesFrom?.[question.ask] ?? Number.POSITIVE_INFINITY;
    const wait = Math.max(0, Math.min(limit, from - this.sim.now));
    yield* this.sim.sleep(wait, 'an answer') as Operation<void>;
    return this.answer(question);
  }

  private refusal(): { readonly refused: string } | undefined {
    return this.script.refuse === undefined ? undefined : { refused: this.script.refuse };
  }

  private *spin(times: number): Task {
    const cell = new Cell(this.sim, 'counter', 0);
    for (let i = 0; i < times; i++) yield* cell.set(i % 1000);
  }

  private *walk(times: number): Task {
    for (let i = 0; i < times; i++) yield* this.sim.sleep(1_000_000, 'the next step');
  }

  private *hang(): Task {
    yield* new WaitCell<void>(this.sim, 'an answer that never comes').wait();
  }
}

export const fakeStage =
  (script: Script = {}): StageMaker<FakeStage> =>
  (_plan: Plan, { trace, strategy }) =>
    new FakeStage(new Simulation(trace, strategy), script);
