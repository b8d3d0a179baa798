/**
 * Which two operations came in the wrong order: found by experiment. Of the pairs in a failing run that could have come
 * the other way round (a race: they touch one thing, and nothing else orders them), the latest is looked for whose
 * exchange alone makes the finding vanish.
 * What this leaves out: findings that need two exchanges at once; they are said to fail in every order that was tried.
 */
import type { Context } from '../sim/context.ts';
import { meet, objectOf, placeOf, TOUCH, wayOf } from '../sim/footprint.ts';
import { Mutex } from '../sim/mutex.ts';
import { FollowLeniently } from './follow-leniently.ts';
import type { Program } from './program.ts';
import { RecordOrder } from './record-order.ts';
import { addStep, type Choice } from './schedule.ts';
import type { SeenStep, SeenWait, Sight } from './sight.ts';

/** A step `first` of a run, and an operation of another context that came after it. */
export interface Pair {
  /** Index into the steps seen. */
  readonly first: number;
  /** The same; of one that is {@link waiting} instead, where it would stand. */
  readonly second: number;
  readonly waiting: SeenWait | undefined;
}

export interface Trial {
  /** Undefined: it fails whichever two are exchanged. */
  readonly pair: Pair | undefined;
  /** Orders that were tried. */
  readonly runs: number;
}

/** Exchanges that are tried at most. Invented: a run takes some milliseconds. */
const RUNS_MAX = 200;
/** Pairs that are looked at most, the nearest to the finding. Invented: long before that the runs are used up. */
const PAIRS_MAX = 2000;

/** `order`: what was decided in the run that was seen; `until`: number of the step with which `key` is found. */
export function findRace(
  program: Program,
  sight: Sight,
  { order: decided, key, until }: { readonly order: readonly Choice[]; readonly key: string; readonly until: number },
): Trial {
  const tried = new Set<string>();
  const values = decided.filter((choice) => 'why' in choice);
  const moved = new Set(decided.map((choice) => ('times' in choice ? choice.context : '')));
  for (const { pair, onward } of trialsIn(sight, moved, until)) {
    const order = [...values, ...exchanged(sight, pair, onward)];
    const name = JSON.stringify(order);
    if (tried.has(name)) continue;
    if (tried.size === RUNS_MAX) break;
    tried.add(name);
    const recorded = new RecordOrder(new FollowLeniently(order));
    const { found, limit } = program(recorded);
    if (limit !== undefined || found.some((each) => each.key === key)) continue;
    if (isExchanged(sight, pair, recorded.choices)) return { pair, runs: tried.size };
  }
  return { pair: undefined, runs: tried.size };
}

/** `onward`: the second one's context comes first with all that it did in one go from there. */
function* trialsIn(
  sight: Sight,
  moved: ReadonlySet<string>,
  until: number,
): Iterable<{ readonly pair: Pair; readonly onward: boolean }> {
  // Without those who were let go early nothing is found, so that most likely they were too early.
  const isEarly = ({ first }: Pair): boolean => moved.has(sight.steps[first]?.context.name ?? '');
  const races = nearestOf(racesIn(sight, until));
  const pairs = [...races.filter(isEarly), ...races.filter((pair) => !isEarly(pair))];
  // What only the watchers of a run see in one order or the other tells something at the moment of the finding alone.
  const isTelling = (pair: Pair): boolean =>
    ![pair.first, pair.second].some((at) => isTick(sight, at)) &&
    (sight.steps[pair.first]?.number === until || meetingPoint(sight, pair) !== undefined);
  const telling = pairs.filter(isTelling);
  for (const pair of telling) yield { pair, onward: false };
  for (const pair of telling) yield { pair, onward: true };
  // A timer that has fired late has not fired wrongly.
  for (const pair of pairs) if (!telling.includes(pair) && !isTick(sight, pair.second)) yield { pair, onward: false };
}

function nearestOf(races: Iterable<Pair>): readonly Pair[] {
  const nearest: Pair[] = [];
  for (const pair of races) if (nearest.push(pair) === PAIRS_MAX) break;
  return nearest;
}

const isTick = ({ steps }: Sight, at: number): boolean => steps[at]?.context.side === 'clock';

/** Nearest to the finding first: the latest first steps, and for each the earliest second one. */
function* racesIn(sight: Sight, until: number): Iterable<Pair> {
  for (let first = sight.steps.length - 1; first >= 0; first--) {
    if ((sight.steps[first] as SeenStep).number <= until) yield* racesOf(sight, first);
  }
}

