/** Pages that follow each other in memory. */
export interface PageRun {
  readonly first: number;
  readonly count: number;
}

/**
 * Page numbers in their order, as runs of those that follow each other: a receive buffer has thousands of pages in one
 * run, and is shown anew in every order of a search.
 */
export class PageList implements Iterable<number> {
  /** None of them goes on where the one before it ends. */
  readonly runs: readonly PageRun[];
  /** How many pages there are in all. */
  readonly length: number;

  private constructor(runs: readonly PageRun[]) {
    this.runs = runs;
    this.length = runs.reduce((sum, { count }) => sum + count, 0);
  }

  static ofRun(first: number, count: number): PageList {
    return new PageList(count === 0 ? [] : [{ first, count }]);
  }

  static of(pfns: Iterable<number>): PageList {
    const runs: { first: number; count: number }[] = [];
    for (const pfn of pfns) {
      const last = runs[runs.length - 1];
      if (last !== undefined && pfn === last.first + last.count) last.count++;
      else runs.push({ first: pfn, count: 1 });
    }
    return new PageList(runs);
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (const { first, count } of this.runs) for (let i = 0; i < count; i++) yield first + i;
  }
}
