/**
 * The fail-over drill: a NIC firmware update under a machine with traffic, with figures. A steady while, the VFs go,
 * the update, the VFs come back, a steady while again (reference E.1, E.5).
 */
import { assert } from '../base/assert.ts';
import { mac } from '../base/mac.ts';
import { formatDuration, formatMoment, ms, type Nanoseconds, seconds } from '../base/time.ts';
import type { RevokeOrder } from '../host/action.ts';
import type { Plan } from '../machine/plan.ts';
import { bindingOn } from '../scenario/invariants/invariants.ts';
import { type RunOptions, runScenario, type StageMaker } from '../scenario/run.ts';
import { type Scenario, USUAL_SYNTHETIC } from '../scenario/scenario.ts';
import type { Stage } from '../scenario/stage.ts';
import { stepsFrom } from '../scenario/step.ts';
import type { Verdict } from '../scenario/verdict.ts';
import { familyIn, type Vocabulary } from '../scenario/vocabulary.ts';
import type { Used } from '../sim/latency.ts';
import type { Event } from '../trace/event.ts';
import { figuresOf, type Gaps, PhaseClock, type PhaseFigures, worstGap } from './figures.ts';
import { PathMonitor } from './path-monitor.ts';

export interface DrillOptions {
  readonly guest: string;
  /** Model of the VFs. */
  readonly vf: string;
  readonly order: RevokeOrder;
  /** From the revoke until the VFs come back. */
  readonly gap: Nanoseconds;
  readonly times: number;
  readonly nics: number;
  readonly transport: Plan['transport'];
  /** Budgets; what is above fails the drill. */
  readonly maxGap: Nanoseconds | undefined;
  readonly maxLoss: number | undefined;
}

export const USUAL_DRILL = { order: 'eject-first', gap: seconds(64), times: 1, nics: 1, vf: 'mlx5' } as const;

export interface DrillResult {
  readonly exit: 0 | 1 | 3;
  readonly verdict: Verdict;
  readonly phases: readonly PhaseFigures[];
  /** The longest span without a path from the first revoke on; undefined when there was none. */
  readonly worst: Gaps | undefined;
  /** Frames that never arrived, both ways, over the whole drill. */
  readonly lost: number;
  /** What was over its budget, in words. */
  readonly overBudget: readonly string[];
  /** The delays that the figures come from: a model's, not a measurement. */
  readonly modelled: readonly Used[];
}

const STEADY = seconds(5);
const ECHO_EVERY = ms(10);
const STREAM_EVERY = ms(5);
/** How much longer than its gap one round may take before the drill has failed. */
const ROUND_SLACK = seconds(300);

/** The drill as a scenario: the same verbs as in a file. */
export function drillScenario(options: DrillOptions, vocabulary: Vocabulary): Scenario {
  const nics = Array.from({ length: options.nics }, (_, i) => `nic${i + 1}`);
  const steps = stepsFrom(drillSteps(options, nics), { ...vocabulary, nics, nicsWithVf: nics, flows: [] });
  const family = familyIn(vocabulary, options.guest);
  const { observers, modules } = vocabulary.guests[family];
  assert('length' in steps, `the drill makes a step that does not read: ${JSON.stringify(steps)}`);
  return {
    name: 'drill firmware-update',
    about: 'A firmware update of the NICs under traffic.',
    plan: {
      guest: options.guest,
      fixes: {},
      nics: nics.map((name, i) => ({
        name,
        mac: mac(`00:0d:3a:00:${hexPair((i + 1) >> 8)}:${hexPair((i + 1) & 0xff)}`),
        vf: options.vf,
        synthetic: USUAL_SYNTHETIC,
        serial: i + 1,
        pciSerial: i + 1,
      })),
      user: observers.filter((observer) => observer === 'udev'),
      modules,
      latency: {},
      transport: options.transport,
    },
    needs: ['vpci'],
    steps,
    ...bindingOn(family, undefined, false),
  };
}

const hexPair = (byte: number): string => byte.toString(16).padStart(2, '0');

