import { itemPart, namePart } from './footprint.ts';
import type { Simulation } from './simulation.ts';

/**
 * State that contexts share and touch within their steps, beside the steps' own operations: a plain field, a table.
 * Whoever touches it says so here, or a search would take for independent what is not.
 */
export class Place {
  private readonly sim: Simulation;
  private readonly place: number;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.place = sim.newPlace();
  }

  read(): void {
    this.sim.footprint?.read(this.place);
  }

  write(): void {
    this.sim.footprint?.write(this.place);
  }

  /** One entry of a table: what happens to others does not matter to it, but what happens to all does. */
  writeEntry(key: number): void {
    this.sim.footprint?.read(this.place);
    this.sim.footprint?.write(this.place, itemPart(key));
  }

  /** The same for an entry that is found by its name. */
  writeNamed(name: string): void {
    this.sim.footprint?.read(this.place);
    this.sim.footprint?.write(this.place, namePart(name));
  }
}
