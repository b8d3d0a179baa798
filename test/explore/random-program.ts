/**
 * Small random programs over the simulation's own objects, for holding the reduced search against plain enumeration.
 * A program is plain data, made from a seed; every access is an operation, and what a context got is all it knows.
 */
import { Random } from '../../src/base/random.ts';
import { us } from '../../src/base/time.ts';
import type { Outcome, Program } from '../../src/explore/program.ts';
import { Cell } from '../../src/sim/cell.ts';
import { Completion } from '../../src/sim/completion.ts';
import type { Context } from '../../src/sim/context.ts';
import { Doorbell } from '../../src/sim/doorbell.ts';
import { Mutex } from '../../src/sim/mutex.ts';
import type { Task } from '../../src/sim/operation.ts';
import { Place } from '../../src/sim/place.ts';
import { Queue } from '../../src/sim/queue.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { WaitCell } from '../../src/sim/wait-cell.ts';
import { OrderedQueue, Work } from '../../src/sim/work.ts';
import { Recorder } from '../../src/trace/recorder.ts';
import { BUS_FAMILIES, isBusAction, RandomBus } from './random-bus.ts';

/** What one step of a context does, by the kind of object that it is done to. */
const FAMILIES = [
  ['lock', 'unlock', 'tryLock'],
  ['get', 'set', 'update', 'awaitOther'],
  ['put', 'take', 'inject'],
  ['putDeep', 'takeDeep'],
  ['complete', 'wait'],
  ['ring', 'heed', 'silence'],
  ['resolve', 'answer'],
  ['schedule', 'scheduleLater', 'cancel', 'cancelSync', 'enqueue'],
  ['sleep', 'spawn', 'end', 'choose'],
  ['touch', 'look'],
  ...BUS_FAMILIES,
] as const;
const ACTIONS = FAMILIES.flat();

/** `n` chooses among objects of its kind. */
interface Action {
  readonly do: (typeof ACTIONS)[number];
  readonly n: number;
}

export interface ProgramPlan {
  readonly contexts: readonly (readonly Action[])[];
  /** What the work items and the children do. */
  readonly work: readonly Action[];
  /** The first context is one whose timers wait until nothing can run. */
  readonly patient: boolean;
}

const OBJECTS = 2;
/** More than a footprint has parts for items, so that their numbers come round. */
const DEEP_ITEMS = 70;

export function randomPlan(seed: number): ProgramPlan {
  const random = new Random(seed);
  // Few kinds a program, so that its contexts meet; in half of the programs at objects of one kind.
  const family = FAMILIES[random.below(FAMILIES.length)] as readonly Action['do'][];
  const drawn = Array.from(
    { length: 2 + random.below(4) },
    () => ACTIONS[random.below(ACTIONS.length)] as Action['do'],
  );
  const kinds = random.below(2) === 0 ? drawn : [...family, ...drawn.slice(0, random.below(3))];
  const action = (): Action => ({
    do: kinds[random.below(kinds.length)] as Action['do'],
    n: random.below(OBJECTS),
  });
  const contexts = Array.from({ length: 2 + random.below(2) }, () =>
    Array.from({ length: 1 + random.below(4) }, action),
  );
  // Work that schedules work may never end.
  const work = Array.from({ length: random.below(3) }, action).filter(({ do: what }) => !what.startsWith('schedule'));
  return { contexts, work, patient: random.below(2) === 0 };
}

/** The program of a plan, whose one finding is the state in which a run ends. */
export function programOf(plan: ProgramPlan): Program {
  return (strategy) => new Running(plan, new Simulation(new Recorder(), strategy)).run();
}

class Running {
  private readonly sim: Simulation;
  private readonly plan: ProgramPlan;
  private readonly logs: string[][] = [];
  private readonly contexts: Context[] = [];
  private readonly mutexes: Mutex[];
  private readonly cells: Cell<number>[];
  private readonly queues: Queue<number>[];
  private readonly completions: Completion[];
  private readonly bells: Doorbell[];
  private readonly answers: WaitCell<number>[];
  private readonly works: Work[];
  private readonly ordered: OrderedQueue[];
  private readonly deep: Queue<number>;
  private readonly bus: RandomBus | undefined;
  private readonly places: { readonly place: Place; value: number }[];

  constructor(plan: ProgramPlan, sim: Simulation) {
    this.plan = plan;
    this.sim = sim;
    const both = <T>(make: (name: string, i: number) => T): T[] =>
      Array.from({ length: OBJECTS }, (_, i) => make(`${i}`, i));
    this.mutexes = both((name) => new Mutex(sim, `mutex ${name}`));
    this.cells = both((name) => new Cell<number>(sim, `cell ${name}`, 0));
    this.queues = both((name) => new Queue<number>(sim, `queue ${name}`));
    this.completions = both((name) => new Completion(sim, `completion ${name}`));
    this.bells = both((name) => new Doorbell(sim, `bell ${name}`));
    this.answers = both((name, i) => new WaitCell<number>(sim, `answer ${name}`, i === 0 ? undefined : us(20)));
    this.works = both((name) => new Work(sim, `work ${name}`, () => this.context(`work ${name}`, plan.work)));
    this.ordered = both((name) => new OrderedQueue(sim, `ordered ${name}`));
    this.deep = new Queue<number>(sim, 'deep queue');
    const all = [...plan.contexts.flat(), ...plan.work].map((action) => action.do);
    if (all.some((what) => what.endsWith('Deep'))) for (let i = 0; i < DEEP_ITEMS; i++) this.deep.inject(i);
    // Most programs have none of it, and each of their thousand runs would make it.
    this.bus = all.some(isBusAction) ? new RandomBus(sim, OBJECTS) : undefined;
    this.places = both(() => ({ place: new Place(sim), value: 0 }));
  }

