/**
 * Kernel modules: what `kldload` and `kldunload` do here. Source: kern/kern_linker.c (kern_kldload(), kern_kldunload(),
 * linker_kldload_busy(): one at a time), from memory.
 * What this leaves out: dependencies, and who may not go because somebody uses it.
 */
import { Mutex } from '../../../sim/mutex.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Errno } from '../../uapi/errno.ts';

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
  /** kld_busy. */
  private readonly busy: Mutex;

  constructor(sim: Simulation, modules: readonly Module[]) {
    this.sim = sim;
    this.list = new Place(sim);
    this.busy = new Mutex(sim, 'kernel linker');
    for (const module of modules) this.known.set(module.name, module);
  }

  /** modfind(2): whether it is there, or about to be. */
  isLoaded(name: string): boolean {
    this.list.read();
    return this.loaded.has(name);
  }

  /** kldload(2): ENOENT for a module that there is not, EEXIST for one that is loaded. */
  *load(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined) return 'ENOENT';
    yield* this.busy.lock();
    const errno = this.isLoaded(name) ? 'EEXIST' : undefined;
    if (errno === undefined) {
      this.list.write();
      this.loaded.add(name);
      this.sim.trace.emit({ kind: 'module', module: name, loaded: true });
      yield* module.load();
    }
    yield* this.busy.unlock();
    return errno;
  }

  /** kldunload(2): ENOENT when it is not loaded. */
  *unload(name: string): Task<Errno | undefined> {
    const module = this.known.get(name);
    if (module === undefined) return 'ENOENT';
    yield* this.busy.lock();
    const errno = this.isLoaded(name) ? undefined : 'ENOENT';
    if (errno === undefined) {
      yield* module.unload();
      this.list.write();
      this.loaded.delete(name);
      this.sim.trace.emit({ kind: 'module', module: name, loaded: false });
    }
    yield* this.busy.unlock();
    return errno;
  }
}
