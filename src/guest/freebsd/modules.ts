/** Kernel modules: what `kldload` and `kldunload` do here. */
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';

export interface Module {
  readonly name: string;
  /** In the context of whoever loads it. */
  readonly load: () => Task;
  readonly unload: () => Task;
}

export class Modules {
  private readonly sim: Simulation;
  private readonly known = new Map<string, Module>();
  private readonly loaded = new Set<string>();
  /** For {@link loaded}. */
  private readonly list: Place;

  constructor(sim: Simulation, modules: readonly Module[]) {
    this.sim = sim;
    this.list = new Place(sim);
    for (const module of modules) this.known.set(module.name, module);
  }

  /** kldload(2): ENOENT for a module that there is not, EEXIST for one that is loaded. */
  *load(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined) return 'ENOENT';
    this.list.write();
    if (this.loaded.has(name)) return 'EEXIST';
    this.loaded.add(name);
    this.sim.trace.emit({ kind: 'module', module: name, loaded: true });
    yield* module.load();
    return undefined;
  }

  /** kldunload(2): ENOENT when it is not loaded. */
  *unload(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    this.list.write();
    if (module === undefined || !this.loaded.delete(name)) return 'ENOENT';
    yield* module.unload();
    this.sim.trace.emit({ kind: 'module', module: name, loaded: false });
    return undefined;
  }
}
