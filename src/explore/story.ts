/** An order told as data: who did what, in which lane, where a turn was taken, which two operations raced, what was found. */
import type { Nanoseconds } from '../base/time.ts';
import type { ContextSide } from '../sim/context.ts';
import type { Peek } from '../sim/operation.ts';
import type { Event } from '../trace/event.ts';
import type { Program } from './program.ts';
import { findRace } from './race-of.ts';
import { describePair, type RacingPair, type Side } from './racing-pair.ts';
import type { Choice } from './schedule.ts';
import { lookAt, type SeenStep, type Sight } from './sight.ts';

/** One step, or, where `kind` is empty, what was told between steps or by somebody who only begins. */
export interface StoryStep {
  readonly step: number;
  readonly time: Nanoseconds;
  readonly context: string;
  readonly object: string;
  readonly kind: string;
  readonly before: Peek;
  readonly after: Peek;
  readonly events: readonly Event[];
  /** Somebody else could have gone on. */
  readonly preempts: boolean;
  /** Who it is that could. */
  readonly takenFrom: string | undefined;
  /** The operation is one that waits, and was not done here. */
  readonly waits: boolean;
  readonly racing: 'first' | 'second' | undefined;
  /** What was found was found here, or, `since`, the earlier of the two moments that make it. */
  readonly moment: 'found' | 'since' | undefined;
}

export interface Story {
  readonly key: string;
  /** What was found, in a sentence. */
  readonly text: string;
  readonly preemptions: number;
  /** Contexts in the order of their first step. */
  readonly lanes: readonly string[];
  /** Whose side each of the lanes is on. */
  readonly sides: readonly ContextSide[];
  readonly steps: readonly StoryStep[];
  /** Undefined: it fails whichever two operations are exchanged. */
  readonly race: RacingPair | undefined;
  /** Orders that were tried to find the pair. */
  readonly runs: number;
}

/** Runs the order, followed leniently, once more and looks on; then tries which two operations are to blame. */
export function tellStory(program: Program, order: readonly Choice[], key: string): Story {
  const sight = lookAt(program, order);
  const found = sight.outcome.found.find((each) => each.key === key);
  if (found === undefined) throw new Error(`this order does not lead to "${key}"`);
  const moments = sight.events.filter((event) => isFinding(event, key));
  const until = moments.find(({ kind }) => kind === 'invariant.violated')?.step ?? Number.POSITIVE_INFINITY;
  const { pair, runs } = findRace(program, sight, { order, key, until });
  const race = pair === undefined ? undefined : describePair(sight, pair, key);
  const waiting = pair?.waiting === undefined ? [] : [pair.waiting];
  const lanes = new Map([...sight.steps, ...waiting].map(({ context }) => [context.name, context.side]));
  const { preemptions } = sight;
  const steps = rowsOf(sight, moments, race);
  return {
    key,
    text: found.text,
    preemptions,
    lanes: [...lanes.keys()],
    sides: [...lanes.values()],
    steps,
    race,
    runs,
  };
}

/** Whether the event is the finding: the keys are those of scenario-program.ts. */
function isFinding(event: Event, key: string): boolean {
  if (event.kind === 'invariant.violated') return event.invariant === key;
  if (event.kind === 'scenario.expect') return !event.held && key === `line ${event.line}: ${event.text}`;
  return event.kind === 'sim.stuck' && (key === event.problem || key.endsWith(`: ${event.problem}`));
}

/** The searched steps with what was told in them; of what came before and behind only what matters for the finding. */
function rowsOf(
  { steps, events }: Sight,
  moments: readonly Event[],
  race: RacingPair | undefined,
): readonly StoryStep[] {
  const since = new Set(moments.map((event) => ('sinceStep' in event ? event.sinceStep : undefined)));
  const isMoment = (event: Event): boolean => moments.includes(event);
  const matters = (event: Event): boolean => isMoment(event) || since.has(event.step) || event.kind === 'scenario.step';
  const first = steps[0]?.number ?? Number.POSITIVE_INFINITY;
  const last = steps.at(-1)?.number ?? Number.POSITIVE_INFINITY;
  const rows = between(events.filter((event) => event.step < first && matters(event)));
  for (const step of steps) {
    const told = events.filter((event) => event.step === step.number);
    const others = told.findIndex(({ context }) => context !== step.context.name);
    const own = others === -1 ? told : told.slice(0, others);
    rows.push(rowOf(step, own, race), ...between(told.slice(own.length)));
    if (race?.second.waits === true && race.second.step === step.number) rows.push(rowOfWait(race.second));
  }
  rows.push(...between(events.filter((event) => event.step > last && isMoment(event))));
  return rows.map((row) => {
    if (row.events.some(isMoment)) return { ...row, moment: 'found' };
    return since.has(row.step) ? { ...row, moment: 'since' } : row;
  });
}

const QUIET = {
  object: '',
  kind: '',
  before: '',
  after: '',
  preempts: false,
  takenFrom: undefined,
  waits: false,
} as const;
const UNMARKED = { racing: undefined, moment: undefined } as const;

function rowOf(seen: SeenStep, events: readonly Event[], race: RacingPair | undefined): StoryStep {
  const { number: step, time, context, object, kind, before, after, preempted } = seen;
  const racing =
    race?.first.step === step ? 'first' : race?.second.step === step && !race.second.waits ? 'second' : undefined;
  const what = {
    object: object.name,
    kind,
    before,
    after,
    preempts: preempted !== undefined,
    takenFrom: preempted?.name,
    waits: false,
  };
  return { step, time, context: context.name, ...what, events, racing, moment: undefined };
}

function rowOfWait({ step, time, context, object, kind, before, after }: Side): StoryStep {
  const what = { ...QUIET, object, kind, before, after, waits: true };
  return { step, time, context, ...what, events: [], racing: 'second', moment: undefined };
}

/** Events that no step of their context tells, a row for each context and moment in turn. */
function between(events: readonly Event[]): StoryStep[] {
  const rows: StoryStep[] = [];
  for (const event of events) {
    const { step, time, context } = event;
    const row = rows.at(-1);
    if (row?.step === step && row.context === context && row.time === time) {
      rows[rows.length - 1] = { ...row, events: [...row.events, event] };
    } else rows.push({ step, time, context, ...QUIET, events: [event], ...UNMARKED });
  }
  return rows;
}
