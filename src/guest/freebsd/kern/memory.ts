/**
 * Memory that one thread can free while another still has a pointer to it. A model cannot crash on it, so each use is an
 * operation that tells of a use after free, a second free and a null pointer as what they are.
 */
import type { Footprint } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';

export class KernelMemory extends SharedObject {
  /** The scenario's name of the device that it belongs to. */
  private readonly dev: string;
  /** What it holds: `ifnet`, `in6_ifextra`, `softc`. */
  private readonly what: string;
  private freedBy: string | undefined;

  constructor(sim: Simulation, dev: string, what: string) {
    super(sim, `${dev}.${what}`);
    this.dev = dev;
    this.what = what;
  }

  /** Reads or writes what is there; false, with a fault in the trace, when it is freed. `why`: who does it. */
  use(why: string): Operation<boolean> {
    return new Operation(this, 'use', why);
  }

  free(why: string): Operation<boolean> {
    return new Operation(this, 'free', why);
  }

  /** A pointer in it is null, and somebody follows it. */
  nullPointer(what: string, by: string): void {
    nullDereference(this.sim, this.dev, what, by);
  }

  get isFreed(): boolean {
    this.sim.footprint?.read(this.place);
    return this.freedBy !== undefined;
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): boolean {
    if (this.freedBy !== undefined) {
      this.fault(kind === 'use' ? 'use after free' : 'double free', arg as string);
      return false;
    }
    if (kind === 'free') this.freedBy = arg as string;
    return true;
  }

  override touch({ kind }: Operation, footprint: Footprint): void {
    if (kind === 'use') footprint.read(this.place);
    else footprint.write(this.place);
  }

  peek(): string {
    return this.freedBy === undefined ? 'live' : 'freed';
  }

  private fault(fault: 'use after free' | 'double free', by: string): void {
    const { dev, what, freedBy = '' } = this;
    this.sim.trace.emit({ kind: 'memory.fault', fault, dev, what, by, freedBy });
  }
}

/** Whoever follows a pointer that is not there: the thread would die of it. */
export function nullDereference(sim: Simulation, dev: string, what: string, by: string): void {
  sim.trace.emit({ kind: 'memory.fault', fault: 'null dereference', dev, what, by, freedBy: '' });
}
