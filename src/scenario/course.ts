/** How a run goes on between the looks that are taken at it: progress, waits that are too long, a spin. */
import type { Nanoseconds } from '../base/time.ts';
import type { RunLimits, Simulation, Stop } from '../sim/simulation.ts';
import { findSpin } from '../sim/spin.ts';
import { LongWaits } from './long-waits.ts';
import type { Stage } from './stage.ts';

/** Steps between two looks. A run that has done so many at one moment is looked at for a spin. Invented. */
const STEPS_BETWEEN_LOOKS = 50_000;

export interface CourseOptions {
  readonly stepsMax: number;
  readonly onProgress: ((sim: Simulation) => void) | undefined;
  readonly enough: (() => boolean) | undefined;
}

export class Course {
  readonly waits: LongWaits;
  /** What is done over and over, when the run spins: it goes no further then. */
  spin: readonly string[] | undefined;
  private readonly stage: Stage;
  private readonly sim: Simulation;
  private readonly options: CourseOptions;
  private over: (() => boolean) | undefined;

  constructor(stage: Stage, options: CourseOptions) {
    this.stage = stage;
    this.sim = stage.sim;
    this.options = options;
    this.waits = new LongWaits(stage.sim);
  }

  /** Runs until this moment, until `over` says so, or until the run ends, for whatever reason, before it. */
  runUntil(until: Nanoseconds, over?: () => boolean): Stop {
    const { sim } = this;
    const { stepsMax, onProgress } = this.options;
    this.over = over;
    for (;;) {
      const begun = sim.now;
      const look = Math.min(until, this.waits.due);
      const next = Math.min(stepsMax, sim.steps + STEPS_BETWEEN_LOOKS);
      const stop = this.run(look, next);
      if (stop === 'until' && look < until) {
        this.waits.look();
        continue;
      }
      if (stop !== 'steps' || next === stepsMax) return stop;
      onProgress?.(sim);
      if (sim.now > begun) continue;
      const ended = this.lookForSpin(until);
      if (ended !== undefined) return ended;
    }
  }

  /** Why the run ended during the look, if it did. */
  private lookForSpin(until: Nanoseconds): Stop | undefined {
    const { sim } = this;
    let stop: Stop = 'steps';
    this.spin = findSpin(sim, () => {
      if (sim.steps < this.options.stepsMax) stop = this.run(until, sim.steps + 1);
      return stop === 'steps' && sim.steps < this.options.stepsMax;
    });
    return this.spin === undefined && stop === 'steps' ? undefined : stop;
  }

  private run(until: Nanoseconds, stepsMax: number): Stop {
    const { over } = this;
    const { enough } = this.options;
    const either = over === undefined ? enough : () => over() || enough?.() === true;
    const limits: RunLimits = { until, stepsMax, ...(either === undefined ? {} : { enough: either }) };
    return this.stage.run?.(limits) ?? this.sim.run(limits);
  }
}
