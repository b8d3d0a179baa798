/** One line that says how far a run is, on terminals only and only when it takes a while. */
import { formatDuration } from '../base/time.ts';
import type { Simulation } from '../sim/simulation.ts';

const SILENT_MS = 2000;
const BETWEEN_MS = 200;
const USUAL_COLUMNS = 80;

let standing = false;

/** Takes the line away: whatever is printed next begins where it stood. */
export function clearProgress(): void {
  if (standing) process.stderr.write('\r\u001b[K');
  standing = false;
}

export class Progress {
  /** What the run is at, put before the figures. */
  phase = '';
  private readonly begun = Date.now();
  private shownAt = 0;
  private readonly shown = process.stderr.isTTY === true;

  see(sim: Simulation): void {
    const now = Date.now();
    if (!this.shown || now - this.begun < SILENT_MS || now - this.shownAt < BETWEEN_MS) return;
    this.shownAt = now;
    const phase = this.phase === '' ? '' : `${this.phase}, `;
    standing = true;
    const line = `${phase}${formatDuration(sim.now)} of virtual time, ${sim.steps} steps`;
    // What is wider than the terminal takes a second line, which nothing takes away.
    process.stderr.write(`\r\u001b[K${line.slice(0, Math.max(1, (process.stderr.columns || USUAL_COLUMNS) - 1))}`);
  }

  end(): void {
    clearProgress();
  }
}
