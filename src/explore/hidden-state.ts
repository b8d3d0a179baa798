/**
 * Looks for state that contexts share and no object of the kernel holds: a random order is run, and then one that differs
 * from it only in the order of steps that touch nothing in common. Each context must do and tell the same in both; where
 * one does not, the two steps are looked for whose exchange makes the difference.
 * What this leaves out: state that shows in none of the orders tried, and contexts of one name, which are not told apart.
 */
import { Random } from '../base/random.ts';
import { placeOf, TOUCH, wayOf } from '../sim/footprint.ts';
import type { Event } from '../trace/event.ts';
import type { Program } from './program.ts';
import { RecordOrder } from './record-order.ts';
import { addStep, type Choice } from './schedule.ts';
import { lookAt, type SeenStep, type Sight } from './sight.ts';
import { Uniform } from './strategies/uniform.ts';

/** Two steps that touch nothing in common, and what comes of their exchange. */
export interface HiddenState {
  readonly text: string;
  /** The order in which the second comes first. */
  readonly order: readonly Choice[];
}

/** Draws one order from the seed; undefined when nothing hidden shows in it. */
export function findHiddenState(program: Program, seed: number): HiddenState | undefined {
  const drawn = new RecordOrder(new Uniform(seed));
  program(drawn);
  const sight = lookAt(program, drawn.choices);
  const values = drawn.choices.filter((choice) => 'why' in choice);
  const search = new Exchanges(program, sight, values);
  return search.find(shuffled(sight, new Random(seed)));
}

/**
 * Another order of the same steps, as indices, in which those that touch something in common keep theirs. Where nothing
 * could run until time went on, all that was before stays before.
 */
function shuffled({ steps, rests }: Sight, random: Random): readonly number[] {
  const ends = [...rests, steps.length].filter((end) => end > 0);
  return ends.flatMap((end, i) => shuffledPart(steps, ends[i - 1] ?? 0, end, random));
}

function shuffledPart(steps: readonly SeenStep[], from: number, to: number, random: Random): readonly number[] {
  const past = new Past();
  const followers = new Map<number, number[]>();
  const waitsFor = new Map<number, number>();
  for (let at = from; at < to; at++) {
    const before = past.add(steps[at] as SeenStep, at);
    waitsFor.set(at, before.size);
    followers.set(at, []);
    for (const step of before) followers.get(step)?.push(at);
  }
  const free = [...waitsFor].flatMap(([step, count]) => (count === 0 ? [step] : []));
  const order: number[] = [];
  while (free.length > 0) {
    const [step] = free.splice(random.below(free.length), 1) as [number];
    order.push(step);
    for (const follower of followers.get(step) ?? []) {
      const left = (waitsFor.get(follower) ?? 0) - 1;
      waitsFor.set(follower, left);
      if (left === 0) free.push(follower);
    }
  }
  return order;
}

/** What the steps so far have touched. */
class Past {
  private readonly last = new Map<number, number>();
  private readonly places = new Map<
    number,
    { readonly changed: number | undefined; readonly seen: readonly number[] }
  >();

  /** The steps after which this one had to come; those before them are not all among them. */
  add({ context, touches, children }: SeenStep, at: number): ReadonlySet<number> {
    const before = new Set<number | undefined>([this.last.get(context.id)]);
    for (const { id } of [context, ...children]) this.last.set(id, at);
    for (const touch of touches) {
      const { changed, seen } = this.places.get(placeOf(touch)) ?? { changed: undefined, seen: [] };
      before.add(changed);
      const isRead = wayOf(touch) === TOUCH.read;
      if (!isRead) for (const step of seen) before.add(step);
      this.places.set(placeOf(touch), isRead ? { changed, seen: [...seen, at] } : { changed: at, seen: [] });
    }
    before.delete(undefined);
    before.delete(at);
    return before as ReadonlySet<number>;
  }
}

/** The way from one order to another, by exchanges of neighbours. */
class Exchanges {
  private readonly program: Program;
  private readonly sight: Sight;
  private readonly values: readonly Choice[];
  private readonly wanted: ReadonlyMap<string, readonly string[]>;

