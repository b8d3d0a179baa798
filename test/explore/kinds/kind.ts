/** What random programs are made of: kinds of objects, and what a context can do to one. */
import type { Context } from '../../../src/sim/context.ts';
import type { Operation, SharedObject, Task } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';

type Doing = Task<unknown> | Operation;

/** One run of a program, as far as its objects need it. */
export interface World {
  readonly sim: Simulation;
  /** The contexts that the program begins with. */
  readonly contexts: readonly Context[];
  /** What work items, children and callbacks do. */
  work(name: string): Task;
  /** What the objects of a kind have in common: made when it is asked for first, while the program is set up. */
  once<T>(make: (sim: Simulation) => T): T;
}

/** A context, as far as its actions need it. */
export interface Actor {
  readonly name: string;
  /** A small number that tells it from most others. */
  readonly mine: number;
  /** It has taken something, which it gives back by and by, or at its end. */
  takes(what: unknown, giveBack: () => Doing): void;
  has(what: unknown): boolean;
  /** It gives back what it took last of this, if it has any. */
  gives(what: unknown): Task;
  /** Something of its own that belongs to `what`, made when it is asked for first. */
  own<T>(what: unknown, make: () => T): T;
  /** What needs no operation: it happens in the step before, or in one that meets nobody. */
  within<T>(access: () => T): Task<T>;
}

/** What an action gives is what its context got: all that it knows. */
type Action<T> = (of: T, actor: Actor) => Doing;

interface Row<T> {
  /** Each program has two of them, or one that is made {@link World.once} for both. */
  readonly make: (world: World, name: string, i: number) => T;
  readonly actions: Readonly<Record<string, Action<T>>>;
  /** All that can be told apart at the end of a run, beside what contexts got and what the trace told of. */
  readonly state: (of: T) => unknown;
  /** Actions that let {@link World.work} run: no part of it, or it would never end. */
  readonly starting?: readonly string[];
}

export type Kind = Row<unknown>;

/** A row of the table: what is made is what is acted on. */
export const kind = <T>(row: Row<T>): Kind => row as unknown as Kind;

export const peek = (object: SharedObject): unknown => object.peek();
