import { Operation, type Peek, SharedObject } from './operation.ts';
import type { Simulation } from './simulation.ts';

/**
 * One published value that several contexts read or write without a lock.
 * `now` is for whoever knows that nobody else can be there (a holder of the lock that guards it, a report).
 */
export class Cell<T> extends SharedObject {
  private value: T;
  private readonly show: (value: T) => Peek;

  constructor(sim: Simulation, name: string, value: T, show: (value: T) => Peek = showPlainly) {
    super(sim, name);
    this.value = value;
    this.show = show;
  }

  get now(): T {
    return this.value;
  }

  get(): Operation<T> {
    return new Operation(this, 'get');
  }

  set(value: T): Operation<void> {
    return new Operation(this, 'set', value);
  }

  /** Waits until the value is another one than `value`: what a loop that polls with a lock in between stands for. */
  whileIs(value: T): Operation<T> {
    return new Operation(this, 'whileIs', value);
  }

  enabled(operation: Operation): boolean {
    return operation.kind !== 'whileIs' || this.value !== operation.arg;
  }

  perform(operation: Operation): T | undefined {
    if (operation.kind !== 'set') return this.value;
    this.value = operation.arg as T;
    return undefined;
  }

  peek(): Peek {
    return this.show(this.value);
  }
}

function showPlainly(value: unknown): Peek {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return value === undefined ? 'none' : typeof value;
}
