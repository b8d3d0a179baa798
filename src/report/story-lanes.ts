/**
 * How a story is laid out, for the terminal and for a page alike: which contexts have a lane of their own, what is
 * shown in it, and which steps are folded because they say nothing more.
 */
import type { Side } from '../explore/racing-pair.ts';
import type { Story, StoryStep } from '../explore/story.ts';
import type { ContextSide } from '../sim/context.ts';
import { tell } from './words.ts';

export interface Lane {
  /** Of its context, or, where several share it, of their side. */
  readonly name: string;
  readonly side: ContextSide;
  readonly isShared: boolean;
}

export interface Line {
  readonly text: string;
  /** `finding`: what the story is about; `alarm`: something else that is wrong. */
  readonly tone: 'plain' | 'alarm' | 'finding';
  /** It is said by no context: a step of the scenario, a verdict on what happened. */
  readonly isAside: boolean;
}

export interface ShownStep {
  readonly step: StoryStep;
  /** Index of its lane; undefined for the scenario's, and for what nobody does. */
  readonly lane: number | undefined;
  /** Index of the lane whose turn is taken. */
  readonly takenFrom: number | undefined;
  /** What it does, where that matters; what is told in it says the rest. */
  readonly operation: string | undefined;
  readonly lines: readonly Line[];
}

/** Steps that are not shown, between two that are. */
export interface Fold {
  readonly folded: readonly StoryStep[];
  /** Where all of them are in one lane. */
  readonly lane: number | undefined;
}

export interface Layout {
  readonly lanes: readonly Lane[];
  readonly rows: readonly (ShownStep | Fold)[];
}

/** Contexts that have a lane of their own. Invented: more do not fit beside each other. */
const OWN_LANES_MAX = 6;
/** From left to right, as data runs. */
const SIDES: readonly ContextSide[] = ['scenario', 'clock', 'host', 'guest', 'user'];
const SHARED: Readonly<Record<ContextSide, string>> = {
  scenario: 'scenario',
  clock: 'clock',
  host: 'the rest of the host',
  guest: 'the rest of the guest',
  user: 'the rest of user mode',
};

export function layOut(story: Story): Layout {
  const steps = story.steps.slice(0, lastShown(story) + 1);
  const losing = stepsBeforeTurns(steps);
  const named = new Set([...losing, ...stepsNamed(story, steps)]);
  const isShown = steps.map((step) => named.has(step) || matters(step));
  const shown = steps.filter((_, at) => isShown[at]);
  const lanes = new Lanes(story, shown, coreOf(story, shown));
  const rows: (ShownStep | Fold)[] = [];
  let folded: StoryStep[] = [];
  const fold = (): void => {
    if (folded.length > 0) rows.push({ folded, lane: lanes.common(folded) });
    folded = [];
  };
  steps.forEach((step, at) => {
    if (isShown[at] !== true) {
      if (step.kind !== '') folded.push(step);
      return;
    }
    fold();
    const takenFrom = lanes.of(step.takenFrom);
    rows.push({ step, lane: lanes.of(step.context), takenFrom, ...wordsOf(story, step, named.has(step)) });
  });
  fold();
  return { lanes: lanes.all, rows };
}

/** Behind the finding, and both operations that raced, nothing is worth telling. */
function lastShown({ steps }: Story): number {
  const last = steps.findLastIndex(({ moment, racing }) => moment === 'found' || racing !== undefined);
  return steps.some(({ moment }) => moment === 'found') ? last : steps.length - 1;
}

function matters({ preempts, racing, moment, events }: StoryStep): boolean {
  return preempts || racing !== undefined || moment !== undefined || events.some((event) => isTelling(tell(event)));
}

/** What the advice speaks of, and what else was done between the two that raced at the object where they meet. */
function stepsNamed({ race }: Story, steps: readonly StoryStep[]): readonly StoryStep[] {
  if (race === undefined) return [];
  const [first, second] = [race.first.step, race.second.step];
  return steps.filter(
    ({ step, kind, object }) =>
      kind !== '' && (race.mentions.includes(step) || (object === race.object && step > first && step < second)),
  );
}

const isTelling = ({ chatter, alarm }: { readonly chatter: boolean; readonly alarm: boolean }): boolean =>
  alarm || !chatter;

/** The steps behind which their context could have gone on. */
function stepsBeforeTurns(steps: readonly StoryStep[]): ReadonlySet<StoryStep> {
  const last = new Map<string, StoryStep>();
  const found = new Set<StoryStep>();
  for (const step of steps) {
    const taken = step.takenFrom === undefined ? undefined : last.get(step.takenFrom);
    if (taken !== undefined) found.add(taken);
    if (step.kind !== '') last.set(step.context, step);
  }
  return found;
}

