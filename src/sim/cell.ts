import type { Footprint } from './footprint.ts';
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
    this.sim.footprint?.read(this.place);
    return this.value;
  }

  get(): Operation<T> {
    return new Operation(this, 'get');
  }

  set(value: T): Operation<void> {
    return new Operation(this, 'set', value);
  }

  /** Reads, changes and writes in one step, as an atomic instruction does; gives the new value. */
  update(change: (value: T) => T): Operation<T> {
    return new Operation(this, 'update', change);
  }

  /** Puts a value in and gives the one that was there, as xchg() does. */
  exchange(value: T): Operation<T> {
    return new Operation(this, 'exchange', value);
  }

  /** Waits until the value is another one than `value`: what a loop that polls with a lock in between stands for. */
  whileIs(value: T): Operation<T> {
    return new Operation(this, 'whileIs', value);
  }

  /** The same for a daemon that may rest here for ever: whoever serves a change that need not come. */
  heed(value: T): Operation<T> {
    return new Operation(this, 'heed', value);
  }

  enabled(operation: Operation): boolean {
    const waits = operation.kind === 'whileIs' || operation.kind === 'heed';
    return !waits || this.value !== operation.arg;
  }

  perform(operation: Operation): T | undefined {
    switch (operation.kind) {
      case 'set':
        this.value = operation.arg as T;
        return undefined;
      case 'update':
        this.value = (operation.arg as (value: T) => T)(this.value);
        return this.value;
      case 'exchange': {
        const was = this.value;
        this.value = operation.arg as T;
        return was;
      }
      default:
        return this.value;
    }
  }

  override touch(operation: Operation, footprint: Footprint): void {
    const { kind } = operation;
    if (kind === 'set' || kind === 'update' || kind === 'exchange') footprint.write(this.place);
    else footprint.read(this.place);
  }

  peek(): Peek {
    return this.show(this.value);
  }
}

function showPlainly(value: unknown): Peek {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return value === undefined ? 'none' : typeof value;
}
