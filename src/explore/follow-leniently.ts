/**
 * Follows an order as far as the run allows, so that any part of an order is an order too: at each step the first entry
 * runs whose context can, and where there is none everybody runs on until he blocks. An entry whose context cannot run
 * yet waits for its turn instead of being lost: `manager` alone means "the manager, as soon as it can", and `*7 manager`
 * the same behind seven steps as usual.
 */
import type { Context } from '../sim/context.ts';
import type { Strategy } from '../sim/strategy.ts';
import { AS_USUAL, type Choice } from './schedule.ts';
import { KeepRunning } from './strategies/keep-running.ts';

export class FollowLeniently implements Strategy {
  /** Steps that took the turn from somebody who could have gone on. The clock takes it from nobody. */
  preemptions = 0;
  /** How often somebody else went on than before, for whatever reason. */
  turns = 0;
  /** Who could have gone on when somebody else was picked last; undefined when nobody's turn was taken. */
  preempted: Context | undefined;
  private readonly order: readonly Choice[];
  private readonly base = new KeepRunning();
  private left: { readonly context: string; times: number }[] = [];
  /** By what they are asked for: the values that are still to come. */
  private readonly values = new Map<string, number[]>();
  /** Who ran last, the clock aside: it goes on where the clock has come between. */
  private running: Context | undefined;

  constructor(order: readonly Choice[]) {
    this.order = order;
  }

  /** Entries that the run that was had no use for: nobody of that name could run any more. */
  get unused(): readonly string[] {
    return this.left.flatMap(({ context }) => (context === AS_USUAL ? [] : [context]));
  }

  begin(): void {
    this.preemptions = 0;
    this.turns = 0;
    this.running = undefined;
    this.left = [];
    this.values.clear();
    for (const choice of this.order) {
      if ('times' in choice) this.left.push({ ...choice });
      else this.values.set(choice.why, [...(this.values.get(choice.why) ?? []), choice.value]);
    }
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    if (last?.side !== 'clock') this.running = last;
    const at = this.choose(ready);
    this.note(ready[at]);
    return at;
  }

  value(why: string, n: number): number {
    const value = this.values.get(why)?.shift() ?? 0;
    return value < n ? value : 0;
  }

  private choose(ready: readonly Context[]): number {
    for (let i = 0; i < this.left.length; i++) {
      const entry = this.left[i] as (typeof this.left)[number];
      const at = this.placeOf(entry.context, ready);
      if (at === -1) continue;
      entry.times--;
      if (entry.times === 0) this.left.splice(i, 1);
      return at;
    }
    return this.base.pick(ready, this.running);
  }

  private placeOf(context: string, ready: readonly Context[]): number {
    if (context === AS_USUAL) return this.base.pick(ready, this.running);
    return ready.findIndex(({ name }) => name === context);
  }

  private note(chosen: Context | undefined): void {
    const { running } = this;
    const isTurn = chosen !== running && chosen?.side !== 'clock';
    this.preempted = isTurn && running?.ready === true ? running : undefined;
    if (isTurn) this.turns++;
    if (this.preempted !== undefined) this.preemptions++;
  }
}
