/**
 * The deterministic machine: contexts, the operations they stop at, virtual time, and a loop that lets a strategy pick
 * who goes next. A run is a function of what was spawned and of what the strategy decided.
 * What this leaves out: cores (one step runs at a time, so memory is sequentially consistent), preemption between
 * operations, priorities.
 */
import { assert, InvariantError } from '../base/assert.ts';
import type { Nanoseconds } from '../base/time.ts';
import { Recorder } from '../trace/recorder.ts';
import { Clock, type Timer } from './clock.ts';
import { Context, type ContextSide, type Runner } from './context.ts';
import type { Footprint } from './footprint.ts';
import { NOBODY, Operation, type Peek, type SharedObject, type Task } from './operation.ts';
import { Sleep } from './sleep.ts';
import { CUT, RunOn, type Strategy } from './strategy.ts';
import { Ticking } from './ticking.ts';

/** Why {@link Simulation.run} came back. */
export type Stop = 'idle' | 'until' | 'cut' | 'steps' | 'asked';

export interface RunLimits {
  /** Time does not pass this moment. */
  readonly until?: Nanoseconds;
  /** Steps in all, over the life of the simulation. */
  readonly stepsMax?: number;
  /** Asked before each step: true ends the run there. */
  readonly enough?: () => boolean;
}

/** Stands between the task of a new context and the machine: for code that is not netvsim's own. */
export type TaskGuard = (name: string, task: Runner) => Runner;

export class Simulation {
  readonly clock = new Clock();
  readonly trace: Recorder;
  readonly strategy: Strategy;
  /** What the step at hand has touched so far; there only when the strategy asks for it. */
  footprint: Footprint | undefined;
  /** Steps done so far. */
  steps = 0;
  private readonly contexts: Context[] = [];
  private readonly ready: Context[] = [];
  /** Lists of waiters that are empty, for the next object that somebody comes to: few at a time have one. */
  private readonly spareLists: Context[][] = [];
  private running: Context | undefined;
  private last: Context | undefined;
  private nextContextId = 0;
  private places = 0;
  /** There once a strategy has asked for the clock to be picked. */
  private ticking: Ticking | undefined;
  private clockContext: Context | undefined;
  private readonly guard: TaskGuard | undefined;

  constructor(trace: Recorder = new Recorder(), strategy: Strategy = new RunOn(), guard?: TaskGuard) {
    this.trace = trace;
    this.strategy = strategy;
    this.guard = guard;
    trace.stampedBy(() => ({ time: this.clock.now, step: this.steps, context: this.running?.name ?? 'clock' }));
    strategy.begin();
  }

  get now(): Nanoseconds {
    if (this.ticking !== undefined) this.footprint?.read(this.ticking.place);
    return this.clock.now;
  }

  /** The context whose step is being run; undefined between steps and while a timer fires. */
  get current(): Context | undefined {
    return this.running;
  }

  /** All contexts that have not ended, in the order in which they were spawned. */
  alive(): Iterable<Context> {
    return this.contexts;
  }

  /** A number for something that contexts share, for footprints. */
  newPlace(): number {
    return this.places++;
  }

  /** Starts a context: its code runs up to the first operation now. */
  spawn(name: string, side: ContextSide, task: Task<unknown>, options: { readonly daemon?: boolean } = {}): Context {
    return this.start(name, side, this.guard?.(name, task) ?? task, options.daemon ?? false);
  }

  /** Starts a context that is driven by records instead of a generator (the host's workers). It may wait for ever. */
  attach(name: string, side: ContextSide, runner: Runner): Context {
    return this.start(name, side, runner, true);
  }

  /** Ends a context where it stands; nobody hears of it. */
  end(context: Context): void {
    assert(context !== this.running, `${context.name} ends itself: it should return`);
    this.noteEnd(context);
    if (context.operation === undefined) return;
    this.leave(context, context.operation.object);
    context.operation = undefined;
    remove(this.contexts, context);
  }

  /** Waits for a span of virtual time. */
  sleep(span: Nanoseconds, why: string): Operation<void> {
    return new Operation(new Sleep(this, span, why), 'sleep');
  }

  after(span: Nanoseconds, fire: () => void): Timer {
    const at = this.clock.now + span;
    if (this.footprint !== undefined) this.touchTimer(span, this.footprint);
    const timer = this.clock.set(at, fire, this.running?.side === 'scenario');
    this.ticking?.look();
    return timer;
  }

  /** What setting a timer touches. A step that would have set one, had it come earlier, touches the same. */
  touchTimer(span: Nanoseconds, footprint: Footprint): void {
    footprint.setTimer(this.clock.now + span);
    if (this.ticking !== undefined) footprint.write(this.ticking.place);
  }

  /** Takes a timer back. */
  cancel(timer: Timer): void {
    timer.cancelled = true;
    if (this.ticking === undefined) return;
    this.footprint?.write(this.ticking.place);
    this.ticking.look();
  }

  /** Runs until nothing can run and no timer is left, or a limit is reached. */
  run(limits: RunLimits = {}): Stop {
    const { until = Number.MAX_SAFE_INTEGER, stepsMax = Number.MAX_SAFE_INTEGER, enough } = limits;
    for (;;) {
      if (enough?.() === true) return 'asked';
      if (this.quiescent) {
        const end = this.passTime(until);
        if (end === 'fired') continue;
        if (end !== 'tick') return end;
      }
      if (this.steps >= stepsMax) return 'steps';
      const context = this.pick();
      if (context === undefined) return 'cut';
      this.step(context);
    }
  }

