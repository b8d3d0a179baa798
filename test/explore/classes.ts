/** Which orders are equivalent: the same steps, and those that meet at a place in the same order there. */
import type { Program } from '../../src/explore/program.ts';
import { Reduced } from '../../src/explore/strategies/reduced.ts';
import { Uniform } from '../../src/explore/strategies/uniform.ts';
import type { Context } from '../../src/sim/context.ts';
import { Footprint, placeOf, TOUCH, wayOf } from '../../src/sim/footprint.ts';
import type { Step, Strategy } from '../../src/sim/strategy.ts';

/** Lets another strategy decide, and makes a number of the order that equivalent orders share. */
class Fingerprint implements Strategy {
  readonly footprint = new Footprint();
  /** The sum over all steps; of a step, what it was and what came before it where it met others. */
  sum = 0;
  private readonly inner: Strategy;
  private step: Step | undefined;
  private rest = 0;
  private readonly lastOf = new Map<number, number>();
  /** By place: the last step that did not only read, and the sum of the reads since. */
  private readonly places = new Map<number, { writer: number; readers: number }>();

  constructor(inner: Strategy) {
    this.inner = inner;
  }

  begin(): void {
    this.inner.begin();
    this.sum = 0;
    this.rest = 0;
    this.lastOf.clear();
    this.places.clear();
  }

  pick(ready: readonly Context[], last: Context | undefined): number {
    return this.inner.pick(ready, last);
  }

  value(why: string, n: number): number {
    const value = this.inner.value(why, n);
    this.rest = mix(this.rest, value + 1);
    return value;
  }

  did(step: Step): void {
    this.step = step;
  }

  fired(): void {
    this.rest = mix(this.sum, 1);
    this.lastOf.clear();
    this.places.clear();
  }

  touched(context: Context): void {
    const { object, kind } = this.step as Step;
    let hash = mix(textHash(`${context.name} ${kind} ${object}`), this.lastOf.get(context.id) ?? this.rest);
    const touches = [...new Set(this.footprint.touches)];
    let met = 0;
    for (const touch of touches) {
      const place = this.places.get(placeOf(touch));
      if (place === undefined) continue;
      met += place.writer + (wayOf(touch) === TOUCH.read ? 0 : place.readers);
    }
    hash = mix(hash, met);
    for (const touch of touches) {
      const place = this.places.get(placeOf(touch)) ?? { writer: 0, readers: 0 };
      if (wayOf(touch) === TOUCH.read) place.readers += mix(hash, 3);
      else Object.assign(place, { writer: hash, readers: 0 });
      this.places.set(placeOf(touch), place);
    }
    this.lastOf.set(context.id, hash);
    this.sum += hash;
  }
}

/** Whole numbers below 2^32 in a sum stay exact for two million steps. */
function mix(a: number, b: number): number {
  let h = Math.imul((a % 0x1_0000_0000) ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.floor(a / 0x1_0000_0000);
  h = Math.imul(h ^ (h >>> 15) ^ (b % 0x1_0000_0000), 0xc2b2_ae35) ^ Math.imul(Math.floor(b / 0x1_0000_0000), 31);
  return (h ^ (h >>> 13)) >>> 0;
}

function textHash(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

export interface Classes {
  /** Complete orders that the reduced search ran, and how many of them are inequivalent. */
  readonly searched: number;
  readonly classes: number;
  /** Whether these are all. */
  readonly whole: boolean;
  /** Where they are: sampled orders that are equivalent to none of these, by their seeds. */
  readonly missed: readonly number[];
}

/** Runs all orders by the reduced search, or so many at most, and samples others. */
export function compareClasses(program: Program, samples: number, ordersMax: number): Classes {
  const reduced = new Reduced();
  const classes = new Set<number>();
  let searched = 0;
  do {
    if (searched >= ordersMax) return { searched, classes: classes.size, whole: false, missed: [] };
    const { stop } = program(reduced);
    if (stop === 'cut') continue;
    searched++;
    const again = new Fingerprint(new Following(reduced));
    program(again);
    classes.add(again.sum);
  } while (reduced.advance());
  const missed: number[] = [];
  for (let seed = 1; seed <= samples; seed++) {
    const sampled = new Fingerprint(new Uniform(seed));
    program(sampled);
    if (!classes.has(sampled.sum)) missed.push(seed);
  }
  return { searched, classes: classes.size, whole: true, missed };
}

/** Decides as the last run of the reduced search did. */
class Following implements Strategy {
  private readonly choices: (string | number)[];
  private at = 0;

  constructor(reduced: Reduced) {
    this.choices = reduced
      .order()
      .flatMap((choice): (string | number)[] =>
        'why' in choice ? [choice.value] : Array.from({ length: choice.times }, () => choice.context),
      );
  }

  begin(): void {
    this.at = 0;
  }

  pick(ready: readonly Context[]): number {
    const name = this.choices[this.at++];
    const index = ready.findIndex((context) => context.name === name);
    if (index === -1) throw new Error(`${name} cannot run again at decision ${this.at}`);
    return index;
  }

  value(): number {
    return this.choices[this.at++] as number;
  }
}
