/** Kernel modules: what `modprobe` and `modprobe -r` do here. */

import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';
import type { LinuxKernel } from './kernel.ts';

export interface Module {
  readonly name: string;
  /** In the context of whoever loads it: a driver's probe of devices that wait runs there too. */
  readonly load: () => Task;
  readonly unload: () => Task;
}

/**
 * Makes a module that is not netvsim's own, for one machine. It is called anew for every run, so that no run knows of
 * another one; what the module keeps it keeps inside of this call.
 */
export type DriverFactory = (kernel: LinuxKernel) => Module;

export class Modules {
  private readonly sim: Simulation;
  private readonly known = new Map<string, Module>();
  private readonly loaded = new Set<string>();
  /** For {@link loaded}. */
  private readonly list: Place;

  /** Of two modules of one name the later one stands in the place of the earlier. */
  constructor(sim: Simulation, modules: readonly Module[]) {
    this.sim = sim;
    this.list = new Place(sim);
    for (const module of modules) this.known.set(module.name, module);
  }

  names(): readonly string[] {
    return [...this.known.keys()];
  }

  /** ENOENT for a module that there is not; loading one again does nothing. */
  *load(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined) return 'ENOENT';
    this.list.write();
    if (this.loaded.has(name)) return undefined;
    this.loaded.add(name);
    this.sim.trace.emit({ kind: 'module', module: name, loaded: true });
    yield* module.load();
    return undefined;
  }

  *unload(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    this.list.write();
    if (module === undefined || !this.loaded.delete(name)) return 'ENOENT';
    yield* module.unload();
    this.sim.trace.emit({ kind: 'module', module: name, loaded: false });
    return undefined;
  }
}
