import { assert } from './assert.ts';

/** Gives out the lowest free number, from zero; a freed number is given out again first. */
export class LowestFree {
  /** All numbers from here on are free, but for those in {@link ahead}. */
  private edge = 0;
  /** Taken numbers at or above the edge: somebody chose them himself. */
  private readonly ahead = new Set<number>();
  /** Free numbers below the edge, falling: the last one is the lowest. */
  private readonly freed: number[] = [];

  /** The number, or undefined when all below `limit` are taken. */
  take(limit: number): number | undefined {
    const again = this.freed.at(-1);
    if (again !== undefined) return again < limit ? this.freed.pop() : undefined;
    while (this.ahead.delete(this.edge)) this.edge++;
    return this.edge < limit ? this.edge++ : undefined;
  }

  /** Marks a number that somebody chose himself; false when it is taken. */
  reserve(number: number): boolean {
    if (number >= this.edge) {
      const before = this.ahead.size;
      return this.ahead.add(number).size > before;
    }
    const at = this.freed.indexOf(number);
    if (at !== -1) this.freed.splice(at, 1);
    return at !== -1;
  }

  free(number: number): void {
    if (this.ahead.delete(number)) return;
    const at = this.placeOf(number);
    assert(number < this.edge && this.freed[at] !== number, `${number} is freed but was not taken`);
    this.freed.splice(at, 0, number);
  }

  /** Where a number stands, or would stand, among the freed ones. */
  private placeOf(number: number): number {
    let low = 0;
    let high = this.freed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.freed[middle] as number) > number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Gives out rising numbers from `first`, wraps behind `last`, skips those in use: a number comes back late.
 * Source: net/core/dev.c, dev_new_index() of 6.1 and the cyclic xarray of 6.12.
 */
export class CyclicIndex {
  private readonly used = new Set<number>();
  private readonly first: number;
  private readonly highest: number;
  private last: number;

  constructor(first: number, highest: number) {
    this.first = first;
    this.highest = highest;
    this.last = first - 1;
  }

  /** The next number, or undefined when all are in use. */
  take(): number | undefined {
    if (this.used.size > this.highest - this.first) return undefined;
    do this.last = this.last >= this.highest ? this.first : this.last + 1;
    while (this.used.has(this.last));
    this.used.add(this.last);
    return this.last;
  }

  /** Takes the number that somebody asks for; false when it is in use or out of range. */
  reserve(number: number): boolean {
    if (this.used.has(number) || number < this.first || number > this.highest) return false;
    this.used.add(number);
    return true;
  }

  free(number: number): void {
    assert(this.used.delete(number), `index ${number} is freed but was not in use`);
  }
}
