import type { Footprint } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';

/** A count of references. Source: sys/refcount.h (refcount_acquire(), refcount_acquire_if_not_zero(), refcount_release()). */
export class References extends SharedObject {
  private count = 1;
  /** The scenario's name of the device that is referred to. */
  private readonly dev: string;

  constructor(sim: Simulation, dev: string, name = `${dev}.references`) {
    super(sim, name);
    this.dev = dev;
  }

  /** One more. From none it is a mistake of the caller: what is referred to is on its way out already. */
  acquire(): Operation<void> {
    return new Operation(this, 'acquire');
  }

  /** One more, unless there is none left: then false. */
  tryAcquire(): Operation<boolean> {
    return new Operation(this, 'tryAcquire');
  }

  /** One less; true when it was the last. */
  release(): Operation<boolean> {
    return new Operation(this, 'release');
  }

  /** One more within a step of another object: for whoever is found on a list and referred to under its lock. */
  acquireNow(): void {
    this.sim.footprint?.write(this.place);
    this.count++;
  }

  /** For reports, and for the callback that frees. */
  get now(): number {
    this.sim.footprint?.read(this.place);
    return this.count;
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind }: Operation): boolean | undefined {
    switch (kind) {
      case 'acquire':
        if (this.count === 0) this.complain('a reference is taken where there is none');
        this.count++;
        return undefined;
      case 'tryAcquire':
        if (this.count === 0) return false;
        this.count++;
        return true;
      default:
        if (this.count === 0) {
          this.complain('a reference is given back that nobody has');
          return false;
        }
        return --this.count === 0;
    }
  }

  override touch({ kind }: Operation, footprint: Footprint): void {
    if (kind === 'tryAcquire' && this.count === 0) footprint.read(this.place);
    else footprint.write(this.place);
  }

  peek(): number {
    return this.count;
  }

  private complain(what: string): void {
    this.sim.trace.emit({ kind: 'kernel.assert', dev: this.dev, what });
  }
}