function drillSteps(options: DrillOptions, nics: readonly string[]): readonly string[] {
  const each = (line: (nic: string) => string): readonly string[] => nics.map(line);
  const { order, times } = options;
  const gap = `${options.gap}ns`;
  const patience = `${Math.min((options.gap + ROUND_SLACK) * times, seconds(29 * 86_400))}ns`;
  return [
    ...each((nic) => `+0ms host offer ${nic}`),
    ...each((nic) => `~30s expect ${nic} is present`),
    ...each((nic) => `+0ms guest up ${nic}`),
    ...each((nic) => `+0ms host plug vf of ${nic}`),
    ...each((nic) => `~60s expect datapath of ${nic} is vf`),
    '# The first frames ask for addresses; a moment later all is steady.',
    ...each((nic) => `+0ms flow echo on ${nic} every ${ECHO_EVERY}ns`),
    ...each((nic) => `+0ms flow stream on ${nic} every ${STREAM_EVERY}ns`),
    `+${STEADY}ns host update firmware by ${order} gap ${gap} times ${times}`,
    `~${patience} expect servicing done`,
    ...each((nic) => `~60s expect datapath of ${nic} is vf`),
    `+0ms expect datapath of nic1 is vf # the steady time counts from here`,
    `+${STEADY}ns expect datapath of nic1 is vf`,
    ...each((nic) => `+0ms flow stop echo-${nic}`),
    ...each((nic) => `+0ms flow stop stream-${nic}`),
  ];
}

/** Runs the drill and makes its figures. */
export function runFirmwareUpdate(
  options: DrillOptions,
  vocabulary: Vocabulary,
  makeStage: StageMaker,
  run: RunOptions & { readonly onPhase?: (phase: string, round: number) => void } = {},
): DrillResult {
  const scenario = drillScenario(options, vocabulary);
  const looksAtVf = familyIn(vocabulary, options.guest) === 'linux';
  const monitors = scenario.plan.nics.map((nic) => new PathMonitor(nic.name, { looksAtVf }));
  const clock = new PhaseClock();
  const listener = (event: Event): void => {
    for (const monitor of monitors) monitor.see(event);
    clock.see(event);
    if (event.kind === 'servicing.phase') run.onPhase?.(event.phase, event.round);
  };
  const listeners = [...(run.listeners ?? []), listener];
  const { verdict, stage } = runScenario(scenario, makeStage, { ...run, listeners });
  const phases = clock.spans(verdict.endTime);
  const updateBegan = phases.find((phase) => phase.name === 'revoke')?.from ?? verdict.endTime;
  const steadyEnds = phases.at(-1)?.to ?? verdict.endTime;
  const worst = worstGap(monitors, updateBegan, steadyEnds);
  const lost = framesLost(stage);
  const overBudget = judgeBudgets(options, worst, lost);
  const exit = verdict.exit === 0 && overBudget.length > 0 ? 1 : verdict.exit;
  const modelled = stage.latency?.used ?? [];
  const figures = figuresOf(phases, monitors, stage.sim.trace.frames);
  return { exit, verdict, phases: figures, worst, lost, overBudget, modelled };
}

function framesLost(stage: Stage): number {
  const { frames } = stage.sim.trace;
  const flows = frames.names().map((name) => frames.flow(name));
  return flows.reduce((sum, { tx, rx }) => sum + tx.lost().length + rx.lost().length, 0);
}

function judgeBudgets(options: DrillOptions, worst: Gaps | undefined, lost: number): readonly string[] {
  const over: string[] = [];
  if (options.maxGap !== undefined && worst !== undefined && worst.span > options.maxGap) {
    const where = `${worst.nic} could not ${worst.direction === 'tx' ? 'send' : 'receive'} from ${formatMoment(worst.from)} s`;
    over.push(`${where} for ${formatDuration(worst.span)}; the budget is ${formatDuration(options.maxGap)}`);
  }
  if (options.maxLoss !== undefined && lost > options.maxLoss) {
    over.push(`${lost} frames were lost; the budget is ${options.maxLoss}`);
  }
  return over;
}
