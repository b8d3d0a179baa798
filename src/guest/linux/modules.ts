/** Kernel modules: what `modprobe` and `modprobe -r` do here. */
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';

export interface Module {
  readonly name: string;
  /** In the context of whoever loads it: a driver's probe of devices that wait runs there too. */
  readonly load: () => Task;
  readonly unload: () => Task;
}

export class Modules {
  private readonly sim: Simulation;
  private readonly known = new Map<string, Module>();
  private readonly loaded = new Set<string>();

  constructor(sim: Simulation, modules: readonly Module[]) {
    this.sim = sim;
    for (const module of modules) this.known.set(module.name, module);
  }

  names(): readonly string[] {
    return [...this.known.keys()];
  }

  /** ENOENT for a module that there is not; loading one again does nothing. */
  *load(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined) return 'ENOENT';
    if (this.loaded.has(name)) return undefined;
    this.loaded.add(name);
    this.sim.trace.emit({ kind: 'module', module: name, loaded: true });
    yield* module.load();
    return undefined;
  }

  *unload(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined || !this.loaded.delete(name)) return 'ENOENT';
    yield* module.unload();
    this.sim.trace.emit({ kind: 'module', module: name, loaded: false });
    return undefined;
  }
}
