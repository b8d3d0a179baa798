/**
 * A search of a program's orders: first the usual one, then some that are sampled, then one of each set of equivalent
 * ones within limits; what is too large for that is searched by departures from the usual order. The verdict says which
 * of these it rests on.
 */
import { type Finding, type Job, type JobResult, NOT_THE_SAME, type Pause, runJob, type Sampler } from './job.ts';
import type { Program } from './program.ts';
import type { Choice } from './schedule.ts';
import type { Beginning, Rest } from './strategies/reduced.ts';

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

/** Above it the seeds of single orders would not be whole numbers any more. */
export const SEED_MOST = 2 ** 32 - 1;

/** Something that was found in at least one order. */
export interface Found {
  readonly key: string;
  /** In a sentence, as the first of the orders has it. */
  readonly text: string;
  readonly sampledOrders: number;
  readonly searchedOrders: number;
  readonly departingOrders: number;
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

/** Orders that are sampled in one job. */
const SAMPLES_PER_JOB = 25;
/** Orders after which a search of all orders is divided. */
const ORDERS_BEFORE_DIVISION = 2000;
/** Into at least so many parts. */
const PARTS = 32;

/** What is to be done next, with what came of it: yields jobs that do not depend on each other, and gets their results. */
export type Plan = Generator<readonly Job[], Exploration, readonly JobResult[]>;

export function* planSearch(options: ExploreOptions): Plan {
  const search = new Search(options);
  const { strategy } = options;
  search.addSamples(yield [{ kind: 'first' }]);
  const samplers = samplersOf(strategy);
  if (samplers.length > 0 && !search.isOver()) {
    search.addSamples(yield sampleJobs(options, samplers, search.length));
  }
  if ((strategy === 'portfolio' || strategy === 'reduced') && !search.isOver()) yield* searchAll(search, options);
  if (strategy === 'bounded' || (strategy === 'portfolio' && search.isTooLarge)) yield* depart(search, options);
  return search.exploration();
}

/** The whole search of a program, in this thread. `pause` is asked between runs; true ends it there. */
export function searchOrders(program: Program, options: ExploreOptions = USUAL_OPTIONS, pause?: Pause): Exploration {
  return followPlan(program, planSearch(options), pause);
}

/** The same for a plan that is more than one search. */
export function followPlan(program: Program, plan: Plan, pause?: Pause): Exploration {
  let next = plan.next();
  while (next.done !== true) next = plan.next(next.value.map((job) => runJob(program, job, pause)));
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
  const divided = (yield [{ kind: 'divide', parts: PARTS, runsMax: ordersMax }])[0] as JobResult;
  const parts = divided.whole ? yield* searchParts(divided.beginnings, ordersMax) : [];
  search.addSearched([divided, ...parts], first);
}

/** What small parts leave over of their shares goes to those that came to the end of theirs. */
function* searchParts(
  beginnings: readonly Beginning[],
  ordersMax: number,
): Generator<readonly Job[], readonly JobResult[], readonly JobResult[]> {
  const all: JobResult[] = [];
  let rests: readonly Rest[] = beginnings.map((from) => ({ from, fixed: from.length }));
  let left = ordersMax;
  while (rests.length > 0) {
    const share = Math.ceil(left / rests.length);
    const results = yield rests.map((rest): Job => ({ kind: 'reduced', ...rest, ordersMax: share }));
    left -= sumOf(results, ({ orders, cut }) => orders + cut);
    const isOver = results.some(({ stopped }) => stopped);
    const unfinished = isOver ? [] : results.filter(({ rest, limit }) => rest !== undefined && limit === undefined);
    const goesOn = new Set(left >= unfinished.length ? unfinished : []);
    // What another piece goes on with is no part of this one.
    all.push(...results.map((result) => (goesOn.has(result) ? { ...result, whole: true } : result)));
    rests = [...goesOn].map(({ rest }) => rest as Rest);
  }
  return all;
}

function* depart(
  search: Search,
  { departures, ordersMax }: ExploreOptions,
): Generator<readonly Job[], void, readonly JobResult[]> {
  for (let most = 1; most <= departures && !search.isOver(); most++) {
    const [result] = (yield [{ kind: 'departing', departures: most, ordersMax }]) as readonly [JobResult];
    search.addDeparting(most, result);
    if (!result.whole) return;
  }
}

/** In which of a search's parts something was found. */
type Count = 'sampledOrders' | 'searchedOrders' | 'departingOrders';

const sumOf = (results: readonly JobResult[], of: (result: JobResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0);

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
    return this.searched?.whole === false;
  }

  /** Whether there is no sense in going on, with what these bring. */
  isOver(results: readonly JobResult[] = []): boolean {
    const diverged = results.some(({ findings }) => findings.some(({ key }) => key === NOT_THE_SAME));
    return this.interrupted || this.found.has(NOT_THE_SAME) || diverged || results.some(({ stopped }) => stopped);
  }

  addSamples(results: readonly JobResult[]): void {
    for (const result of results) {
      this.add(result, this.sampled, 'sampledOrders');
      this.sampled += result.orders;
      this.chances.push(...result.chances);
      this.length = Math.max(this.length, result.decisions);
    }
  }

  /** `first` went through the beginning of what `results` have gone through in parts. */
  addSearched(results: readonly JobResult[], first?: JobResult): void {
    const isStopped = results.some(({ stopped }) => stopped);
    const isBehind = first !== undefined && isStopped && sumOf(results, ({ orders }) => orders) < first.orders;
    let [orders, cut] = [0, 0];
    for (const result of isBehind ? [first] : results) {
      this.add(result, this.sampled + orders, 'searchedOrders');
      orders += result.orders;
      cut += result.cut;
    }
    this.searched = { orders, cut, whole: !isBehind && results.every(({ whole }) => whole) };
    this.interrupted ||= isStopped;
    if (first === undefined || isBehind) return;
    // Where a part came to its limit before it was there, what was found before is all there is.
    const known = new Set(results.flatMap(({ findings }) => findings.map(({ key }) => key)));
    for (const finding of first.findings) {
      if (!known.has(finding.key)) this.addFinding(finding, this.sampled, 'searchedOrders');
    }
  }

  addDeparting(departures: number, result: JobResult): void {
    const before = this.sampled + (this.searched?.orders ?? 0);
    this.add(result, before, 'departingOrders');
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

  private add(result: JobResult, before: number, count: Count): void {
    this.steps += result.steps;
    this.limit ??= result.limit;
    if (result.stopped) this.interrupted = true;
    for (const finding of result.findings) this.addFinding(finding, before, count);
  }

  private addFinding(finding: Finding, before: number, count: Count): void {
    const { key, text, by, order, at } = finding;
    const none = { sampledOrders: 0, searchedOrders: 0, departingOrders: 0 };
    const known = this.found.get(key) ?? { key, text, by, order, number: before + at, ...none };
    // Orders with more departures are those with fewer ones again, and others.
    const orders = count === 'departingOrders' ? Math.max(known[count], finding.orders) : known[count] + finding.orders;
    this.found.set(key, { ...known, [count]: orders });
  }

  /** The mean of one divided by the chance of each drawn order is how many orders there are (Knuth 1975). */
  private naive(): number | undefined {
    if (this.chances.length === 0) return undefined;
    const most = Math.max(...this.chances);
    const sum = this.chances.reduce((all, chance) => all + 10 ** (chance - most), 0);
    return most + Math.log10(sum / this.chances.length);
  }
}
