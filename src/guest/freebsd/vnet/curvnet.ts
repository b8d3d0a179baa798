import { assert } from '../../../base/assert.ts';
import type { Context } from '../../../sim/context.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Vnet } from './vnet.ts';

/**
 * curvnet: the network stack that a thread works in; none outside of network code. A thread's own. In a kernel without
 * VIMAGE there is one stack, and nothing is set: the macros are empty.
 * Source: net/vnet.h (CURVNET_SET(), CURVNET_RESTORE(), VIMAGE); reference D.2, F-5, F-6.
 */
export class CurVnet {
  private readonly sim: Simulation;
  private readonly current = new Map<Context, Vnet>();
  private readonly only: (() => Vnet) | undefined;

  /** `only`: the one stack of a kernel without VIMAGE. */
  constructor(sim: Simulation, only?: () => Vnet) {
    this.sim = sim;
    this.only = only;
  }

  /** Of the context at hand; undefined outside of network code. */
  get now(): Vnet | undefined {
    if (this.only !== undefined) return this.only();
    const { current } = this.sim;
    return current === undefined ? undefined : this.current.get(current);
  }

  /** For code that cannot do without one: a kernel would crash there. */
  get must(): Vnet {
    const vnet = this.now;
    assert(vnet !== undefined, 'network code runs without a vnet');
    return vnet;
  }

  /** Runs a task in a vnet, and puts back what was before. */
  *within<T>(vnet: Vnet, task: Task<T>): Task<T> {
    if (this.only !== undefined) return yield* task;
    const { current } = this.sim;
    assert(current !== undefined, 'a vnet is entered outside of all contexts');
    const before = this.current.get(current);
    this.current.set(current, vnet);
    const result = yield* task;
    if (before === undefined) this.current.delete(current);
    else this.current.set(current, before);
    return result;
  }
}
