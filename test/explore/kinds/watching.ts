import { Uniform } from '../../../src/explore/strategies/uniform.ts';
import type { Context } from '../../../src/sim/context.ts';

/** Draws a run in which timers may fire before what could run, and keeps the classes of the objects that steps are on. */
export class Watching extends Uniform {
  readonly anyTime = true;
  private readonly classes: Set<string>;

  constructor(seed: number, classes: Set<string>) {
    super(seed);
    this.classes = classes;
  }

  override pick(ready: readonly Context[]): number {
    const at = super.pick(ready);
    const object = ready[at]?.operation?.object;
    if (object !== undefined) this.classes.add(object.constructor.name);
    return at;
  }
}
