/**
 * Makes an order that leads to a finding as small as it can be told: few turns that are taken from somebody, few entries,
 * few steps, no fault that is not needed. What was left out is decided as usual (see follow-leniently.ts), and each
 * smaller order is tried by running it.
 * What this leaves out: the result is one from which nothing more can be taken away, not the smallest that there is.
 */
import type { Strategy } from '../sim/strategy.ts';
import { FollowLeniently } from './follow-leniently.ts';
import { leaveOut } from './leave-out.ts';
import type { Found, Program } from './program.ts';
import { addStep, type Choice, stepsOf } from './schedule.ts';
import { FollowTurningPoints, NoteTurningPoints } from './turning-points.ts';

export interface Minimised {
  /** To be followed leniently; empty when the usual order finds the same. */
  readonly order: readonly Choice[];
  /** Turns that are taken from somebody who could have gone on. */
  readonly preemptions: number;
  /** Orders that were tried. */
  readonly runs: number;
  /** What is found in it, in a sentence. */
  readonly text: string;
}

/** Orders that are tried at most; the smallest until then is taken. Invented: ten times what most of the shipped races need. */
const RUNS_MAX = 400;

/** The smallest order found in which `key` is still found. `order` must lead to it. */
export function minimise(program: Program, order: readonly Choice[], key: string): Minimised {
  const search = new Minimising(program, order, key);
  if (!search.accepts([])) {
    if (!search.accepts(order)) throw new Error(`this order does not lead to "${key}"`);
    search.shorten();
    search.straighten();
    let size: readonly number[];
    do {
      size = search.size;
      search.dropParts();
      search.merge();
      search.lessSteps();
    } while (isLess(search.size, size));
    search.redirect();
  }
  return search.result();
}

class Minimising {
  /** What counts, the most important first: preemptions, entries, their steps, turns in the whole run. */
  size: readonly number[] = [Number.POSITIVE_INFINITY];
  private readonly program: Program;
  private readonly key: string;
  private order: readonly Choice[] = [];
  private preemptions = 0;
  private text = '';
  /** Everybody in the order that was given. */
  private readonly contexts: ReadonlySet<string>;
  private runs = 0;
  /** Orders that were tried before, and came to nothing. */
  private readonly tried = new Set<string>();

  constructor(program: Program, order: readonly Choice[], key: string) {
    this.program = program;
    this.contexts = new Set(order.flatMap((choice) => ('times' in choice ? [choice.context] : [])));
    this.key = key;
  }

  result(): Minimised {
    const { order, preemptions, runs, text } = this;
    return { order, preemptions, runs, text };
  }

  /** Takes the order if it still leads there, and is smaller than what was the smallest so far. */
  accepts(candidate: readonly Choice[]): boolean {
    const order = tidy(candidate);
    const name = JSON.stringify(order);
    if (this.tried.has(name) || this.runs >= RUNS_MAX) return false;
    this.tried.add(name);
    this.runs++;
    const strategy = new FollowLeniently(order);
    const found = this.isFoundBy(strategy);
    const { preemptions, turns } = strategy;
    const size = [preemptions, order.filter(isDecision).length, stepsOf(order), turns];
    if (found === undefined || !isLess(size, this.size)) return false;
    Object.assign(this, { order, preemptions, size, text: found.text });
    return true;
  }

  private isFoundBy(strategy: Strategy): Found | undefined {
    return this.program(strategy).found.find(({ key }) => key === this.key);
  }

  /** Often the last decisions do not matter: halves how much of the beginning is kept. */
  shorten(): void {
    let from = 0;
    let to = this.order.length;
    const whole = this.order;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.accepts(whole.slice(0, middle))) to = middle;
      else from = middle + 1;
    }
  }

  /** Leaves out turns that are taken, or given, otherwise than usual. */
  straighten(): void {
    const noting = new NoteTurningPoints(new FollowLeniently(this.order));
    this.program(noting);
    this.runs++;
    const values = this.order.filter((choice) => 'why' in choice);
    leaveOut(noting.points, (points) => {
      if (this.runs >= RUNS_MAX) return false;
      this.runs++;
      const turning = new FollowTurningPoints(points, new FollowLeniently(values));
      return this.isFoundBy(turning) !== undefined && this.accepts(turning.order);
    });
  }

  /** Leaves out entries of the order. */
  dropParts(): void {
    const whole = this.order;
    leaveOut([...whole.keys()], (kept) => this.accepts(only(whole, new Set(kept))));
  }

  /** Moves a context's entries together, to the place of the one or of the other. */
  merge(): void {
    for (let second = this.order.length - 1; second > 0; second--) {
      const first = this.entryBefore(second);
      if (first === -1) continue;
      if (!this.accepts(moved(this.order, second, first + 1))) this.accepts(moved(this.order, first, second));
    }
  }

  /** Halves how many steps each entry has; the usual order often does the rest. */
  lessSteps(): void {
    for (let at = this.order.length - 1; at >= 0; at--) {
      const entry = this.order[at];
      if (entry === undefined || !('times' in entry)) continue;
      let [from, to] = [1, entry.times];
      while (from < to) {
        const times = (from + to) >> 1;
        if (this.accepts(this.order.with(at, { ...entry, times }))) to = times;
        else from = times + 1;
      }
    }
  }

  /** Lets others go in an entry's place: who only makes way for somebody else is not to be named. */
  redirect(): void {
    for (let at = this.order.length - 1; at >= 0; at--) {
      for (const context of this.contexts) {
        const entry = this.order[at];
        if (entry !== undefined && 'times' in entry) this.accepts(this.order.with(at, { context, times: entry.times }));
      }
    }
  }

  private entryBefore(at: number): number {
    const entry = this.order[at];
    if (entry === undefined || !('times' in entry)) return -1;
    return this.order.slice(0, at).findLastIndex((other) => 'times' in other && other.context === entry.context);
  }
}

/** Steps are left out; a value is 0 instead, since those behind it are still the second, the third and so on. */
function only(order: readonly Choice[], kept: ReadonlySet<number>): readonly Choice[] {
  return order.flatMap((choice, at) => {
    if (kept.has(at)) return [choice];
    return 'times' in choice ? [] : [{ ...choice, value: 0 }];
  });
}

/** The entry `from` stands before the entry that is now at `to`. */
function moved(order: readonly Choice[], from: number, to: number): readonly Choice[] {
  const rest = order.toSpliced(from, 1);
  return rest.toSpliced(to > from ? to - 1 : to, 0, order[from] as Choice);
}

/** One entry where a context runs on, and no values that would be 0 anyway. */
function tidy(order: readonly Choice[]): readonly Choice[] {
  const tidied: Choice[] = [];
  order.forEach((choice, at) => {
    if ('times' in choice) addStep(tidied, choice.context, choice.times);
    else if (order.slice(at).some((other) => 'why' in other && other.why === choice.why && other.value !== 0)) {
      tidied.push(choice);
    }
  });
  return tidied;
}

const isDecision = (choice: Choice): boolean => 'times' in choice || choice.value !== 0;

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at !== -1 && (one[at] as number) < (other[at] as number);
}
