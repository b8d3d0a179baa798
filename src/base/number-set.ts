/** Bits of a word. */
const BITS = 32;
const FULL = -1;

/** A set of small whole numbers that knows at once the lowest one that is not in it, and the highest one that is. */
export class NumberSet {
  /** Bit by bit; numbers behind the last word are not in the set. */
  private readonly words: number[] = [];
  /** All words before this one are full. */
  private firstGap = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(number: number): boolean {
    return (((this.words[number >> 5] ?? 0) >>> (number & 31)) & 1) === 1;
  }

  /** False when it is in the set already. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    const at = number >> 5;
    while (this.words.length <= at) this.words.push(0);
    this.words[at] = (this.words[at] as number) | (1 << (number & 31));
    this.count++;
    return true;
  }

  /** False when it is not in the set. */
  delete(number: number): boolean {
    if (!this.has(number)) return false;
    const at = number >> 5;
    this.words[at] = (this.words[at] as number) & ~(1 << (number & 31));
    while (this.words.at(-1) === 0) this.words.pop();
    this.firstGap = Math.min(this.firstGap, at);
    this.count--;
    return true;
  }

  lowestAbsent(): number {
    while (this.words[this.firstGap] === FULL) this.firstGap++;
    const absent = ~(this.words[this.firstGap] ?? 0);
    return this.firstGap * BITS + (BITS - 1 - Math.clz32(absent & -absent));
  }

  /** Undefined when the set is empty. */
  highest(): number | undefined {
    const last = this.words.at(-1);
    return last === undefined ? undefined : this.words.length * BITS - 1 - Math.clz32(last);
  }
}
