/** What all strikes into one stretch of a scenario begin with: the machine as it is before the stretch, and its past. */
import { err, ok, type Result } from '../../base/result.ts';
import { seconds } from '../../base/time.ts';
import { Performance } from '../../scenario/performance.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { formatFailure } from '../../scenario/verdict.ts';
import type { Event } from '../../trace/event.ts';
import { Recorder } from '../../trace/recorder.ts';
import type { RealMachine } from '../real-machine.ts';
import { sayEnd } from '../run-end.ts';
import { FOLDER } from '../stage/guest-files.ts';
import { PreparedGuest } from '../stage/prepared-guest.ts';
import { RealStage } from '../stage/real-stage.ts';
import type { Stretch } from './stretch.ts';

/** Plain data, to be sent to whoever goes on from it. */
export interface Ground {
  /** Of the machine. */
  readonly snapshot: Uint8Array;
  readonly guest: PreparedState;
  /** What host and bus had told until then. */
  readonly past: readonly Event[];
}

/** What netvsim knows of its scripts in the guest. */
interface PreparedState {
  readonly release: string;
  readonly problem: string | undefined;
  readonly missing: readonly string[];
}

/** How long the steps before a stretch may take. Invented. */
const PATIENCE = seconds(600);

/**
 * Carries out what comes before a stretch, in a guest that has done nothing yet, and keeps the machine.
 * Errors: a step fails or does not come back, or what still runs cannot be kept.
 */
export function makeGround(
  guest: PreparedGuest,
  scenario: Scenario,
  { before, into }: Stretch,
): Result<Ground, string> {
  const { machine } = guest;
  const past: Event[] = [];
  machine.sim.trace.listen((event) => past.push(event));
  const stage = new RealStage(guest, scenario.plan, new Recorder());
  const performance = new Performance({ ...scenario, steps: before }, stage);
  const end = machine.runUntil(() => performance.over, { time: PATIENCE });
  const [failure] = performance.failures;
  if (failure !== undefined) return err(formatFailure(failure));
  if (machine.ended !== undefined) return err(sayEnd(machine, machine.ended));
  if (end !== 'held') return err(`"${performance.doing}" does not come to its end (${end})`);
  // Commands of later runs are counted from 1 again.
  const cleared = machine.runTask('tidying', guest.run(`rm -f ${FOLDER}/job-*`), { time: PATIENCE });
  if (machine.ended !== undefined) return err(sayEnd(machine, machine.ended));
  if (!cleared.ok) return err(`the guest does not go on (${cleared.error})`);
  const saved = machine.save();
  if (!saved.ok) return err(`before line ${into.line}: ${saved.error}`);
  const { release, record } = guest;
  return ok({ snapshot: saved.value, guest: { release, problem: record.problem, missing: record.missing }, past });
}

/** The guest of a machine that goes on from a ground. */
export function guestOn(machine: RealMachine, { guest: { release, problem, missing } }: Ground): PreparedGuest {
  const guest = new PreparedGuest(machine);
  guest.release = release;
  guest.record.problem = problem;
  guest.record.missing = missing;
  return guest;
}
