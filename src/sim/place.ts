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
}
