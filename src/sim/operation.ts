/**
 * The alphabet of a run: one operation is one visible access to one shared object.
 * The record of operations is what replay checks, deadlock reports and partial-order reduction are driven from, so
 * whether an operation is enabled must be a pure function of its object.
 */
import { InvariantError } from '../base/assert.ts';
import type { Context } from './context.ts';
import type { Footprint } from './footprint.ts';
import type { Simulation } from './simulation.ts';

/** A value that can stand in a record of steps. */
export type Peek = string | number | boolean;

/**
 * What `yield*` takes: it suspends the task until the strategy picks it, and gives the result.
 * Single-shot (made for one `yield*`), so that a step costs one small object and no generator of its own.
 */
export class Operation<T = unknown> {
  readonly object: SharedObject;
  readonly kind: string;
  readonly arg: unknown;
  /** How often `yield*` has come for more: it asks, then it is answered. */
  private calls = 0;
  /** Only says what `yield*` gives; never there at run time. */
  declare readonly result: T;

  constructor(object: SharedObject, kind: string, arg?: unknown) {
    this.object = object;
    this.kind = kind;
    this.arg = arg;
  }

  /** Where `yield*` has taken it to: a plain `yield` leaves it as it was made. */
  get state(): 'made' | 'asked' | 'answered' {
    return this.calls === 0 ? 'made' : this.calls === 1 ? 'asked' : 'answered';
  }

  [Symbol.iterator](): this {
    if (this.calls > 0)
      throw new InvariantError(`"${this.kind} ${this.object.name}" is an operation that was used before`);
    return this;
  }

  next(value?: unknown): IteratorResult<Operation, T> {
    if (this.calls++ > 0) {
      ANSWERED.value = value;
      return ANSWERED as IteratorReturnResult<T>;
    }
    ASKING.value = this;
    return ASKING;
  }
}

// `yield*` reads a result before anything else runs, so that all operations share these two.
const ASKING: { done: false; value: Operation } = { done: false, value: undefined as never };
const ANSWERED: { done: true; value: unknown } = { done: true, value: undefined };

/**
 * A guest or user context's code: it stops only where the text says `yield*`. Its generator function is a method or
 * stands in its module: one that is made anew for each machine keeps that machine until the next full garbage
 * collection (V8 makes a hidden class for it, which lives among the old objects), and a search makes a million of them.
 */
// biome-ignore lint/suspicious/noExplicitAny: what a `yield` gives depends on the operation; `yield*` types it
export type Task<T = void> = Generator<Operation, T, any>;

/** What objects that nobody has come to yet have in common: most of a large machine's cells. */
export const NOBODY: Context[] = [];

/** Something that contexts share. A subclass is a table of the operations it has. */
export abstract class SharedObject {
  /** The contexts whose next operation is on this object, in the order of arrival. Kept by the simulation. */
  pending: Context[] = NOBODY;
  protected readonly sim: Simulation;
  readonly name: string;
  /** Its number in footprints. */
  readonly place: number;

  constructor(sim: Simulation, name: string) {
    this.sim = sim;
    this.name = name;
    this.place = sim.newPlace();
  }

  /** Whether the operation can run now: a pure function of this object (and of who asks). */
  abstract enabled(operation: Operation, context: Context): boolean;

  /** Runs the operation; called only when it is enabled. */
  abstract perform(operation: Operation, context: Context): unknown;

  /** Notes what the operation touches if it runs now. Called before {@link perform}, and only for a search. */
  touch(_operation: Operation, footprint: Footprint): void {
    footprint.write(this.place);
  }

  /** The object's value in short, for the record of steps and for reports. */
  abstract peek(): Peek;

  /** Called when a context arrives at an operation on this object: a sleep starts its timer here. */
  arrive(_operation: Operation, _context: Context): void {}

  /** Who must act before a waiter can go on, when the object knows. */
  heldBy(): Context | undefined {
    return undefined;
  }

  /** To be called when the object changed by anything but an operation on it (a timer, an injection). */
  protected changed(): void {
    this.sim.reconsider(this);
  }
}
