import type { Footprint } from '../../../sim/footprint.ts';
import { Operation, SharedObject } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { Cloner } from './cloner.ts';

/**
 * V_if_cloners: the cloners of a vnet, the newest first. The list's mutex is held for one walk, so that each is a step.
 * Source: net/if_clone.c (if_clone_attach(), if_clone_create(), if_clone_destroy()); reference C.2.
 */
export class ClonerList extends SharedObject {
  private readonly entries: Cloner[] = [];

  constructor(sim: Simulation, vnet: string) {
    super(sim, `cloners of ${vnet}`);
  }

  /** False when there is one of that name. */
  add(cloner: Cloner): Operation<boolean> {
    return new Operation(this, 'add', cloner);
  }

  remove(cloner: Cloner): Operation<boolean> {
    return new Operation(this, 'remove', cloner);
  }

  /** The first that takes a name for one of its own; `refer`: with a reference to it, which no kernel takes (G-42). */
  match(name: string, vnet: Vnet, refer: boolean): Operation<Cloner | undefined> {
    return new Operation(this, 'match', { refer, is: (cloner) => cloner.type.matches(name, vnet) } satisfies Wanted);
  }

  /** The one of a driver's name. */
  named(name: string, refer: boolean): Operation<Cloner | undefined> {
    return new Operation(this, 'named', { refer, is: (cloner) => cloner.type.name === name } satisfies Wanted);
  }

  /** For whoever is in a step of another object, and for what is checked when all is quiet. */
  get now(): readonly Cloner[] {
    this.sim.footprint?.read(this.place);
    return [...this.entries];
  }

  enabled(): boolean {
    return true;
  }

  perform({ kind, arg }: Operation): Cloner | boolean | undefined {
    if (kind === 'match' || kind === 'named') return this.find(arg as Wanted);
    const cloner = arg as Cloner;
    if (kind === 'add') {
      if (this.entries.some(({ type }) => type.name === cloner.type.name)) return false;
      this.entries.unshift(cloner);
      return true;
    }
    const at = this.entries.indexOf(cloner);
    if (at !== -1) this.entries.splice(at, 1);
    return at !== -1;
  }

  override touch({ kind }: Operation, footprint: Footprint): void {
    if (kind === 'match' || kind === 'named') footprint.read(this.place);
    else footprint.write(this.place);
  }

  peek(): number {
    return this.entries.length;
  }

  private find({ refer, is }: Wanted): Cloner | undefined {
    const found = this.entries.find(is);
    if (refer) found?.references.acquireNow();
    return found;
  }
}

interface Wanted {
  readonly refer: boolean;
  readonly is: (cloner: Cloner) => boolean;
}