  /** Whoever goes next; undefined when the strategy wants the run to end. */
  private pick(): Context | undefined {
    if (this.ticking === undefined && this.strategy.anyTime === true) this.startTicking();
    const at = this.strategy.pick(this.ready, this.last);
    if (at === CUT) return undefined;
    const context = this.ready[at];
    if (context === undefined) throw new InvariantError(`the strategy picked ${at} of ${this.ready.length}`);
    return context;
  }

  /** Nothing can run: the next timer fires. Where the clock can be picked, it is to be, and does it. */
  private passTime(until: Nanoseconds): 'idle' | 'until' | 'fired' | 'tick' {
    const deadline = this.clock.nextDeadline();
    if (deadline === undefined) return 'idle';
    if (deadline > until) {
      this.clock.now = Math.max(this.clock.now, until);
      for (const context of this.ready) this.strategy.cutShort?.(context);
      return 'until';
    }
    if (this.ready.length > 0) return 'tick';
    this.clock.fireNext();
    this.ticking?.look();
    this.strategy.fired?.();
    return 'fired';
  }

  /** Whether time passes only when nothing can run: else what took long may just not have been let run. */
  get isTimed(): boolean {
    return this.ticking === undefined;
  }

  /** Whether nothing can run until time moves. */
  get quiescent(): boolean {
    return this.ready.length === 0 || (this.ready.length === 1 && this.ready[0] === this.clockContext);
  }

  /** Looks again at who can run among those that wait at `object`. */
  reconsider(object: SharedObject): void {
    this.weighAll(object.pending);
  }

  /** For a record-driven context whose records were replaced: its next operation is asked for anew. */
  rearm(context: Context, operation: Operation): void {
    if (context.operation !== undefined) this.leave(context, context.operation.object);
    this.arrive(context, operation);
  }

  private noteEnd(context: Context): void {
    const { operation } = context;
    this.footprint?.end(context.id, (footprint) => operation?.object.touch(operation, footprint));
    this.strategy.ended?.(context);
  }

  private start(name: string, side: ContextSide, runner: Runner, daemon: boolean): Context {
    const context = new Context(this.nextContextId++, name, side, daemon, runner);
    this.contexts.push(context);
    this.strategy.spawned?.(context, this.running);
    this.resume(context, undefined);
    return context;
  }

  private startTicking(): void {
    this.ticking = new Ticking(this, this.clock);
    this.clockContext = this.attach('clock', 'clock', this.ticking);
  }

  private step(context: Context): void {
    const operation = context.operation;
    if (operation === undefined) throw new InvariantError(`${context.name} has ended and cannot run`);
    const { object } = operation;
    this.steps++;
    this.running = context;
    const { strategy } = this;
    const { footprint } = strategy;
    this.footprint = footprint;
    if (footprint !== undefined) {
      footprint.begin(this.places);
      footprint.run(context.id);
      object.touch(operation, footprint);
    }
    const recorded = strategy.did !== undefined;
    const before = recorded ? object.peek() : 0;
    const result = object.perform(operation, context);
    const after = recorded ? object.peek() : 0;
    this.weighAll(this.leave(context, object));
    this.resume(context, result);
    if (recorded) this.record(context, operation, before, after);
    if (footprint !== undefined) strategy.touched?.(context);
    this.last = context;
    this.running = undefined;
  }

  private record(context: Context, { object, kind }: Operation, before: Peek, after: Peek): void {
    const { steps: number, clock } = this;
    this.strategy.did?.({ number, time: clock.now, context, object: object.name, kind, before, after });
  }

  private resume(context: Context, result: unknown): void {
    const outer = this.running;
    this.running = context;
    const next = context.runner.next(result);
    if (next.done === true) {
      context.operation = undefined;
      remove(this.contexts, context);
    } else {
      this.arrive(context, next.value);
    }
    this.running = outer;
  }

  private arrive(context: Context, operation: Operation): void {
    const { object } = operation;
    context.operation = operation;
    const { pending } = object;
    if (pending === NOBODY) object.pending = this.listOf(context);
    else pending.push(context);
    object.arrive(operation, context);
    this.weigh(context, object.enabled(operation, context));
    if (!context.ready) this.noteWait(context);
  }

  private listOf(context: Context): Context[] {
    const list = this.spareLists.pop();
    if (list === undefined) return [context];
    list.push(context);
    return list;
  }

  private noteWait(context: Context): void {
    context.since = this.clock.now;
    context.sinceStep = this.steps;
  }

  /** Gives those who still wait there. */
  private leave(context: Context, object: SharedObject): readonly Context[] {
    if (context.ready) this.unready(context);
    const { pending } = object;
    remove(pending, context);
    if (pending.length > 0) return pending;
    object.pending = NOBODY;
    this.spareLists.push(pending);
    return NOBODY;
  }

  private weighAll(pending: readonly Context[]): void {
    for (let i = 0; i < pending.length; i++) {
      const context = pending[i] as Context;
      const operation = context.operation as Operation;
      this.weigh(context, operation.object.enabled(operation, context));
    }
  }

  private weigh(context: Context, can: boolean): void {
    if (can === context.ready) return;
    if (can) {
      context.ready = true;
      this.ready.push(context);
    } else {
      this.strategy.disabled?.(context);
      this.unready(context);
      this.noteWait(context);
    }
  }

  private unready(context: Context): void {
    context.ready = false;
    remove(this.ready, context);
  }
}

/** Written out: `splice` makes another list each time, and whoever came last is mostly the first to go. */
function remove(list: Context[], context: Context): void {
  const last = list.length - 1;
  let at = last;
  while (list[at] !== context) at--;
  for (; at < last; at++) list[at] = list[at + 1] as Context;
  list.pop();
}