  constructor(program: Program, sight: Sight, values: readonly Choice[]) {
    this.program = program;
    this.sight = sight;
    this.values = values;
    this.wanted = deedsOf(sight);
  }

  find(to: readonly number[]): HiddenState | undefined {
    if (hasNamesake(this.sight) || this.difference(to) === undefined) return undefined;
    const steps = to.map((_, at) => at);
    /** The first so many as they are wanted, and the others as they were. */
    const upTo = (count: number): number[] => {
      const done = to.slice(0, count);
      const moved = new Set(done);
      return [...done, ...steps.filter((step) => !moved.has(step))];
    };
    const count = this.lastWithout((n) => upTo(n), to.length);
    const before = upTo(count);
    const step = to[count] as number;
    const from = before.indexOf(step);
    /** The step so many places earlier. */
    const earlier = (by: number): number[] => before.toSpliced(from, 1).toSpliced(from - by, 0, step);
    const by = this.lastWithout(earlier, from - count);
    const order = earlier(by + 1);
    const other = before[from - by - 1] as number;
    const found = this.difference(order);
    if (found === undefined) return undefined;
    const [first, second] = [this.nameOf(other), this.nameOf(step)];
    const text = `"${first}" and "${second}" touch nothing in common, and yet it matters which comes first: ${found}`;
    return { text, order: this.orderOf(order) };
  }

  /** The largest number without a difference, where 0 has none and `most` has one. */
  private lastWithout(orderOf: (n: number) => readonly number[], most: number): number {
    let [without, within] = [0, most];
    while (within - without > 1) {
      const middle = (without + within) >> 1;
      if (this.difference(orderOf(middle)) === undefined) without = middle;
      else within = middle;
    }
    return without;
  }

  private difference(order: readonly number[]): string | undefined {
    const deeds = deedsOf(lookAt(this.program, this.orderOf(order)));
    for (const name of new Set([...this.wanted.keys(), ...deeds.keys()])) {
      const [was, is] = [this.wanted.get(name) ?? [], deeds.get(name) ?? []];
      const at = Array.from({ length: Math.max(was.length, is.length) }, (_, i) => i).find((i) => was[i] !== is[i]);
      if (at !== undefined) return `${name}: ${is[at] ?? 'nothing'}, and not ${was[at] ?? 'nothing'}`;
    }
    return undefined;
  }

  private orderOf(order: readonly number[]): readonly Choice[] {
    const choices = [...this.values];
    for (const at of order) addStep(choices, (this.sight.steps[at] as SeenStep).context.name);
    return choices;
  }

  private nameOf(at: number): string {
    const { context, kind, object } = this.sight.steps[at] as SeenStep;
    return `${context.name}: ${kind} ${object.name}`;
  }
}

function hasNamesake({ steps }: Sight): boolean {
  const contexts = new Map(steps.map(({ context }) => [context.id, context.name]));
  return new Set(contexts.values()).size < contexts.size;
}

/** By context: its operations and what it told; and what was found. */
function deedsOf({ steps, events, outcome }: Sight): ReadonlyMap<string, readonly string[]> {
  const deeds = new Map<string, string[]>();
  const note = (name: string, deed: string): void => {
    const list = deeds.get(name);
    if (list === undefined) deeds.set(name, [deed]);
    else list.push(deed);
  };
  for (const { context, kind, object } of steps) note(`steps of ${context.name}`, `${kind} ${object.name}`);
  for (const event of events) if (!JUDGES.test(event.kind)) note(`what ${event.context} tells`, plain(event));
  const found = [...new Set(outcome.found.map(({ key }) => key))];
  for (const key of found.sort()) note('what is found', key);
  return deeds;
}

/** Who finds something is whoever came last, and may be another one each time. */
const JUDGES = /^(invariant|sim|task)\./;

/** Where timers may fire any time, the moment of a step is no part of what it does. */
const MOMENTS: ReadonlySet<string> = new Set(['step', 'sinceStep', 'time', 'since', 'held']);

const plain = (event: Event): string =>
  JSON.stringify(event, (key, value) =>
    MOMENTS.has(key) && typeof value === 'number' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  );
