/** What a reader is told of two operations that came in the wrong order: who, at what, under which locks, what would help. */
import type { Nanoseconds } from '../base/time.ts';
import type { Context } from '../sim/context.ts';
import { meet, placeOf, TOUCH } from '../sim/footprint.ts';
import { Mutex } from '../sim/mutex.ts';
import type { Peek, SharedObject } from '../sim/operation.ts';
import { dependents, meetingPoint, type Pair } from './race-of.ts';
import type { SeenStep, SeenWait, Sight } from './sight.ts';

/** One of the two operations. */
export interface Side {
  readonly context: string;
  /** `set`, of {@link object}. */
  readonly kind: string;
  readonly object: string;
  /** Its step and moment; of one that only waits, the step behind which it does. */
  readonly step: number;
  readonly time: Nanoseconds;
  /** The object's value; the same twice where the operation only waits. */
  readonly before: Peek;
  readonly after: Peek;
  readonly waits: boolean;
  /** The locks that the context has at that moment, in the order in which it took them. */
  readonly holding: readonly string[];
}

/** The order in which they came makes the finding; the other way round it is gone. */
export interface RacingPair {
  /** What both touch. */
  readonly object: string;
  readonly first: Side;
  readonly second: Side;
  /** A lock or an order that would have helped, in a sentence or two. */
  readonly help: string;
  /** The steps beside the two that {@link help} speaks of. */
  readonly mentions: readonly number[];
}

const LOCKING = ['lock', 'tryLock', 'whenFree'];

export function describePair(sight: Sight, pair: Pair, key: string): RacingPair {
  const first = sideOf(sight, pair.first, sight.steps[pair.first] as SeenStep);
  const second = sideOf(sight, pair.second, pair.waiting ?? (sight.steps[pair.second] as SeenStep));
  const object = meetingPoint(sight, pair) ?? `what "${key}" looks at`;
  return { object, first, second, ...new Helping(sight, pair).say() };
}

function sideOf(sight: Sight, at: number, seen: SeenStep | SeenWait): Side {
  const { context, kind, object } = seen;
  const holding = locksAt(sight, context, at).map((lock) => lock.name);
  const common = { context: context.name, kind, object: object.name, holding };
  if ('number' in seen) {
    const { number: step, time, before, after } = seen;
    return { ...common, step, time, before, after, waits: false };
  }
  const last = sight.steps[at - 1];
  const value = ownerAt(sight, object, at)?.name ?? object.peek();
  return { ...common, step: last?.number ?? 0, time: last?.time ?? 0, before: value, after: value, waits: true };
}

const locksOf = ({ steps, waits }: Sight): readonly SharedObject[] => [
  ...new Set([...steps, ...waits].map(({ object }) => object).filter((object) => object instanceof Mutex)),
];

/** In the order in which they were taken. */
function locksAt(sight: Sight, context: Context, at: number): readonly SharedObject[] {
  const taken = (lock: SharedObject): number => sight.steps.findLastIndex((step, i) => i < at && step.object === lock);
  const held = locksOf(sight).filter((lock) => ownerAt(sight, lock, at) === context);
  return held.sort((a, b) => taken(a) - taken(b));
}

/** Who has a lock before the step of that index. */
function ownerAt({ steps }: Sight, lock: SharedObject, at: number): Context | undefined {
  const next = steps.find((step, i) => i >= at && step.object === lock);
  if (next !== undefined) return next.owner;
  const last = steps.findLast((step, i) => i < at && step.object === lock);
  if (last === undefined) return lock.heldBy();
  if (last.kind === 'unlock') return undefined;
  return last.owner ?? (last.kind === 'whenFree' ? undefined : last.context);
}

/** What would have helped, and the step that this is about beside the two. */
interface Advice {
  readonly text: string;
  readonly mentions: SeenStep | undefined;
}

class Helping {
  private readonly sight: Sight;
  private readonly pair: Pair;
  private readonly one: SeenStep;
  private readonly other: SeenStep | SeenWait;

  constructor(sight: Sight, pair: Pair) {
    this.sight = sight;
    this.pair = pair;
    this.one = sight.steps[pair.first] as SeenStep;
    this.other = pair.waiting ?? (sight.steps[pair.second] as SeenStep);
  }

  say(): Pick<RacingPair, 'help' | 'mentions'> {
    const { one, other } = this;
    const isLocks = [one, other].every(({ object, kind }) => object === one.object && LOCKING.includes(kind));
    if (isLocks && one.object instanceof Mutex) return { help: this.locks(), mentions: [] };
    const advice = [this.order(), this.lock()].filter((each) => each !== undefined);
    const mentions = advice.flatMap(({ mentions: step }) => (step === undefined ? [] : [step.number]));
    return { help: advice.map(({ text }) => text).join(' '), mentions };
  }