/** With whom the step races: those who could have come first, before nothing could run any more. */
function* racesOf({ steps, rests, waits }: Sight, first: number): Iterable<Pair> {
  const rest = steps.findIndex((_, at) => at > first && rests.has(at));
  const end = rest === -1 ? steps.length : rest;
  const later = dependents(steps, first, end);
  const { touches } = steps[first] as SeenStep;
  for (let second = first + 1; second < end; second++) {
    const isRace = !later.steps.has(second) && meet(touches, (steps[second] as SeenStep).touches);
    if (isRace) yield { first, second, waiting: undefined };
  }
  for (const waiting of waits) {
    const isRace = waiting.at === end && !later.contexts.has(waiting.context.id) && meet(touches, waiting.touches);
    if (isRace) yield { first, second: end, waiting };
  }
}

/** The run's order, but that the second of the pair, with all that it needs, comes before the first. */
function exchanged({ steps }: Sight, { first, second, waiting }: Pair, onward: boolean): readonly Choice[] {
  const { steps: later } = dependents(steps, first, second);
  const { context } = waiting ?? (steps[second] as SeenStep);
  let next = waiting === undefined ? second + 1 : second;
  const order: Choice[] = [];
  const add = (from: number, to: number, wanted: (at: number) => boolean): void => {
    for (let at = from; at < to; at++) if (wanted(at)) addStep(order, (steps[at] as SeenStep).context.name);
  };
  add(0, first, () => true);
  add(first, second, (at) => !later.has(at));
  addStep(order, context.name);
  for (; onward && steps[next]?.context === context; next++) addStep(order, context.name);
  add(first, second, (at) => later.has(at));
  add(next, steps.length, () => true);
  return order;
}

interface Dependents {
  /** Indices of steps. */
  readonly steps: ReadonlySet<number>;
  /** Ids of those who did them, and who began in them. */
  readonly contexts: ReadonlySet<number>;
}

/** The step `first` and those until `to` that could not have come without it: its context's, and whom it gave something. */
export function dependents(steps: readonly SeenStep[], first: number, to: number): Dependents {
  const later = new Set<number>();
  const contexts = new Set<number>();
  const given = new Set<number>();
  for (let at = first; at < to; at++) {
    const { context, object, touches, children } = steps[at] as SeenStep;
    const isFree = (touch: number): boolean => wayOf(touch) !== TOUCH.need || !given.has(placeOf(touch));
    if (at !== first && !contexts.has(context.id) && touches.every(isFree)) continue;
    later.add(at);
    for (const { id } of [context, ...children]) contexts.add(id);
    // A lock that was released was free before it was taken as well.
    if (object instanceof Mutex) continue;
    for (const touch of touches) if (wayOf(touch) === TOUCH.give) given.add(placeOf(touch));
  }
  return { steps: later, contexts };
}

/** Whether the run did what was wanted: the second's step came before the first's, or without it. */
function isExchanged({ steps }: Sight, { first, second, waiting }: Pair, order: readonly Choice[]): boolean {
  const place = (at: number, { name }: Context): number =>
    placeIn(order, name, steps.slice(0, at).filter(({ context }) => context.name === name).length + 1);
  const one = steps[first] as SeenStep;
  return place(second, (waiting ?? (steps[second] as SeenStep)).context) < place(first, one.context);
}

/** At which step of the order a context does its step of that number; behind all if it never does. */
function placeIn(order: readonly Choice[], name: string, number: number): number {
  let left = number;
  let at = 0;
  for (const choice of order) {
    if (!('times' in choice)) continue;
    if (choice.context === name) {
      if (left <= choice.times) return at + left;
      left -= choice.times;
    }
    at += choice.times;
  }
  return Number.POSITIVE_INFINITY;
}

/** The object at which the two meet, by name; that of an operation of theirs where it is one of them. */
export function meetingPoint({ steps, waits }: Sight, { first, second, waiting }: Pair): string | undefined {
  const [one, other] = [steps[first] as SeenStep, waiting ?? (steps[second] as SeenStep)];
  const places = new Set(one.touches.map(placeOf));
  const both = other.touches.map(placeOf).filter((place) => places.has(place));
  const shared = new Set(both.map(objectOf));
  const known = [other, one, ...steps, ...waits].filter(({ context }) => context.side !== 'clock');
  return known.find(({ object }) => shared.has(object.place))?.object.name;
}
