/**
 * Runs a scenario on the modelled guest and on the real kernel, and holds the two together. The model takes the profile of
 * the kernel that is there, and messages as bytes, as the real one has them.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { seconds } from '../../base/time.ts';
import type { Catalogue } from '../../host/plan.ts';
import { Machine } from '../../machine/machine.ts';
import type { ComparedRun, Comparison } from '../../report/compare.ts';
import { ModelStage } from '../../scenario/model-stage.ts';
import { runScenario } from '../../scenario/run.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { formatFailure, type Verdict } from '../../scenario/verdict.ts';
import type { Event } from '../../trace/event.ts';
import type { BootFailure } from '../boot.ts';
import type { BootImages } from '../kernel/images.ts';
import { PreparedGuest } from '../stage/prepared-guest.ts';
import { RealStage } from '../stage/real-stage.ts';
import { startMachine } from '../start.ts';
import type { KnownDifferences } from './known-differences.ts';
import { sideBySide } from './side-by-side.ts';

/** The profile that is the stable tree of the kernel that `netvsim kernel install` fetches. */
export const COMPARED_PROFILE = 'linux-6.1';
/** What is never compared. */
const NOTES = [
  'not compared: times, interface names, what vPCI says (the real guest has none: its VFs come by ACPI hot-plug)',
];
/** That of the snapshots that `netvsim boot` keeps. */
const MEMORY_MB = 192;
/** How long the guest may take to get its scripts and to switch its record on. Invented. */
const PREPARING = seconds(60);

export interface ComparePlan {
  /** Of the guest {@link COMPARED_PROFILE}, with messages as bytes. */
  readonly scenario: Scenario;
  /** The name of its file, by which known differences call it. */
  readonly name: string;
  readonly catalogue: Catalogue;
  readonly images: BootImages;
  readonly cache: string;
  readonly known: KnownDifferences;
  readonly tell?: (what: string) => void;
  readonly signal?: AbortSignal;
}

/** Errors: the real kernel could not be started. */
export async function compare(plan: ComparePlan): Promise<Result<Comparison, BootFailure>> {
  const { scenario, name, images, known } = plan;
  const started = await start(plan);
  if (!started.ok) return started;
  const model: Event[] = [];
  const modelled = runScenario(scenario, (of, options) => new ModelStage(new Machine(of, plan.catalogue, options)), {
    listeners: [(event) => model.push(event)],
  });
  const real: Event[] = [];
  const guest = started.value;
  const begun = guest.machine.now;
  const ran = runScenario(scenario, (of, { trace }) => new RealStage(guest, of, trace), {
    // What it said before is no part of the run.
    listeners: [(event) => event.time >= begun && real.push(event)],
  });
  const nics = scenario.plan.nics.map((nic) => nic.name);
  return ok({
    scenario: scenario.name,
    model: runOf(scenario.plan.guest, modelled.verdict),
    real: runOf(images.release, ran.verdict),
    notes: NOTES,
    channels: sideBySide({ scenario: name, nics, model, real }, known),
  });
}

/** Why a scenario says nothing about the real kernel; undefined when it does. */
export function incomparable({ plan, needs }: Scenario): string | undefined {
  const lacking = needs.filter((need) => need !== 'virtual-time' && need !== 'observers');
  if (lacking.length > 0) return `needs ${lacking.join(', ')}, which the real kernel does not have here`;
  const off = Object.entries(plan.fixes).flatMap(([fix, on]) => (on ? [] : [fix]));
  if (off.length > 0) return `switches ${off.join(', ')} off, which the real kernel has`;
  return undefined;
}

async function start({
  scenario,
  catalogue,
  images,
  cache,
  tell,
  signal,
}: ComparePlan): Promise<Result<PreparedGuest, BootFailure>> {
  const booting = (): void => tell?.('booting');
  const options = { plan: scenario.plan, catalogue, images, memoryMb: MEMORY_MB, cache, tell: booting };
  const started = await startMachine(signal === undefined ? options : { ...options, signal });
  if (!started.ok) return started;
  const guest = new PreparedGuest(started.value.machine);
  const prepared = guest.machine.runTask('preparation', guest.prepare(), { time: PREPARING });
  if (prepared.ok) return ok(guest);
  const text = `the guest cannot be prepared: ${prepared.error}`;
  return err({ whose: 'guest', text, tail: guest.machine.console.tail() });
}

const runOf = (guest: string, { exit, failures, limit }: Verdict): ComparedRun => ({
  guest,
  exit,
  failures: [...failures.map(formatFailure), ...(limit === undefined ? [] : [limit])],
});
