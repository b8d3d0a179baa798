/**
 * Steps that touched less than they had where they came earlier, because of a step that now came before them. Such a step
 * sleeps there: what begins with it was gone through. But what meets the places that it touches no more could come before
 * both, and of that no race tells, as the two do not meet in this run.
 * Source-DPOR takes it for granted that two steps which commute behind a third do so without it; here what a step touches
 * depends on what it finds.
 */
import { meet, placeOf, TOUCH, wayOf } from '../../sim/footprint.ts';
import type { History } from './history.ts';

export interface Lessened {
  readonly step: number;
  readonly context: number;
  /** The step because of which it touched less. */
  readonly by: number;
}

/** Told of each step that could come before {@link Lessened.by}, by the contexts with which what leads to it can begin. */
type OnLeaders = (lessened: Lessened, leaders: readonly number[]) => void;

export class LessenedSteps {
  private readonly history: History;
  private list: (Lessened & { readonly vanished: readonly number[] })[] = [];

  constructor(history: History) {
    this.history = history;
  }

  /** Forgets all but those among the first steps. */
  truncate(length: number): void {
    if (this.list.length > 0) this.list = this.list.filter(({ step }) => step < length);
  }

  /** `before` and `now`: what it touched where it came earlier, and what it touched here. */
  note(lessened: Lessened, before: readonly number[], now: readonly number[]): void {
    const vanished = before.filter((touch) => !now.some((other) => standsFor(other, touch)));
    if (vanished.length > 0) this.list.push({ ...lessened, vanished });
  }

  /** The newest step may have met what vanished; where it is itself one that touched less, those before it may have. */
  look(newest: number, onLeaders: OnLeaders): void {
    for (const lessened of this.list) {
      const from = lessened.step === newest ? lessened.by + 1 : newest;
      for (let step = from; step <= newest; step++) {
        if (step === lessened.step || !meet(lessened.vanished, this.history.touchesOf(step))) continue;
        onLeaders(lessened, this.history.leaders(lessened.by, step));
      }
    }
  }
}

/** Whether who meets the one meets the other as well. */
const standsFor = (other: number, touch: number): boolean =>
  placeOf(other) === placeOf(touch) && (wayOf(other) !== TOUCH.read || wayOf(touch) === TOUCH.read);
