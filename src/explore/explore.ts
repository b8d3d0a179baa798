/**
 * A search of a program's orders: first the usual one, then some that are sampled, then one of each set of equivalent
 * ones within limits; what is too large for that is searched by departures from the usual order. The verdict says which
 * of these it rests on.
 */
import { type Finding, type Job, type JobResult, NOT_THE_SAME, type Pause, runJob, type Sampler } from './job.ts';
import type { Program } from './program.ts';
import type { Choice } from './schedule.ts';

/** `portfolio` is all of them one after the other; each of the others is that one alone. */
export const STRATEGIES = {
  portfolio: 'sampled orders first, then all of them within limits, then departures from the usual order',
  random: 'at each step any of those that can run, with equal chances',
  pct: 'random priorities with a few changes: finds bugs that need few events in one order',
  pos: 'partial-order sampling: random, with more weight on orders that really differ',
  reduced: 'all orders, of equivalent ones only one (source-DPOR with sleep sets)',
  bounded: 'all orders that depart at most so often from the usual one',
} as const satisfies Readonly<Record<string, string>>;

export type StrategyName = keyof typeof STRATEGIES;

export interface ExploreOptions {
  readonly strategy: StrategyName;
  readonly seed: number;
  /** Orders that are sampled. */
  readonly samples: number;
  /** Orders that are run at most in the search of all orders, and as many again in that of departures. */
  readonly ordersMax: number;
  /** `d` of pct: how many events in one order a bug may need. */
  readonly depth: number;
  /** Departures from the usual order, for `bounded`. */
  readonly departures: number;
}

export const USUAL_OPTIONS: ExploreOptions = {
  strategy: 'portfolio',
  seed: 1,
  samples: 200,
  ordersMax: 20_000,
  depth: 3,
  departures: 2,
};

/** Something that was found in at least one order. */
export interface Found {
  readonly key: string;
  /** In a sentence, as the first of the orders has it. */
  readonly text: string;
  readonly sampledOrders: number;
  readonly searchedOrders: number;
  /** Number of the first order with it (the usual one has 0), who drew it, and what was decided in it. */
  readonly number: number;
  readonly by: string;
  readonly order: readonly Choice[];
}

export interface Exploration {
  /** `all`: it holds in all orders; `sampled`: in those that were tried, and no more was asked for. */
  readonly verdict: 'all' | 'sampled' | 'fails' | 'limit' | 'interrupted';
  readonly found: readonly Found[];
  /** The usual order and the sampled ones. */
  readonly sampled: number;
  /** Inequivalent orders that were searched, runs that were cut meanwhile, and whether these were all there are. */
  readonly searched: { readonly orders: number; readonly cut: number; readonly whole: boolean } | undefined;
  /** Orders by departures from the usual one. */
  readonly departing: { readonly departures: number; readonly orders: number; readonly whole: boolean } | undefined;
  readonly steps: number;
  /** The logarithm to base 10 of about how many orders there are, equivalent ones counted each; undefined when unknown. */
  readonly naive: number | undefined;
  /** Why a single run had no verdict. */
  readonly limit: string | undefined;
}

/** Does jobs, in whatever way, and gives the results in the order of the jobs. */
export type Crew = (jobs: readonly Job[]) => Promise<readonly JobResult[]> | readonly JobResult[];

/** Orders that are sampled in one job. */
const SAMPLES_PER_JOB = 25;
/** Orders after which a search of all orders is divided. */
const ORDERS_BEFORE_DIVISION = 2000;
/** Into at least so many parts. */
const PARTS = 32;

/** What is to be done next, with what came of it: yields jobs that do not depend on each other, and gets their results. */
export function* planSearch(options: ExploreOptions): Generator<readonly Job[], Exploration, readonly JobResult[]> {
  const search = new Search(options);
  const { strategy } = options;
  search.addSamples(yield [{ kind: 'first' }]);
  const samplers = samplersOf(strategy);
  if (samplers.length > 0) search.addSamples(yield sampleJobs(options, samplers, search.length));
  if (strategy === 'portfolio' || strategy === 'reduced') yield* searchAll(search, options);
  if (strategy === 'bounded' || (strategy === 'portfolio' && search.isTooLarge)) yield* depart(search, options);
  return search.exploration();
}

/** The whole search of a program, in this thread. `pause` is asked between runs; true ends it there. */
export function searchOrders(program: Program, options: ExploreOptions = USUAL_OPTIONS, pause?: Pause): Exploration {
  const search = planSearch(options);
  let next = search.next();
  while (next.done !== true) next = search.next(next.value.map((job) => runJob(program, job, pause)));
  return next.value;
}

function samplersOf(strategy: StrategyName): readonly Sampler[] {
  if (strategy === 'portfolio') return ['pos', 'pct', 'random'];
  return strategy === 'reduced' || strategy === 'bounded' ? [] : [strategy];
}

