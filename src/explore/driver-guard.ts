/**
 * Stands beside the drivers of somebody else during one run: what they throw, yield or call that no driver may is a
 * finding of the run, told with the driver, the context and the place, and ends it.
 * What this leaves out: a variable that two contexts share beside the kernel's objects, which no single run shows
 * (hidden-state.ts looks for it).
 */
import { InvariantError } from '../base/assert.ts';
import type { LinuxKernel } from '../guest/linux/kernel.ts';
import type { DriverFactory, Module } from '../guest/linux/modules.ts';
import type { Context, Runner } from '../sim/context.ts';
import { Operation } from '../sim/operation.ts';
import type { TaskGuard } from '../sim/simulation.ts';
import type { Recorder } from '../trace/recorder.ts';
import { describeFrame, type Frame, framesOf, isIn, isOfNode, isOwn } from './blame.ts';
import { withoutForbidden } from './forbidden.ts';
import type { Found } from './program.ts';
import { Diverged } from './strategies/reduced.ts';

/** Frames of a stack that are kept: drivers stand below what they call, and above what calls them. */
const FRAMES_MAX = 100;

export class DriverGuard {
  /** The first thing that was wrong. */
  found: Found | undefined;
  /** Of the run, to be told of that. */
  trace: Recorder | undefined;
  private readonly who: string;

  /** Names of the modules that are not netvsim's own. */
  constructor(names: readonly string[]) {
    this.who = names.length === 1 ? `driver ${names[0]}` : `one of the drivers ${names.join(', ')}`;
  }

  /** Lets `body` run where time, chance and promises are forbidden. */
  run<T>(body: () => T): T {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = FRAMES_MAX;
    try {
      return withoutForbidden(
        (what, instead, frame) => this.note(`driver used ${what}`, `uses ${what}${at(frame)}: ${instead}`),
        body,
      );
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  readonly watch: TaskGuard = (name, task) => new GuardedTask(this, name, task);

  /** Makes a driver's module; `before`: those of the runs before, which none may be. */
  make(driver: DriverFactory, kernel: LinuxKernel, before: WeakSet<Module> = new WeakSet()): Module {
    const module: unknown = driver(kernel);
    const problem = whatIsMissing(module);
    if (problem !== undefined) this.note('driver is no module', problem);
    if (problem !== undefined) throw new InvariantError(problem);
    if (before.has(module as Module)) {
      throw new Diverged(`${this.who} gives the module of an earlier run again: it is to make a new one each time`);
    }
    before.add(module as Module);
    return module as Module;
  }

  note(key: string, text: string): void {
    if (this.found !== undefined) return;
    this.found = { key, text: `${this.who} ${text}` };
    this.trace?.emit({ kind: 'sim.stuck', problem: key, detail: this.found.text });
  }

  /** What was thrown, as a finding; false when netvsim itself is to blame. */
  judge(error: unknown, context: Pick<Context, 'name' | 'side'> | undefined): boolean {
    if (this.found !== undefined) return true; // what threw has noted it
    const frames = framesOf(error);
    const frame = driverFrame(frames);
    const where = `${context === undefined ? '' : ` in ${context.name}`}${at(frame)}`;
    const message = error instanceof Error ? `${error.name}: ${error.message}` : `a ${typeof error}, ${String(error)}`;
    if (error instanceof InvariantError && (frame !== undefined || isGuests(context))) {
      this.note(`driver broke a rule: ${error.message}`, `broke a rule${where}: ${error.message}`);
    } else if (frame !== undefined || !(error instanceof Error)) {
      this.note(`driver threw: ${message}`, `threw${where}: ${message}`);
    } else if (error instanceof TypeError && NO_TASK.test(error.message)) {
      const asked = frames[0] === undefined ? 'the kernel' : describeFrame(frames[0]);
      this.note('driver gave no task', `gave ${asked}${where} something that is no task: ${WRITE_A_TASK}`);
    } else return false;
    return true;
  }
}

function whatIsMissing(module: unknown): string | undefined {
  if (typeof module !== 'object' || module === null) return `is made as ${describeValue(module)}, not as a module`;
  if ('then' in module) return 'is made by an async function: a promise is no module';
  const { name, load, unload, pathOf } = module as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !/^[\w-]+$/.test(name)) return 'has no name of letters, digits, - and _';
  for (const [key, value] of Object.entries({ load, unload })) {
    if (typeof value !== 'function') return `(${name}) has no ${key}()`;
  }
  if (name === 'hv_netvsc' && typeof pathOf !== 'function') {
    return '(hv_netvsc) has no pathOf(nic), which tells the path that a frame takes';
  }
  return undefined;
}

const isGuests = (context: Pick<Context, 'side'> | undefined): boolean =>
  context !== undefined && context.side !== 'host' && context.side !== 'clock';

/** What the engine says of `yield*` where there is nothing that it could run. */
const NO_TASK = /is not iterable/;
const WRITE_A_TASK = 'write it as a generator, function*() without async';

/** Files from which driver code is called. */
const CALLERS = ['driver-guard', 'driver-program'];

/** The innermost frame of code that is neither ours nor Node's, up to where we called it. */
function driverFrame(frames: readonly Frame[]): Frame | undefined {
  const end = frames.findIndex((frame) => CALLERS.some((name) => isIn(frame, name)));
  return frames.slice(0, end === -1 ? undefined : end).find((frame) => !isOwn(frame) && !isOfNode(frame));
}

const at = (frame: Frame | undefined): string => (frame === undefined ? '' : ` at ${describeFrame(frame)}`);

const OVER: IteratorResult<Operation, unknown> = { done: true, value: undefined };

/** The task of one context, looked at between its steps. */
class GuardedTask implements Runner {
  private readonly guard: DriverGuard;
  private readonly name: string;
  private readonly task: Runner;
  /** What it waits at. */
  private operation: Operation | undefined;

