/**
 * Runs a scenario on the modelled guest and on the real kernel, and holds the two together. The model takes the profile of
 * the kernel that is there, and messages as bytes, as the real one has them.
 */
import { ok, type Result } from '../../base/result.ts';
import { ms, us } from '../../base/time.ts';
import type { Catalogue } from '../../host/plan.ts';
import { Machine } from '../../machine/machine.ts';
import type { Plan } from '../../machine/plan.ts';
import type { ComparedRun, Comparison } from '../../report/compare.ts';
import { ModelStage } from '../../scenario/model-stage.ts';
import { runScenario } from '../../scenario/run.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { formatFailure, type Verdict } from '../../scenario/verdict.ts';
import type { Event } from '../../trace/event.ts';
import { type BootFailure, prepareGuest } from '../boot.ts';
import type { BootImages } from '../kernel/images.ts';
import type { PreparedGuest } from '../stage/prepared-guest.ts';
import { RealStage } from '../stage/real-stage.ts';
import { whatDiffers } from '../stage/what-differs.ts';
import { startMachine } from '../start.ts';
import type { KnownDifferences } from './known-differences.ts';
import { sideBySide } from './side-by-side.ts';

/** The profile that is the stable tree of the kernel that `netvsim kernel install` fetches. */
export const COMPARED_PROFILE = 'linux-6.1';
/** What is never compared. */
const NOT_COMPARED = 'not compared: times, the names of interfaces, what is said over vPCI';
/**
 * What the model's VFs take, for they stand for the emulated cards: as long as those were seen to take, so that what
 * happens at a moment of the scenario meets both guests at the same point of their work.
 */
const CARD: Plan['latency'] = { 'vf.probe': ms(4), 'vf.link': us(1), 'vf.stop': us(1) };
/** That of the snapshots that `netvsim boot` keeps. */
const MEMORY_MB = 192;

export interface ComparePlan {
  /** Of the guest {@link COMPARED_PROFILE}, with messages as bytes. */
  readonly scenario: Scenario;
  readonly catalogue: Catalogue;
  readonly images: BootImages;
  readonly cache: string;
  readonly known: KnownDifferences;
  /** Boots a guest that is to be kept: see `startMachine`. */
  readonly worker?: URL;
  readonly tell?: (what: string) => void;
  readonly signal?: AbortSignal;
}

/** Errors: the real kernel could not be started. */
export async function compare(plan: ComparePlan): Promise<Result<Comparison, BootFailure>> {
  const { scenario, images, known } = plan;
  const started = await start(plan);
  if (!started.ok) return started;
  const model: Event[] = [];
  const { plan: machine } = scenario;
  const cards = { ...scenario, plan: { ...machine, latency: { ...CARD, ...machine.latency } } };
  const modelled = runScenario(cards, (of, options) => new ModelStage(new Machine(of, plan.catalogue, options)), {
    listeners: [(event) => model.push(event)],
  });
  const real: Event[] = [];
  const guest = started.value;
  const begun = guest.machine.now;
  const { judged, notes } = whatDiffers(scenario, images.release);
  const ran = runScenario({ ...scenario, always: judged }, (of, { trace }) => new RealStage(guest, of, trace), {
    // What it said before is no part of the run.
    listeners: [(event) => event.time >= begun && real.push(event)],
  });
  const nics = scenario.plan.nics.map((nic) => nic.name);
  return ok({
    scenario: scenario.name,
    model: runOf(scenario.plan.guest, modelled.verdict),
    real: runOf(images.release, ran.verdict),
    notes: [...notes, NOT_COMPARED, ...ran.stage.remarks],
    channels: sideBySide({ nics, user: machine.user, model, real }, known),
  });
}

/** Why a scenario says nothing about the real kernel, a line each; none when it does. */
export const incomparable = (scenario: Scenario): readonly string[] =>
  whatDiffers(scenario, '').refusals.map(({ line, message }) =>
    line === undefined ? message : `line ${line}: ${message}`,
  );

async function start({
  scenario,
  catalogue,
  images,
  cache,
  worker,
  tell,
  signal,
}: ComparePlan): Promise<Result<PreparedGuest, BootFailure>> {
  const started = await startMachine({
    plan: scenario.plan,
    catalogue,
    images,
    memoryMb: MEMORY_MB,
    cache,
    forStage: true,
    tell: () => tell?.(`booting ${images.release}`),
    ...(worker === undefined ? {} : { worker }),
    ...(signal === undefined ? {} : { signal }),
  });
  return started.ok ? prepareGuest(started.value.machine) : started;
}

const runOf = (guest: string, { exit, failures, limit }: Verdict): ComparedRun => ({
  guest,
  exit,
  failures: [...failures.map(formatFailure), ...(limit === undefined ? [] : [limit])],
});
