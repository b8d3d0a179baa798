/**
 * Small random programs over every kind of object that contexts share, for holding the reduced search against plain
 * enumeration. A program is plain data, made from a seed; every access is an operation, and what a context got is all
 * it knows.
 */
import { Random } from '../../src/base/random.ts';
import type { Outcome, Program } from '../../src/explore/program.ts';
import { Cell } from '../../src/sim/cell.ts';
import type { Context } from '../../src/sim/context.ts';
import type { Operation, Task } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { Event } from '../../src/trace/event.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { BUS_KINDS } from './kinds/bus.ts';
import { FREEBSD_KINDS } from './kinds/freebsd.ts';
import { FREEBSD_TABLE_KINDS } from './kinds/freebsd-tables.ts';
import type { Actor, Kind, World } from './kinds/kind.ts';
import { LINUX_KINDS } from './kinds/linux.ts';
import { SIM_KINDS } from './kinds/sim.ts';

export const KINDS: Readonly<Record<string, Kind>> = {
  ...SIM_KINDS,
  ...BUS_KINDS,
  ...LINUX_KINDS,
  ...FREEBSD_KINDS,
  ...FREEBSD_TABLE_KINDS,
};

/** What one step of a context does, and to which object of a kind. */
interface Action {
  readonly kind: string;
  readonly do: string;
  readonly n: number;
  /** What needs no step of its own happens in the step before, as a part of longer code. */
  readonly joins?: boolean;
}

export interface ProgramPlan {
  readonly contexts: readonly (readonly Action[])[];
  /** What the work items, the children and the callbacks do. */
  readonly work: readonly Action[];
  /** The first context is one whose timers wait until nothing can run. */
  readonly patient: boolean;
}

const OBJECTS = 2;
/** Different actions of a program at most: with few of them its contexts meet. */
const ACTIONS_MOST = 6;
const STEPS_MAX = 2_000;

/** `of`: the kinds to draw from. */
export function randomPlan(seed: number, of: readonly string[] = Object.keys(KINDS)): ProgramPlan {
  const random = new Random(seed);
  const one = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  // In half of the programs contexts meet at objects of one kind, in the others of two or three.
  const kinds = Array.from({ length: random.below(2) === 0 ? 1 : 2 + random.below(2) }, () => one(of));
  const all = kinds.flatMap((name) =>
    Object.keys(KINDS[name]?.actions ?? {}).map((what) => ({ kind: name, do: what })),
  );
  const drawn = Array.from({ length: 2 + random.below(ACTIONS_MOST - 1) }, () => one(all));
  const action = (): Action => ({ ...one(drawn), n: random.below(OBJECTS), joins: random.below(2) === 0 });
  const contexts = Array.from({ length: 2 + random.below(2) }, () =>
    Array.from({ length: 1 + random.below(4) }, action),
  );
  const isEndless = ({ kind, do: what }: Action): boolean => KINDS[kind]?.starting?.includes(what) === true;
  const work = Array.from({ length: random.below(3) }, action).filter((each) => !isEndless(each));
  return { contexts, work, patient: random.below(2) === 0 };
}

/** The program of a plan, whose one finding is the state in which a run ends. */
export function programOf(plan: ProgramPlan): Program {
  return (strategy) => new Running(plan, new Simulation(new Recorder(), strategy)).run();
}

class Running implements World {
  readonly sim: Simulation;
  readonly contexts: Context[] = [];
  private readonly plan: ProgramPlan;
  /** What contexts got, and what the trace told of. */
  private readonly logs: string[][] = [];
  private readonly told: string[] = [];
  private readonly common = new Map<unknown, unknown>();
  private readonly objects = new Map<string, readonly unknown[]>();
  /** What steps are taken at that meet nobody. */
  readonly step: Cell<boolean>;

  constructor(plan: ProgramPlan, sim: Simulation) {
    this.plan = plan;
    this.sim = sim;
    this.step = new Cell(sim, 'step', true);
    sim.trace.listen((event) => this.told.push(toldIn(event)));
    // Most programs have few kinds, and each of their thousand runs would make all.
    for (const { kind } of [...plan.contexts.flat(), ...plan.work]) {
      if (this.objects.has(kind)) continue;
      const { make } = KINDS[kind] as Kind;
      this.objects.set(
        kind,
        Array.from({ length: OBJECTS }, (_, i) => make(this, `${i}`, i)),
      );
    }
  }

  run(): Outcome {
    this.plan.contexts.forEach((actions, i) => {
      const side = i === 0 && this.plan.patient ? 'scenario' : 'guest';
      this.contexts.push(this.sim.spawn(`c${i}`, side, this.acting(`c${i}`, actions)));
    });
    const stop = this.sim.run({ stepsMax: STEPS_MAX });
    return { found: stop === 'cut' ? [] : [{ key: this.state(), text: '' }], stop, steps: this.sim.steps };
  }

  work(name: string): Task {
    return this.acting(name, this.plan.work);
  }

  readonly once = <T>(make: (sim: Simulation) => T): T => {
    if (!this.common.has(make)) this.common.set(make, make(this.sim));
    return this.common.get(make) as T;
  };

  private state(): string {
    const values = [...this.objects].map(([kind, objects]) => objects.map((object) => KINDS[kind]?.state(object)));
    const waiting = [...this.sim.alive()].map(({ name, operation }) => `${name}@${operation?.kind}`).sort();
    const logs = this.logs.map((log) => log.join(',')).sort();
    return JSON.stringify([values, waiting, logs, this.told.toSorted()]);
  }

  private *acting(name: string, actions: readonly Action[]): Task {
    const log: string[] = [name];
    this.logs.push(log);
    const actor = new Acting(name, this);
    for (const { kind, do: what, n, joins = false } of actions) {
      actor.joins = joins;
      const got = yield* (KINDS[kind] as Kind).actions[what]?.(this.objects.get(kind)?.[n], actor) as Task<unknown>;
      if (got !== undefined) log.push(`${what}=${got}`);
    }
    yield* actor.givesAll();
  }
}

class Acting implements Actor {
  readonly name: string;
  readonly mine: number;
  /** Of the action at hand. */
  joins = false;
  private readonly world: Running;
  private readonly held: { readonly what: unknown; readonly giveBack: () => Task<unknown> | Operation }[] = [];
  private readonly possessions = new Map<unknown, unknown>();

  constructor(name: string, world: Running) {
    this.name = name;
    this.mine = name.charCodeAt(name.length - 1);
    this.world = world;
  }

  takes(what: unknown, giveBack: () => Task<unknown> | Operation): void {
    this.held.push({ what, giveBack });
  }

  has(what: unknown): boolean {
    return this.held.some((held) => held.what === what);
  }

  *gives(what: unknown): Task {
    const at = this.held.findLastIndex((held) => held.what === what);
    for (const { giveBack } of at === -1 ? [] : this.held.splice(at, 1)) yield* giveBack() as Task<unknown>;
  }

  *givesAll(): Task {
    while (this.held.length > 0) yield* this.gives(this.held.at(-1)?.what);
  }

  own<T>(what: unknown, make: () => T): T {
    if (!this.possessions.has(what)) this.possessions.set(what, make());
    return this.possessions.get(what) as T;
  }

  *within<T>(access: () => T): Task<T> {
    if (!this.joins) yield* this.world.step.get();
    return access();
  }
}

/** An event but for when it was. */
function toldIn({ time: _, step: __, ...rest }: Event): string {
  return JSON.stringify({ ...rest, since: undefined, sinceStep: undefined });
}