function sampleJobs(options: ExploreOptions, samplers: readonly Sampler[], length: number): readonly Job[] {
  const { samples, seed, depth } = options;
  const jobs: Job[] = [];
  for (let first = 0; first < samples; first += SAMPLES_PER_JOB) {
    const count = Math.min(SAMPLES_PER_JOB, samples - first);
    jobs.push({ kind: 'sample', samplers, seed, first, count, length, depth });
  }
  return jobs;
}

function* searchAll(
  search: Search,
  { ordersMax }: ExploreOptions,
): Generator<readonly Job[], void, readonly JobResult[]> {
  const atOnce = Math.min(ordersMax, ORDERS_BEFORE_DIVISION);
  const first = (yield [{ kind: 'reduced', from: [], ordersMax: atOnce }])[0] as JobResult;
  if (first.whole || atOnce === ordersMax || search.isOver([first])) {
    search.addSearched([first]);
    return;
  }
  const divided = (yield [{ kind: 'divide', parts: PARTS }])[0] as JobResult;
  const share = Math.ceil(ordersMax / Math.max(1, divided.beginnings.length));
  const parts = divided.whole
    ? yield divided.beginnings.map((from): Job => ({ kind: 'reduced', from, ordersMax: share }))
    : [];
  search.addSearched([divided, ...parts]);
}

function* depart(
  search: Search,
  { departures, ordersMax }: ExploreOptions,
): Generator<readonly Job[], void, readonly JobResult[]> {
  for (let most = 1; most <= departures; most++) {
    const [result] = (yield [{ kind: 'departing', departures: most, ordersMax }]) as readonly [JobResult];
    search.addDeparting(most, result);
    if (!result.whole) return;
  }
}

/** What has come of a search so far. */
class Search {
  /** Decisions of a usual run. */
  length = 0;
  private readonly options: ExploreOptions;
  private readonly found = new Map<string, Found>();
  private readonly chances: number[] = [];
  private sampled = 0;
  private searched: Exploration['searched'];
  private departing: Exploration['departing'];
  private steps = 0;
  private limit: string | undefined;
  private interrupted = false;

  constructor(options: ExploreOptions) {
    this.options = options;
  }

  /** The search of all orders came to a limit. */
  get isTooLarge(): boolean {
    return this.searched?.whole === false && !this.interrupted && !this.found.has(NOT_THE_SAME);
  }

  /** Whether there is no sense in going on. */
  isOver(results: readonly JobResult[]): boolean {
    return results.some(({ findings }) => findings.some(({ key }) => key === NOT_THE_SAME));
  }

  addSamples(results: readonly JobResult[]): void {
    for (const result of results) {
      this.add(result, this.sampled, 'sampledOrders');
      this.sampled += result.orders;
      this.chances.push(...result.chances);
      this.length = Math.max(this.length, result.decisions);
      if (!result.whole) this.interrupted = true;
    }
  }

  addSearched(results: readonly JobResult[]): void {
    let [orders, cut] = [0, 0];
    for (const result of results) {
      this.add(result, this.sampled + orders, 'searchedOrders');
      orders += result.orders;
      cut += result.cut;
    }
    this.searched = { orders, cut, whole: results.every(({ whole }) => whole) };
  }

  addDeparting(departures: number, result: JobResult): void {
    const before = this.sampled + (this.searched?.orders ?? 0);
    this.add(result, before, 'searchedOrders');
    this.departing = { departures, orders: result.orders, whole: result.whole };
  }

  exploration(): Exploration {
    const { sampled, searched, departing, steps, limit } = this;
    const found = [...this.found.values()].sort((a, b) => a.number - b.number);
    return { verdict: this.verdict(), found, sampled, searched, departing, steps, naive: this.naive(), limit };
  }

  private verdict(): Exploration['verdict'] {
    if (this.found.size > 0) return 'fails';
    if (this.interrupted) return 'interrupted';
    if (this.limit !== undefined) return 'limit';
    if (this.searched?.whole === true) return 'all';
    if (this.options.strategy === 'bounded') return this.departing?.whole === true ? 'sampled' : 'limit';
    return this.searched === undefined ? 'sampled' : 'limit';
  }

  private add(result: JobResult, before: number, count: 'sampledOrders' | 'searchedOrders'): void {
    this.steps += result.steps;
    this.limit ??= result.limit;
    for (const finding of result.findings) this.addFinding(finding, before, count);
  }

  private addFinding(finding: Finding, before: number, count: 'sampledOrders' | 'searchedOrders'): void {
    const { key, text, by, order, at } = finding;
    const first = { key, text, by, order, number: before + at, sampledOrders: 0, searchedOrders: 0 };
    const known = this.found.get(key) ?? first;
    this.found.set(key, { ...known, [count]: known[count] + finding.orders });
  }

  /** The mean of one divided by the chance of each drawn order is how many orders there are (Knuth 1975). */
  private naive(): number | undefined {
    if (this.chances.length === 0) return undefined;
    const most = Math.max(...this.chances);
    const sum = this.chances.reduce((all, chance) => all + 10 ** (chance - most), 0);
    return most + Math.log10(sum / this.chances.length);
  }
}
