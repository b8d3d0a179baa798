/** What a command of the guest came to, for a line of the scenario that asks: it may be under way still, as a program. */
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import type { Task } from '../sim/operation.ts';
import { Place } from '../sim/place.ts';
import type { Simulation } from '../sim/simulation.ts';
import { WaitCell } from '../sim/wait-cell.ts';
import type { Answer } from './stage.ts';

export type Refusal = { readonly refused: string } | undefined;

export class Reply {
  private readonly sim: Simulation;
  /** For what is said, and whether somebody waits for it. */
  private readonly place: Place;
  private said: { readonly refusal: Refusal } | undefined;
  private waiting: WaitCell<true> | undefined;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.place = new Place(sim);
  }

  give(refusal: Refusal): void {
    this.place.write();
    this.said = { refusal };
    this.waiting?.inject(true);
  }

  /** Whether it was refused with this errno, or not at all; waits so long for the command to come back. */
  *is(errno: string | undefined, limit: Nanoseconds): Task<Answer> {
    this.place.read();
    if (this.said === undefined && limit > 0) {
      this.waiting = new WaitCell(this.sim, `reply within ${formatDuration(limit)}`, limit);
      yield* this.waiting.wait();
      this.place.read();
    }
    if (this.said === undefined) return { holds: false, found: 'that it has not come back' };
    const found = this.said.refusal?.refused;
    return { holds: found === errno, found: found ?? 'no errno' };
  }
}