  constructor(guard: DriverGuard, name: string, task: Runner) {
    this.guard = guard;
    this.name = name;
    this.task = task;
  }

  next(result: unknown): IteratorResult<Operation, unknown> {
    if (this.guard.found !== undefined) return OVER;
    if (this.operation?.state === 'answered') {
      return this.refuse('shared a task', `lets another context carry on the task of ${this.name}${this.behind()}`);
    }
    let next: IteratorResult<Operation, unknown>;
    try {
      next = this.task.next(result);
    } catch (error) {
      if (!this.guard.judge(error, { name: this.name, side: 'guest' })) throw error;
      return OVER;
    }
    return next.done === true ? next : this.look(next);
  }

  private look(next: IteratorYieldResult<Operation>): IteratorResult<Operation, unknown> {
    const { value } = next;
    if (!(value instanceof Operation)) {
      return this.refuse(
        'yielded no operation',
        `yields ${describeValue(value)} in ${this.name}${this.behind()}: yield* on an operation or a task is all that may be there`,
      );
    }
    if (value.state === 'made') {
      const text = `yields "${describe(value)}" in ${this.name} without the star: yield* gives the result its type`;
      return this.refuse('yielded without the star', text);
    }
    this.operation = value;
    return next;
  }

  private behind(): string {
    return this.operation === undefined ? ', at its beginning' : `, behind "${describe(this.operation)}"`;
  }

  private refuse(what: string, text: string): IteratorResult<Operation, unknown> {
    this.guard.note(`driver ${what}`, text);
    return OVER;
  }
}

const describe = ({ kind, object }: Operation): string => `${kind} ${object.name}`;

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object' && value !== null) {
    if ('then' in value) return 'a promise';
    if (Symbol.asyncIterator in value) return 'an async generator';
    if ('next' in value) return 'a task that it does not run (the star is missing)';
    return 'an object';
  }
  return `the ${typeof value} ${String(value).slice(0, 40)}`;
}