function wordsOf(story: Story, step: StoryStep, isNamed: boolean): Pick<ShownStep, 'operation' | 'lines'> {
  const telling = step.events.filter((event) => isTelling(tell(event)));
  // Where a step is shown for its moment, and nothing told of it is more than chatter, that has to do.
  const events = telling.length === 0 && step.moment !== undefined ? step.events : telling;
  const lines = events.map((event): Line => {
    const { alarm, text, who } = tell(event);
    const isFinding = event.kind === 'invariant.violated' ? event.invariant === story.key : step.moment === 'found';
    const tone = !alarm ? 'plain' : isFinding ? 'finding' : 'alarm';
    return { text, tone, isAside: who === 'scenario' };
  });
  const isSilent = lines.length === 0 && step.kind !== '';
  const isSaid = isSilent || isNamed || step.preempts || step.racing !== undefined;
  return { operation: isSaid ? operationOf(step) : undefined, lines };
}

/** `set nic1.vf.flags: 4098 → 6146`, `get nic1.vf.flags (4098)`. */
export function operationOf({ kind, object, before, after, waits }: StoryStep | Side): string {
  const what = `${waits ? 'waits to ' : ''}${kind} ${object}`;
  if (before !== after) return `${what}: ${before} → ${after}`;
  return after === '' || after === 'object' ? what : `${what} (${after})`;
}

/** `12 more steps`, `12 more steps of hv_pri_chan`, `31 more steps: host.nic1 ×10, hv_pri_chan ×8, ...`, or the one itself. */
export function sayFold({ folded, lane }: Fold, lanes: readonly Lane[]): string {
  const [first] = folded;
  if (first === undefined) return '';
  const isOwn = lane !== undefined && lanes[lane]?.isShared === false;
  if (folded.length === 1) return isOwn ? operationOf(first) : `${first.context}: ${operationOf(first)}`;
  const counts = new Map<string, number>();
  for (const { context } of folded) counts.set(context, (counts.get(context) ?? 0) + 1);
  const steps = `${folded.length} more steps`;
  if (counts.size === 1) return isOwn ? steps : `${steps} of ${first.context}`;
  const most = [...counts].sort(([, a], [, b]) => b - a).map(([context, count]) => `${context} ×${count}`);
  return `${steps}: ${most.slice(0, NAMED_IN_FOLD).join(', ')}${most.length > NAMED_IN_FOLD ? ', ...' : ''}`;
}

/** In a fold, those with the most steps. Invented. */
const NAMED_IN_FOLD = 4;

interface SharedLane extends Lane {
  readonly contexts: readonly string[];
}

/** Who has which lane. */
class Lanes {
  readonly all: readonly Lane[];
  private readonly story: Story;
  private readonly byContext = new Map<string, number>();

  constructor(story: Story, shown: readonly StoryStep[], own: ReadonlySet<string>) {
    this.story = story;
    const others = story.lanes.filter((context) => !own.has(context) && shown.some((step) => step.context === context));
    const lanes = SIDES.flatMap((side): readonly SharedLane[] => {
      const rest = others.filter((context) => this.sideOf(context) === side);
      if (rest.length === 0 || side === 'scenario' || side === 'clock') return this.ownOf(side, own);
      if (rest.length === 1) return this.ownOf(side, new Set([...own, ...rest]));
      return [{ name: SHARED[side], side, isShared: true, contexts: rest }, ...this.ownOf(side, own)];
    });
    this.all = lanes.map(({ name, side, isShared }) => ({ name, side, isShared }));
    lanes.forEach(({ contexts }, i) => {
      for (const context of contexts) this.byContext.set(context, i);
    });
  }

  of(context: string | undefined): number | undefined {
    return context === undefined ? undefined : this.byContext.get(context);
  }

  common(steps: readonly StoryStep[]): number | undefined {
    const [first] = steps;
    const isOne = first !== undefined && steps.every(({ context }) => context === first.context);
    return isOne ? this.of(first.context) : undefined;
  }

  private ownOf(side: ContextSide, own: ReadonlySet<string>): readonly SharedLane[] {
    const contexts = this.story.lanes.filter((context) => own.has(context) && this.sideOf(context) === side);
    return contexts.map((context) => ({ name: context, side, isShared: false, contexts: [context] }));
  }

  private sideOf(context: string): ContextSide {
    return this.story.sides[this.story.lanes.indexOf(context)] ?? 'clock';
  }
}

/** Those whom the story is about: who raced, who found it, who took a turn and from whom. */
function coreOf({ race, lanes }: Story, shown: readonly StoryStep[]): ReadonlySet<string> {
  const raced = race === undefined ? [] : [race.first.context, race.second.context];
  const found = shown.filter(({ moment }) => moment === 'found').map(({ context }) => context);
  const turns = shown.flatMap(({ takenFrom, context }) => (takenFrom === undefined ? [] : [takenFrom, context]));
  const core = [...raced, ...found, ...turns].filter((context) => lanes.includes(context) && context !== 'clock');
  return new Set([...new Set(core)].slice(0, OWN_LANES_MAX));
}
