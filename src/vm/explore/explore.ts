/**
 * Strikes into a scenario on a real kernel, at many points: surveys each stretch, chooses points, has them struck at, and
 * repeats some, which have to come to the same. What comes of it depends on the scenario, the images, the count and the
 * seed, and not on how many processes there are.
 */
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { BootExploration, ExploredStretch, StrikeResult } from '../../report/boot-explore.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { BootFailure } from '../boot.ts';
import type { Crew, StruckRun } from './crew.ts';
import { chooseStrikes } from './points.ts';
import { type Stretch, stretchesOf } from './stretch.ts';
import type { Strike } from './strike.ts';

export interface ExplorationPlan {
  readonly scenario: Scenario;
  /** In all stretches together. */
  readonly strikes: number;
  readonly seed: number;
}

/** How far it is. */
export interface ExplorationState {
  readonly doing: 'survey' | 'strikes' | 'repeats';
  readonly done: number;
  readonly of: number;
  readonly failing: number;
  /** Runs so far, and what they took. */
  readonly runs: number;
  /** Milliseconds of all of them. */
  readonly computing: number;
  /** Kilobytes of the largest process. */
  readonly memory: number;
}

/** Every so many-th strike is repeated in the end. Invented. */
const REPEATED = 40;

/** Errors: the guest does not come as far as a stretch. */
export class Exploration {
  state: ExplorationState = { doing: 'survey', done: 0, of: 0, failing: 0, runs: 0, computing: 0, memory: 0 };
  private readonly crew: Crew;
  private readonly plan: ExplorationPlan;

  constructor(crew: Crew, plan: ExplorationPlan) {
    this.crew = crew;
    this.plan = plan;
  }

  async run(): Promise<Result<BootExploration, BootFailure>> {
    const { scenario, strikes } = this.plan;
    const stretches = stretchesOf(scenario);
    const explored: ExploredStretch[] = [];
    for (const [i, stretch] of stretches.entries()) {
      if (this.crew.isStopped) break;
      const count = Math.floor(strikes / stretches.length) + (i < strikes % stretches.length ? 1 : 0);
      const one = await this.explore(stretch, count);
      if (one === undefined) break;
      if (!one.ok) return one;
      explored.push(one.value);
    }
    return ok({ stretches: explored, isInterrupted: this.crew.isStopped });
  }

  private async explore(stretch: Stretch, count: number): Promise<Result<ExploredStretch, BootFailure> | undefined> {
    const { crew } = this;
    const { seed } = this.plan;
    this.state = { ...this.state, doing: 'survey', done: 0, of: 0 };
    const surveyed = await crew.do({ do: 'survey', stretch });
    if (surveyed === undefined) return undefined;
    if (!surveyed.ok) return err(surveyed.error);
    const { field, map, usual } = surveyed.value;
    const { into, action } = stretch;
    const head = {
      into: { line: into.line, text: into.text },
      action: { line: action.line, text: action.text },
      instructions: map.instructions,
      usual,
    };
    if (usual.found.length > 0) return ok({ ...head, results: [], repeated: 0, unlike: [] });
    crew.goTo(field);
    const strikes = chooseStrikes(map, { line: action.line, count, seed });
    const isRepeated = (i: number): boolean => i % REPEATED === 0;
    const results = await this.strikeAll('strikes', strikes, isRepeated);
    const again = await this.strikeAll(
      'repeats',
      strikes.filter((_, i) => isRepeated(i)),
      () => true,
    );
    const unlike = again.flatMap((second, i) => {
      const first = results[i * REPEATED];
      return second === undefined || first === undefined || isSame(first, second) ? [] : [first.strike];
    });
    return ok({
      ...head,
      results: results.filter((result) => result !== undefined),
      repeated: again.filter((result) => result !== undefined).length,
      unlike,
    });
  }

  /** In the order of the strikes; undefined for those that were not run. */
  private strikeAll(
    doing: 'strikes' | 'repeats',
    strikes: readonly Strike[],
    withHash: (i: number) => boolean,
  ): Promise<readonly (StrikeResult | undefined)[]> {
    this.state = { ...this.state, doing, done: 0, of: strikes.length };
    return Promise.all(
      strikes.map(async (strike, i) => {
        const done = await this.crew.do({ do: 'strike', strike, withHash: withHash(i) });
        if (done !== undefined) this.count(done);
        return done?.run.result;
      }),
    );
  }

  private count({ run, cost }: StruckRun): void {
    const { state } = this;
    const failing = state.failing + (state.doing === 'strikes' && run.result.found.length > 0 ? 1 : 0);
    this.state = {
      ...state,
      done: state.done + 1,
      failing,
      runs: state.runs + 1,
      computing: state.computing + cost.computing,
      memory: Math.max(state.memory, cost.memory),
    };
  }
}

const isSame = (one: StrikeResult, other: StrikeResult): boolean => JSON.stringify(one) === JSON.stringify(other);
