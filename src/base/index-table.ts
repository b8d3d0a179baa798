import { assert } from './assert.ts';
import { NumberSet } from './number-set.ts';

/** Gives out the lowest free number, from zero; a freed number is given out again first. */
export class LowestFree {
  private readonly taken = new NumberSet();

  /** The number, or undefined when all below `limit` are taken. */
  take(limit: number): number | undefined {
    const number = this.taken.lowestAbsent();
    if (number >= limit) return undefined;
    this.taken.add(number);
    return number;
  }

  /** Marks a number that somebody chose himself; false when it is taken. */
  reserve(number: number): boolean {
    return this.taken.add(number);
  }

  free(number: number): void {
    assert(this.taken.delete(number), `${number} is freed but was not taken`);
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