  run(): Outcome {
    this.plan.contexts.forEach((actions, i) => {
      const side = i === 0 && this.plan.patient ? 'scenario' : 'guest';
      this.contexts.push(this.sim.spawn(`c${i}`, side, this.context(`c${i}`, actions)));
    });
    const stop = this.sim.run({ stepsMax: 2000 });
    return { found: stop === 'cut' ? [] : [{ key: this.state(), text: '' }], stop, steps: this.sim.steps };
  }

  private state(): string {
    const objects = [this.mutexes, this.cells, this.queues, this.completions, this.bells, this.answers, this.works];
    const values = [...objects.flat(), ...this.ordered, this.deep].map((object) => object.peek());
    const waiting = [...this.sim.alive()].map(({ name, operation }) => `${name}@${operation?.kind}`).sort();
    const logs = this.logs.map((log) => log.join(',')).sort();
    return JSON.stringify([values, this.bus?.state(), this.places.map(({ value }) => value), waiting, logs]);
  }

  private *context(name: string, actions: readonly Action[]): Task {
    const log: string[] = [name];
    this.logs.push(log);
    const held = new Set<Mutex>();
    for (const action of actions) {
      const got = yield* this.act(action, held, name);
      if (got !== undefined) log.push(`${action.do}=${got}`);
    }
    for (const mutex of held) yield* mutex.unlock();
  }

  private *act({ do: what, n }: Action, held: Set<Mutex>, name: string): Task<unknown> {
    const mutex = this.mutexes[n] as Mutex;
    const place = this.places[n] as { readonly place: Place; value: number };
    const mine = name.charCodeAt(name.length - 1);
    if (isBusAction(what)) return yield* (this.bus as RandomBus).act(what, n, mine);
    switch (what) {
      case 'lock':
        if (held.has(mutex)) return undefined;
        yield* mutex.lock();
        held.add(mutex);
        return undefined;
      case 'unlock':
        if (held.delete(mutex)) yield* mutex.unlock();
        return undefined;
      case 'tryLock': {
        const got = yield* mutex.tryLock();
        if (got) held.add(mutex);
        return got;
      }
      case 'get':
        return yield* (this.cells[n] as Cell<number>).get();
      case 'set':
        return yield* (this.cells[n] as Cell<number>).set(mine);
      case 'update':
        return yield* (this.cells[n] as Cell<number>).update((value) => value + 1);
      case 'awaitOther':
        return yield* (this.cells[n] as Cell<number>).whileIs(0);
      case 'put':
        return yield* (this.queues[n] as Queue<number>).put(mine);
      case 'take':
        return yield* (this.queues[n] as Queue<number>).take();
      case 'putDeep':
        return yield* this.deep.put(mine);
      case 'takeDeep':
        return yield* this.deep.take();
      case 'complete':
        return yield* (this.completions[n] as Completion).complete();
      case 'wait':
        return yield* (this.completions[n] as Completion).wait();
      case 'ring':
        return yield* (this.bells[n] as Doorbell).ring();
      case 'heed':
        return yield* (this.bells[n] as Doorbell).wait();
      case 'silence':
        return yield* (this.bells[n] as Doorbell).silence();
      case 'resolve':
        return yield* (this.answers[n] as WaitCell<number>).resolve(mine);
      case 'answer':
        return (yield* (this.answers[n] as WaitCell<number>).wait()) ?? 'none';
      case 'schedule':
        return yield* (this.works[n] as Work).schedule();
      case 'scheduleLater':
        return yield* (this.works[n] as Work).schedule(us(10));
      case 'cancel':
        return yield* (this.works[n] as Work).cancel();
      case 'cancelSync':
        return yield* (this.works[n] as Work).cancelSync();
      case 'enqueue': {
        const body = (): Task => this.context(`item of ${name}`, []);
        return yield* (this.ordered[n] as OrderedQueue).queue({ name: 'item', body });
      }
      case 'sleep':
        return yield* this.sim.sleep(us(10 * (n + 1)), 'a nap');
      case 'touch':
        yield* (this.cells[n] as Cell<number>).get();
        place.place.write();
        place.value = place.value * 3 + mine;
        return undefined;
      case 'look':
        yield* (this.cells[1 - n] as Cell<number>).get();
        place.place.read();
        return place.value;
      case 'inject':
        yield* (this.cells[n] as Cell<number>).get();
        (this.queues[n] as Queue<number>).inject(mine);
        (this.bells[1 - n] as Doorbell).inject();
        return undefined;
      case 'spawn':
        yield* (this.cells[n] as Cell<number>).get();
        if (!name.startsWith('child'))
          this.sim.spawn(`child ${n}`, 'guest', this.context(`child ${n}`, this.plan.work));
        return undefined;
      case 'end': {
        yield* (this.cells[n] as Cell<number>).get();
        const other = this.contexts[n];
        if (other !== undefined && other !== this.sim.current) this.sim.end(other);
        return undefined;
      }
      case 'choose':
        yield* (this.cells[n] as Cell<number>).get();
        return this.sim.strategy.value('a choice', 2);
    }
  }
}