  /** Both take one lock, so that no lock helps: one has to have it before the other. */
  private locks(): string {
    const { sight, pair, one, other } = this;
    const { object, context: first } = one;
    const { context: second } = other;
    const back = pair.waiting && sight.waits.find((wait) => wait.at >= pair.second && wait.context === first);
    if (back !== undefined && ownerAt(sight, back.object, pair.second) === second) {
      const [mine, theirs] = [back.object.name, object.name];
      return `${second.name} has ${mine} and waits for ${theirs}, ${first.name} has ${theirs} and waits for ${mine}: both should take them in one order.`;
    }
    return `Both take ${object.name}, so what matters is who has it first: ${first.name} should not take it before ${second.name} has had it.`;
  }

  private order(): Advice {
    const { one, other } = this;
    const [first, second] = [one.context.name, other.context.name];
    const asked = this.asked();
    if (asked !== undefined) {
      const text = `${first} lets ${second} go by ${name(asked)} (step ${asked.number}) and does not wait for it: it should, before its ${name(one)}.`;
      return { text, mentions: asked };
    }
    const cause = this.cause();
    if (cause?.context === other.context) {
      const text = `${second} lets ${first} go by ${name(cause)} (step ${cause.number}): its ${name(other)} should come before that.`;
      return { text, mentions: cause };
    }
    if (cause !== undefined || one.context.side === 'clock') {
      const who = cause === undefined ? 'What the timer does' : `${first}, which only a timer lets go,`;
      return { text: `${who} should wait for ${name(other)} of ${second}: a delay is no order.`, mentions: cause };
    }
    const isActedOn = one.before !== one.after && !meet(one.touches.map(asRead), other.touches);
    const text = isActedOn
      ? `${name(one)} of ${first} comes too early: ${second} acts on it. It should come behind all that ${second} then relies on.`
      : `Nothing orders the two: ${name(other)} of ${second} should come before ${name(one)} of ${first}.`;
    return { text, mentions: undefined };
  }

  private lock(): Advice | undefined {
    const { sight, pair, one, other } = this;
    const [first, second] = [one.context, other.context];
    // Whoever came first would have had to wait for what the second one has had all the time.
    const held = locksAt(sight, second, pair.second).findLast((lock) => ownerAt(sight, lock, pair.first) === second);
    if (held !== undefined) {
      const text = `Or ${first.name} takes ${held.name} for its ${name(one)}: ${second.name} has it from before that until behind its ${name(other)}.`;
      return { text, mentions: undefined };
    }
    const begun = this.lastBefore(({ object, context }) => context === second && object === other.object);
    if (begun === undefined || meetingPoint(sight, pair) !== other.object.name) return undefined;
    const owned = [...this.locksOf(first, pair.first), ...this.locksOf(second, pair.second)].at(-1);
    const lock = owned === undefined ? 'a lock' : `a lock (${owned})`;
    const text = `Or ${second.name} holds ${lock} from its ${name(begun)} (step ${begun.number}) on, and ${first.name} takes it too.`;
    return { text, mentions: begun };
  }

  private locksOf(context: Context, at: number): readonly string[] {
    return locksAt(this.sight, context, at).map((lock) => `${context.name} has ${lock.name} already`);
  }

  /** The last step of the first one's context by which it let the second one go. */
  private asked(): SeenStep | undefined {
    const { sight, pair, one, other } = this;
    const depends = (at: number): boolean => {
      const { steps, contexts } = dependents(sight.steps, at, pair.second + 1);
      return pair.waiting === undefined ? steps.has(pair.second) : contexts.has(other.context.id);
    };
    return this.lastBefore((step, at) => step.context === one.context && depends(at));
  }

  /** The last step of the second one's context, or of the clock, by which it let the first go. */
  private cause(): SeenStep | undefined {
    const { sight, pair, other } = this;
    return this.lastBefore(
      ({ context }, at) =>
        (context === other.context || context.side === 'clock') &&
        dependents(sight.steps, at, pair.first + 1).steps.has(pair.first),
    );
  }

  private lastBefore(matches: (step: SeenStep, at: number) => boolean): SeenStep | undefined {
    return this.sight.steps.findLast((step, at) => at < this.pair.first && matches(step, at));
  }
}

const name = ({ kind, object }: SeenStep | SeenWait): string => `${kind} ${object.name}`;
const asRead = (touch: number): number => placeOf(touch) * 4 + TOUCH.read;
