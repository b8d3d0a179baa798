/**
 * The pieces that a search is made of: each runs some orders of the program and is a function of the program and of
 * itself, so that pieces can be done one after the other or side by side.
 * What this leaves out: remembering states. Two orders that lead to the same state are both gone on from, and what two
 * pieces have in common is run in both.
 */
import type { Strategy } from '../sim/strategy.ts';
import type { Event } from '../trace/event.ts';
import type { Found, Outcome, Program } from './program.ts';
import { RecordOrder } from './record-order.ts';
import { type Choice, formatChoices } from './schedule.ts';
import { Departing } from './strategies/departing.ts';
import { KeepRunning } from './strategies/keep-running.ts';
import { Pct } from './strategies/pct.ts';
import { Pos } from './strategies/pos.ts';
import { type Beginning, Diverged, Reduced, type Rest } from './strategies/reduced.ts';
import { Uniform } from './strategies/uniform.ts';

/** How sampled orders are drawn. */
export type Sampler = 'pos' | 'pct' | 'random';

export type Job =
  /** The order in which everybody runs on until he blocks. */
  | { readonly kind: 'first' }
  /** So many sampled orders from the number `first` on; their samplers take turns. */
  | {
      readonly kind: 'sample';
      readonly samplers: readonly Sampler[];
      readonly seed: number;
      readonly first: number;
      readonly count: number;
      /** Decisions that a run is expected to have. */
      readonly length: number;
      /** `d` of the pct sampler. */
      readonly depth: number;
    }
  /** One of each set of equivalent orders, or of those that begin so. */
  | { readonly kind: 'reduced'; readonly from: Beginning; readonly fixed?: number; readonly ordersMax: number }
  /** Divides all orders by how they begin, for as many reduced jobs. */
  | { readonly kind: 'divide'; readonly parts: number; readonly runsMax: number }
  /** All orders that depart at most so often from the first one. */
  | { readonly kind: 'departing'; readonly departures: number; readonly ordersMax: number };

/** A thing that was found in some orders of a job. */
export interface Finding extends Found {
  /** In how many of the job's orders. */
  readonly orders: number;
  /** The first of them, counted from 0 within the job, and its decisions. */
  readonly at: number;
  readonly order: readonly Choice[];
  /** Who drew it: `pos seed 17`. */
  readonly by: string;
}

export interface JobResult {
  /** Orders that were run to their end. */
  readonly orders: number;
  /** Runs that were cut, since they could bring nothing new. */
  readonly cut: number;
  readonly steps: number;
  /** How often there was more than one way to go on, in the usual order; 0 for other jobs. */
  readonly decisions: number;
  /** Whether the job went through all that it was to go through. */
  readonly whole: boolean;
  /** Whether it was asked to stop, by its {@link Pause}. */
  readonly stopped: boolean;
  readonly findings: readonly Finding[];
  /** Why a run had no verdict, if one had none. */
  readonly limit: string | undefined;
  /** For each order drawn with equal chances, the logarithm to base 10 of one divided by its chance. */
  readonly chances: readonly number[];
  readonly beginnings: readonly Beginning[];
  /** What a reduced job has not gone through, for another one that goes on. */
  readonly rest: Rest | undefined;
}

/** The result of a job that did not come to anything, since all was to stop. */
export const NOTHING: JobResult = {
  orders: 0,
  cut: 0,
  steps: 0,
  decisions: 0,
  whole: false,
  stopped: true,
  findings: [],
  limit: undefined,
  chances: [],
  beginnings: [],
  rest: undefined,
};

/** Asked between two runs; true ends the job there. `orders` so far, and of them those in which something was found. */
export type Pause = (orders: number, failing: number) => boolean;

const GOING_ON: Pause = () => false;
/** Every so many-th order is run twice, and must be the same twice. */
const TWICE_EVERY = 50;

export function runJob(program: Program, job: Job, pause: Pause = GOING_ON): JobResult {
  const tally = new Tally(program, pause);
  switch (job.kind) {
    case 'first':
      return first(tally);
    case 'sample':
      return sample(tally, job);
    case 'reduced':
      return goThrough(tally, new Reduced(job), job.ordersMax);
    case 'departing':
      return goThrough(tally, new Departing(job.departures), job.ordersMax);
    case 'divide':
      return divide(program, job.parts, job.runsMax, pause);
  }
}

function first(tally: Tally): JobResult {
  const usual = new RecordOrder(new KeepRunning());
  tally.run(usual, () => 'the usual order', true);
  return { ...tally.result(true), decisions: usual.decisions };
}

function sample(tally: Tally, job: Extract<Job, { kind: 'sample' }>): JobResult {
  for (let number = job.first; number < job.first + job.count; number++) {
    const sampler = job.samplers[number % job.samplers.length] as Sampler;
    const seed = job.seed * 1_000_003 + number;
    const strategy = samplerOf(sampler, seed, job);
    const goesOn = tally.run(strategy, () => `${sampler} seed ${seed}`, number % TWICE_EVERY === 0);
    if (strategy instanceof Uniform) tally.chances.push(strategy.logChance);
    if (!goesOn) return tally.result(number === job.first + job.count - 1);
  }
  return tally.result(true);
}

