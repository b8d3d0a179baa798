/** Runs a program in every order that a strategy of the reduced search goes through, and collects how runs end. */
import type { Program } from '../../src/explore/program.ts';
import { Reduced, type Reduction } from '../../src/explore/strategies/reduced.ts';
import { Window } from '../../src/explore/strategies/window.ts';

export interface Enumeration {
  /** How runs end, each kind once. */
  readonly ends: ReadonlySet<string>;
  /** Runs that came to an end; the others were cut. */
  readonly complete: number;
  readonly cut: number;
  /** All orders were run. */
  readonly whole: boolean;
}

export interface EnumerateOptions {
  readonly reduction: Reduction;
  /** Timers may fire before what could run. */
  readonly anyTime: boolean;
  readonly runsMax: number;
}

export function enumerate(program: Program, { reduction, anyTime, runsMax }: EnumerateOptions): Enumeration {
  const strategy = new Reduced({ reduction });
  const all = new Window(strategy, true, anyTime);
  const ends = new Set<string>();
  let complete = 0;
  let cut = 0;
  do {
    if (complete + cut >= runsMax) return { ends, complete, cut, whole: false };
    const { found } = program(all);
    if (strategy.cut) cut++;
    else complete++;
    for (const { key } of found) ends.add(key);
  } while (strategy.advance());
  return { ends, complete, cut, whole: true };
}
