import { describe, expect, test } from 'vitest';
import { type Exploration, type ExploreOptions, planSearch, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { type Finding, type Job, type JobResult, NOT_THE_SAME, NOTHING, runJob } from '../../src/explore/job.ts';
import { programOf, randomPlan } from './random-program.ts';

/** How the results of a search's pieces become one: the pieces themselves are made up here. */

type Answer = (job: Job, at: number) => Partial<JobResult>;

function search(answer: Answer, change: Partial<ExploreOptions> = {}): Exploration & { readonly jobs: readonly Job[] } {
  const plan = planSearch({ ...USUAL_OPTIONS, ...change });
  const jobs: Job[] = [];
  let next = plan.next();
  while (next.done !== true) {
    const batch = next.value;
    jobs.push(...batch);
    next = plan.next(batch.map((job, at) => ({ ...NOTHING, whole: true, stopped: false, ...answer(job, at) })));
  }
  return { ...next.value, jobs };
}

const found = (key: string, at: number, orders = 1): Finding => ({
  key,
  text: key,
  by: 'somebody',
  order: [],
  at,
  orders,
});

/** As a program has it whose orders are too many for one piece: a usual order, samples, and 40 parts. */
const large: Answer = (job) => {
  if (job.kind === 'first') return { orders: 1, decisions: 30 };
  if (job.kind === 'sample') return { orders: job.count };
  if (job.kind === 'divide') return { orders: 3, beginnings: Array.from({ length: 40 }, () => []) };
  if (job.kind === 'reduced') return { orders: Math.min(job.ordersMax, 600), whole: job.ordersMax < 2000 };
  return { orders: 100 * job.departures };
};

describe('a search in parts', () => {
  test('goes through all of them, and counts each order once', () => {
    const { verdict, sampled, searched, jobs } = search(large);
    expect([verdict, sampled, searched]).toEqual(['all', 201, { orders: 3 + 40 * 500, cut: 0, whole: true }]);
    expect(jobs.filter(({ kind }) => kind === 'sample')).toHaveLength(8);
  });

  test('numbers what is found by the order of the parts, whoever is ready first', () => {
    const { found: all } = search((job, at) => {
      const has = job.kind === 'reduced' && (at === 3 || at === 7) && { findings: [found(`part ${at}`, 5)] };
      return { ...large(job, at), ...has };
    });
    expect(all.map(({ key, number }) => [key, number])).toEqual([
      ['part 3', 201 + 3 + 3 * 500 + 5],
      ['part 7', 201 + 3 + 7 * 500 + 5],
    ]);
  });

  test('gives what small parts leave over to those that need more, and these go on where they were', () => {
    const rest = { from: [], fixed: 7 };
    const { verdict, searched, jobs } = search((job, at) => {
      if (job.kind !== 'reduced' || job.ordersMax === 2000) return large(job, at);
      // Every fourth part has 1100 orders, and the others have 10.
      if (job.fixed === 7) return { orders: Math.min(job.ordersMax, 600), whole: job.ordersMax >= 600 };
      return at % 4 === 0 ? { orders: 500, whole: false, rest } : { orders: 10 };
    });
    expect([verdict, searched]).toEqual(['all', { orders: 3 + 10 * 1100 + 30 * 10, cut: 0, whole: true }]);
    expect(jobs.filter((job) => job.kind === 'reduced' && job.fixed === 7)).toEqual(
      Array.from({ length: 10 }, () => ({ kind: 'reduced', ...rest, ordersMax: (20_000 - 10 * 500 - 30 * 10) / 10 })),
    );
  });

  test('comes to its limit when nothing is left over', () => {
    const rest = { from: [], fixed: 7 };
    const { verdict, searched, jobs } = search((job, at) =>
      job.kind === 'reduced' ? { orders: job.ordersMax, whole: false, rest } : large(job, at),
    );
    expect([verdict, searched]).toEqual(['limit', { orders: 3 + 20_000, cut: 0, whole: false }]);
    expect(jobs.filter(({ kind }) => kind === 'reduced')).toHaveLength(1 + 40);
  });

  test('keeps what it found before it was divided, though its part comes to its limit before it is there', () => {
    const { verdict, found: all } = search((job, at) => {
      const isFirst = job.kind === 'reduced' && job.ordersMax === 2000;
      return { ...large(job, at), ...(isFirst && { findings: [found('deep down', 1900, 4)] }) };
    });
    expect(verdict).toBe('fails');
    expect(all).toMatchObject([{ key: 'deep down', number: 201 + 1900, searchedOrders: 4 }]);
  });

  test('of orders that depart from the usual one counts those with most departures, which are the others too', () => {
    const { departing, found: all } = search((job, at) => {
      if (job.kind !== 'departing') return { ...large(job, at), whole: job.kind !== 'reduced' };
      return { ...large(job, at), findings: [found('odd', 7, 10 * job.departures)] };
    });
    expect(departing).toEqual({ departures: 2, orders: 200, whole: true });
    expect(all).toMatchObject([{ key: 'odd', departingOrders: 20 }]);
  });
});

describe('a search that is stopped', () => {
  test('while it samples: nothing else is begun, and what was found is kept', () => {
    const {
      verdict,
      sampled,
      jobs,
      found: all,
    } = search((job, at) =>
      job.kind === 'sample' && at >= 2
        ? { ...NOTHING, orders: at === 2 ? 4 : 0, findings: at === 2 ? [found('odd', 3)] : [] }
        : large(job, at),
    );
    expect([verdict, sampled]).toEqual(['fails', 1 + 25 + 25 + 4]);
    expect(all).toMatchObject([{ key: 'odd', number: 1 + 25 + 25 + 3 }]);
    expect(new Set(jobs.map(({ kind }) => kind))).toEqual(new Set(['first', 'sample']));
  });

  test('with nothing found has no verdict', () => {
    expect(search(() => NOTHING).verdict).toBe('interrupted');
  });

  test('soon after it was divided: it has tried what it had tried before', () => {
    const stopped = search((job, at) =>
      job.kind === 'reduced' && job.ordersMax < 2000 ? { ...NOTHING, orders: 1 } : large(job, at),
    );
    expect([stopped.verdict, stopped.searched]).toEqual(['interrupted', { orders: 600, cut: 0, whole: false }]);
    expect(stopped.departing).toBeUndefined();
  });
});

test('a program that is not the same twice is searched no further', () => {
  const { verdict, jobs } = search((job, at) => ({ ...large(job, at), findings: [found(NOT_THE_SAME, 0)] }));
  expect([verdict, jobs.map(({ kind }) => kind)]).toEqual(['fails', ['first']]);
});

test('a search that goes on where it was goes through the same orders as one that is not interrupted', () => {
  let interrupted = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const program = programOf(randomPlan(seed));
    const all = runJob(program, { kind: 'reduced', from: [], ordersMax: 500 });
    if (!all.whole) continue;
    const pieces = [runJob(program, { kind: 'reduced', from: [], ordersMax: 3 })];
    for (let rest = pieces[0]?.rest; rest !== undefined; rest = pieces.at(-1)?.rest) {
      pieces.push(runJob(program, { kind: 'reduced', ...rest, ordersMax: 3 }));
    }
    interrupted += pieces.length - 1;
    expect(inAll(pieces)).toEqual(inAll([all]));
  }
  expect(interrupted).toBeGreaterThan(50);
});

/** Orders, runs that were cut, and what was found in how many orders. */
function inAll(pieces: readonly JobResult[]): unknown {
  const found = new Map<string, number>();
  for (const { key, orders } of pieces.flatMap(({ findings }) => findings)) {
    found.set(key, (found.get(key) ?? 0) + orders);
  }
  const sum = (of: (piece: JobResult) => number): number => pieces.reduce((total, piece) => total + of(piece), 0);
  return [sum(({ orders }) => orders), sum(({ cut }) => cut), [...found].sort()];
}