function samplerOf(sampler: Sampler, seed: number, { length, depth }: { length: number; depth: number }): Strategy {
  if (sampler === 'pos') return new Pos(seed);
  return sampler === 'pct' ? new Pct(seed, depth, Math.max(1, length)) : new Uniform(seed);
}

function goThrough(tally: Tally, strategy: Reduced | Departing, ordersMax: number): JobResult {
  const by = (): string => (strategy instanceof Reduced ? 'the reduced search' : 'the search of departures');
  while (tally.orders + tally.cut < ordersMax) {
    const goesOn = tally.run(strategy, by, false);
    // A run that was given up is not one that was gone through.
    if (!strategy.advance()) return tally.result(tally.limit === undefined);
    if (!goesOn) break;
  }
  return { ...tally.result(false), rest: strategy instanceof Reduced ? strategy.rest : undefined };
}

/** Runs every order for so many decisions that there are enough beginnings; those that end before are orders. */
function divide(program: Program, parts: number, runsMax: number, pause: Pause): JobResult {
  let runs = 0;
  for (let depthMax = FIRST_DEPTH; ; depthMax = Math.ceil(depthMax * 1.25)) {
    const tally = new Tally(program, pause);
    const strategy = new Reduced({ reduction: 'sleep-sets', depthMax });
    do {
      const goesOn = tally.run(strategy, () => 'the reduced search', false);
      if (!goesOn || ++runs >= runsMax) return tally.result(false);
    } while (strategy.advance());
    const { beginnings } = strategy;
    if (beginnings.length === 0 || beginnings.length >= parts) return { ...tally.result(true), beginnings };
  }
}

const FIRST_DEPTH = 2;

/** Runs the orders of one job, and counts what they find. */
class Tally {
  orders = 0;
  cut = 0;
  readonly chances: number[] = [];
  private readonly program: Program;
  private readonly pause: Pause;
  private steps = 0;
  private failing = 0;
  private stopped = false;
  limit: string | undefined;
  private readonly findings = new Map<string, Finding>();

  constructor(program: Program, pause: Pause) {
    this.program = program;
    this.pause = pause;
  }

  /** One more order; false when the job is to end. `by` says who draws it. */
  run(strategy: Strategy, by: () => string, twice: boolean): boolean {
    let outcome: Outcome;
    try {
      outcome = twice ? this.runTwice(strategy) : this.program(strategy);
    } catch (error) {
      if (!(error instanceof Diverged)) throw inOrder(error, by(), this.orderOf(strategy));
      this.note({ key: NOT_THE_SAME, text: error.message }, strategy, by);
      return false;
    }
    this.steps += outcome.steps;
    if (outcome.stop === 'cut') {
      this.cut++;
      return this.goesOn();
    }
    this.limit ??= outcome.limit;
    const { found } = outcome;
    found.forEach((one, at) => {
      if (found.findIndex(({ key }) => key === one.key) === at) this.note(one, strategy, by);
    });
    if (found.length > 0) this.failing++;
    this.orders++;
    return this.goesOn();
  }

  result(whole: boolean): JobResult {
    const { orders, cut, steps, stopped, limit, chances } = this;
    const diverged = this.findings.has(NOT_THE_SAME);
    const findings = [...this.findings.values()];
    return {
      orders,
      cut,
      steps,
      decisions: 0,
      whole: whole && !diverged,
      stopped,
      findings,
      limit,
      chances,
      beginnings: [],
      rest: undefined,
    };
  }

  private goesOn(): boolean {
    this.stopped = this.pause(this.orders, this.failing);
    return !this.stopped;
  }

  private note(found: Found, strategy: Strategy, by: () => string): void {
    const known = this.findings.get(found.key);
    const finding = known ?? { ...found, orders: 0, at: this.orders, order: this.orderOf(strategy), by: by() };
    this.findings.set(found.key, { ...finding, orders: finding.orders + 1 });
  }

  /** What the strategy decided in the run before: that is run again, since hardly any run is ever asked for it. */
  private orderOf(strategy: Strategy): readonly Choice[] {
    if (strategy instanceof Reduced) return strategy.order();
    const recorded = new RecordOrder(strategy);
    try {
      this.program(recorded);
    } catch {
      // It ends as it did before.
    }
    return recorded.choices;
  }

  private runTwice(strategy: Strategy): Outcome {
    const first: string[] = [];
    this.program(strategy, (event) => first.push(inShort(event)));
    let at = 0;
    let difference: string | undefined;
    const outcome = this.program(strategy, (event) => {
      const again = inShort(event);
      if (again !== first[at]) difference ??= `event ${at} was ${first[at] ?? 'none'}, and is ${again}`;
      at++;
    });
    if (difference === undefined && at < first.length) difference = `event ${at} was ${first[at]}, and is none`;
    if (difference !== undefined) throw new Diverged(difference);
    return outcome;
  }
}

/** The key of what is found when a program is not the same twice. */
export const NOT_THE_SAME = 'not the same twice';

/** A mistake of our own shows in one order of many: whoever looks for it needs that one. */
function inOrder(error: unknown, by: string, order: readonly Choice[]): unknown {
  if (error instanceof Error) error.message += ` (by ${by}, in the order '${formatChoices(order)}')`;
  return error;
}

const inShort = (event: Event): string =>
  JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
