import type { Context } from '../sim/context.ts';
import { CUT, RunOn, type Strategy } from '../sim/strategy.ts';
import type { Choice } from './schedule.ts';

/**
 * Runs the order of a schedule, strictly: where the run cannot do what the schedule says, it ends, and
 * {@link divergence} says what both wanted. Behind the end of the schedule the default order goes on.
 */
export class FollowSchedule implements Strategy {
  /** The first difference between the schedule and the run. */
  divergence: string | undefined;
  private readonly choices: readonly Choice[];
  private readonly usual = new RunOn();
  private at = 0;
  private used = 0;
  private steps = 0;

  constructor(choices: readonly Choice[]) {
    this.choices = choices;
  }

  begin(): void {
    this.at = 0;
    this.used = 0;
    this.steps = 0;
    this.divergence = undefined;
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    this.steps++;
    const choice = this.choices[this.at];
    if (choice === undefined) return this.divergence === undefined ? this.usual.pick(ready, last) : CUT;
    if ('why' in choice)
      return this.differ(`the schedule chooses ${choice.why}`, `the run asks who goes next: ${names(ready)}`);
    const index = ready.findIndex((context) => context.name === choice.context);
    if (index === -1) return this.differ(`the schedule says ${choice.context}`, `only ${names(ready)} can run`);
    this.used++;
    if (this.used === choice.times) this.advance();
    return index;
  }

  value(why: string, n: number): number {
    const choice = this.choices[this.at];
    if (choice === undefined) return this.usual.value();
    const asked = `the run asks for ${why}, one of ${n}`;
    if (!('why' in choice)) this.differ(`the schedule says ${choice.context}`, asked);
    else if (choice.why !== why || choice.value >= n)
      this.differ(`the schedule chooses ${choice.why}=${choice.value}`, asked);
    else {
      this.advance();
      return choice.value;
    }
    return 0;
  }

  /** What the schedule still had when the run ended; undefined when it was all used. */
  get unused(): string | undefined {
    const choice = this.choices[this.at];
    if (choice === undefined || this.divergence !== undefined) return undefined;
    const next = 'why' in choice ? `?${choice.why}=${choice.value}` : choice.context;
    return `the run came to its end after ${this.steps} steps, and the schedule goes on with ${next}`;
  }

  private advance(): void {
    this.at++;
    this.used = 0;
  }

  private differ(theirs: string, ours: string): number {
    this.divergence ??= `step ${this.steps}: ${theirs}, but ${ours}`;
    this.at = this.choices.length;
    return CUT;
  }
}

const names = (ready: readonly Context[]): string => ready.map((context) => context.name).join(', ');
