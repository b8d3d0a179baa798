/**
 * At which points to strike: at every message of the guest, near what it does, and spread over all that it executes. What
 * the guest executes without a strike is the map, and chance, of a seed, does the rest.
 */
import { Random } from '../../base/random.ts';
import { DEFAULT_QUANTUM } from '../processor/wasm-patch.ts';
import type { Strike } from './strike.ts';
import type { Sign } from './struck-stage.ts';

/** A stretch as it goes when nothing strikes. */
export interface StretchMap {
  readonly signs: readonly Sign[];
  /** How many instructions the guest executes in it. */
  readonly instructions: number;
}

export interface PointOptions {
  /** Of the action. */
  readonly line: number;
  readonly count: number;
  readonly seed: number;
}

/** v86's own, and smaller ones: how soon an interrupt is taken. Primes, so that their multiples do not meet. Invented. */
export const QUANTA: readonly number[] = [DEFAULT_QUANTUM, 20_011, 5_003, 997, 211];
/** So far from a sign is near: what a message costs either side, and some more. Invented. */
const NEAR = 20_000;
/** One in so many is that near; one is within half of that, one within a quarter, and so on. Invented. */
const CLOSER = 8;
/** Of all strikes at most so many are at messages, and so many near signs. Invented. */
const SHARE = 1 / 3;
/** A point that was struck at already is drawn again so often. */
const TRIES = 20;

/** Strikes of which no two are the same, at most as many as asked for: a short stretch has not so many points. */
export function chooseStrikes(
  { signs, instructions }: StretchMap,
  { line, count, seed }: PointOptions,
): readonly Strike[] {
  const random = new Random(seed);
  const share = Math.floor(count * SHARE);
  const strikes: Strike[] = atMessages(signs, line).slice(0, share);
  const taken = new Set<string>();
  let turn = 0;
  /** The quanta take turns. */
  const add = (draw: () => number): void => {
    for (let i = 0; i < TRIES; i++) {
      const quantum = QUANTA[turn % QUANTA.length] as number;
      const count = Math.min(Math.max(0, draw()), instructions);
      const key = `${count} ${quantum}`;
      if (taken.has(key)) continue;
      taken.add(key);
      strikes.push({ line, point: { at: 'instruction', count }, quantum });
      break;
    }
    turn++;
  };
  for (let i = 0; i < share && signs.length > 0; i++) {
    const { instructions: sign } = signs[i % signs.length] as Sign;
    const near = (): number => random.below(NEAR >> random.below(CLOSER));
    add(() => sign + (random.below(2) === 0 ? near() : -near()));
  }
  const rest = count - strikes.length;
  const width = instructions / Math.max(1, rest);
  for (let i = 0; i < rest; i++) add(() => Math.floor((i + random.below(2 ** 16) / 2 ** 16) * width));
  return strikes;
}

/** Every message with every quantum, those of one quantum one after the other. */
const atMessages = (signs: readonly Sign[], line: number): Strike[] =>
  QUANTA.flatMap((quantum) =>
    signs.flatMap(({ message }): readonly Strike[] =>
      message === undefined ? [] : [{ line, point: { at: 'message', ...message }, quantum }],
    ),
  );
