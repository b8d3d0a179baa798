/** What a drill measures: how long there was no path, and what became of the frames, phase by phase. */
import type { Nanoseconds } from '../base/time.ts';
import type { Event, Path } from '../trace/event.ts';
import type { Direction, FrameCounts, FrameLedger, Frames } from '../trace/frames.ts';
import type { PathMonitor } from './path-monitor.ts';

/** A phase of the drill, once a round. */
export interface PhaseSpan {
  readonly name: string;
  readonly round: number;
  readonly from: Nanoseconds;
  readonly to: Nanoseconds;
}

/** All rounds of one phase together. */
export interface PhaseFigures {
  readonly phase: string;
  readonly rounds: number;
  /** Mean length of a round of it. */
  readonly lasts: Nanoseconds;
  /** The paths that frames were sent by, in their order, of the first NIC and round. */
  readonly paths: readonly Path[];
  readonly without: Readonly<Record<Direction, Nanoseconds>>;
  /** By when the frame was sent. */
  readonly frames: Readonly<Record<Direction, FrameCounts>>;
}

export interface Gaps {
  readonly nic: string;
  readonly direction: Direction;
  readonly from: Nanoseconds;
  readonly span: Nanoseconds;
}

/** The names that the report has for the time before and behind the update. */
export const BEFORE = 'steady';
export const AFTER = 'steady after';

/** Takes the phases from the events: from the first flow on until the flows end. */
export class PhaseClock {
  private readonly begun: { readonly name: string; readonly round: number; readonly from: Nanoseconds }[] = [];
  private ended: Nanoseconds | undefined;

  see(event: Event): void {
    if (event.kind === 'scenario.step') {
      if (event.text.startsWith('flow stop')) this.ended ??= event.time;
      if (event.text.startsWith('flow echo') && this.begun.length === 0) this.begin(BEFORE, 0, event.time);
    }
    if (event.kind === 'servicing.phase') {
      const over = event.phase === 'done' || event.phase === 'steady';
      this.begin(over ? AFTER : event.phase, event.round, event.time);
    }
  }

  spans(end: Nanoseconds): readonly PhaseSpan[] {
    const last = this.ended ?? end;
    return this.begun
      .map((phase, i) => ({ ...phase, to: this.begun[i + 1]?.from ?? last }))
      .filter((phase) => phase.to > phase.from);
  }

  private begin(name: string, round: number, from: Nanoseconds): void {
    const before = this.begun.at(-1);
    if (before?.name === name && (name === AFTER || before.round === round)) return;
    this.begun.push({ name, round, from });
  }
}

/** One row a phase, in the order in which they first came. */
export function figuresOf(
  spans: readonly PhaseSpan[],
  monitors: readonly PathMonitor[],
  frames: Frames,
): readonly PhaseFigures[] {
  const names = [...new Set(spans.map((span) => span.name))];
  // The time behind the last round comes last, whatever came first.
  names.sort((a, b) => Number(a === AFTER) - Number(b === AFTER));
  return names.map((phase) => {
    const rounds = spans.filter((span) => span.name === phase);
    const [first] = rounds;
    const total = (direction: Direction): Nanoseconds =>
      sum(rounds.flatMap(({ from, to }) => monitors.map((monitor) => monitor.without(direction, from, to))));
    return {
      phase,
      rounds: rounds.length,
      lasts: Math.round(sum(rounds.map(({ from, to }) => to - from)) / rounds.length),
      paths: first === undefined ? [] : (monitors[0]?.pathsWithin(first.from, first.to) ?? []),
      without: { tx: total('tx'), rx: total('rx') },
      frames: { tx: countAll(frames, 'tx', rounds), rx: countAll(frames, 'rx', rounds) },
    };
  });
}

/** The longest span without a path that reaches into `[from, to)`. */
export function worstGap(monitors: readonly PathMonitor[], from: Nanoseconds, to: Nanoseconds): Gaps | undefined {
  const all = monitors.flatMap((monitor) =>
    monitor.gaps(from, to).map((gap) => {
      const span = Math.min(gap.to, to) - gap.from;
      return { nic: monitor.nic, direction: gap.direction, from: gap.from, span };
    }),
  );
  return all.reduce<Gaps | undefined>(
    (worst, gap) => (worst === undefined || gap.span > worst.span ? gap : worst),
    undefined,
  );
}

function countAll(frames: Frames, direction: Direction, spans: readonly PhaseSpan[]): FrameCounts {
  const total = { sent: 0, received: 0, lost: 0, duplicated: 0, outOfOrder: 0 };
  for (const name of frames.names()) {
    const ledger: FrameLedger = frames.flow(name)[direction];
    for (const { from, to } of spans) {
      const counts = ledger.counts(from, to);
      for (const key of Object.keys(total) as (keyof FrameCounts)[]) total[key] += counts[key];
    }
  }
  return total;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
