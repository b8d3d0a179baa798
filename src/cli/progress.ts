/** How far what takes long has come: a line that stands on a terminal, lines one below the other elsewhere. */
import { formatDuration } from '../base/time.ts';
import { inThousands } from '../report/exploration.ts';
import type { Simulation } from '../sim/simulation.ts';
import { complainAtOnce } from './terminal.ts';

const SILENT_MS = 2000;
const BETWEEN_MS = 200;
/** Between two lines where none can be taken away again. */
const BETWEEN_LINES_MS = 10_000;
const USUAL_COLUMNS = 80;
const BAR_WIDTH = 24;

let standing = false;

/** Takes the line away: whatever is printed next begins where it stood. */
export function clearProgress(): void {
  if (standing) complainAtOnce('\r\u001b[K');
  standing = false;
}

/** The line that stands, on a terminal. */
export function showProgress(line: string): void {
  standing = true;
  // What is wider than the terminal takes a second line, which nothing takes away.
  process.stderr.write(`\r\u001b[K${line.slice(0, Math.max(1, (process.stderr.columns || USUAL_COLUMNS) - 1))}`);
}

/** Of one run: on terminals only. */
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
    showProgress(`${phase}${formatDuration(sim.now)} of virtual time, ${sim.steps} steps`);
  }

  end(): void {
    clearProgress();
  }
}

/** How far a search is. */
export interface SearchState {
  readonly doing: string;
  /** Of what it is doing now: so much of so much. */
  readonly done: number;
  readonly of: number;
  /** What these count where it is not orders: `races`. */
  readonly counted?: string;
  /** It may come to its end before. */
  readonly isAtMost: boolean;
  /** In all, since it began. */
  readonly orders: number;
  readonly failing: number;
  /** What takes so long that no rate says anything: `strikes`, so much of so much. */
  readonly slow?: string;
}

/** Of a search. It asks for the state itself, so the thread must come back to its event loop now and then. */
export class SearchProgress {
  private readonly begun = Date.now();
  private readonly look: () => SearchState;
  private readonly timer: NodeJS.Timeout;
  private doing = '';
  private doingSince = this.begun;
  private shownAt = 0;

  constructor(look: () => SearchState) {
    this.look = look;
    this.timer = setInterval(() => this.see(), BETWEEN_MS);
  }

  end(): void {
    clearInterval(this.timer);
    clearProgress();
  }

  private see(): void {
    const now = Date.now();
    const state = this.look();
    if (state.doing !== this.doing) [this.doing, this.doingSince] = [state.doing, now];
    if (now - this.begun < SILENT_MS) return;
    const times = { all: now - this.begun, now: now - this.doingSince };
    if (process.stderr.isTTY === true) showProgress(`${bar(state)} ${sayProgress(state, times)}`);
    else if (now - this.shownAt >= BETWEEN_LINES_MS) {
      this.shownAt = now;
      process.stderr.write(`${sayProgress(state, times)}\n`);
    }
  }
}

function bar({ done, of }: SearchState): string {
  const filled = Math.round((BAR_WIDTH * Math.min(done, of)) / Math.max(1, of));
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`;
}

/** `sampling: 1,234 orders, 5,100 a second, 2 failing, 3 s left`. `times`: milliseconds in all, and at what it does now. */
export function sayProgress(state: SearchState, times: { readonly all: number; readonly now: number }): string {
  const { doing, done, of, counted, isAtMost, orders, failing, slow } = state;
  const rate = Math.round((orders * 1000) / Math.max(1, times.all));
  const left = done === 0 ? undefined : Math.ceil((times.now * Math.max(0, of - done)) / done / 1000);
  const rest = left === undefined ? '' : `, ${isAtMost ? 'at most ' : ''}${inThousands(left)} s left`;
  const found = `${inThousands(failing)} failing${rest}`;
  if (slow !== undefined)
    return of === 0 ? doing : `${doing}: ${inThousands(done)} of ${inThousands(of)} ${slow}, ${found}`;
  const what = counted === undefined ? doing : `${inThousands(done)} of ${inThousands(of)} ${counted}`;
  return `${what}: ${inThousands(orders)} orders, ${inThousands(rate)} a second, ${found}`;
}
