/** `netvsim boot --scenario`: the same scenario file as `netvsim run`, on a real kernel. */

import { runAsJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { formatTimeline, formatVerdict } from '../report/timeline.ts';
import { runScenario } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { formatFailure, type Verdict } from '../scenario/verdict.ts';
import { encodeTrace, type TraceHeader } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';
import { prepareGuest } from '../vm/boot.ts';
import { type BootImages, readBootImages } from '../vm/kernel/images.ts';
import type { RealMachine } from '../vm/real-machine.ts';
import type { PreparedGuest } from '../vm/stage/prepared-guest.ts';
import { RealStage } from '../vm/stage/real-stage.ts';
import { whatDiffers } from '../vm/stage/what-differs.ts';
import { startMachine } from '../vm/start.ts';
import { EXIT, InputError } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { CATALOGUE } from './model.ts';
import { scenarioFile, version } from './package-files.ts';
import { clearProgress, Progress, showProgress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { loadFile } from './run.ts';
import { complain, print, wantsColour } from './terminal.ts';
import { checkOutputs, writeFile } from './write-file.ts';

/** With less the guest has no room for the buffers of two NICs, and with more netvsim takes too much itself. */
export const MEMORY_MB = { least: 128, usual: 192, most: 1024 } as const;

export interface BootScenarioFlags {
  /** Where netvsim keeps kernel and snapshots. */
  readonly cache: string;
  readonly kernel?: string | undefined;
  readonly modules?: string | undefined;
  readonly initrd?: string | undefined;
  readonly memory: number;
  readonly cold?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly junit?: string | undefined;
  readonly trace?: string | undefined;
  readonly verbose?: boolean | undefined;
  readonly maxSteps?: number | undefined;
}

/** Runs it and reports; the exit code is that of `netvsim run`. */
export async function bootScenario(given: string, flags: BootScenarioFlags): Promise<number> {
  const file = scenarioFile(given);
  checkOutputs({ '--junit': flags.junit, '--trace': flags.trace }, [file]);
  const scenario = loadFile(file, {});
  const images = imagesOf(flags);
  const { notes, refusals, judged } = whatDiffers(scenario, images.release);
  if (refusals.length > 0) throw InputError.of(refusals.map((refusal) => ({ file, ...refusal })));
  const machine = await machineFor(scenario, images, flags);
  if (typeof machine === 'number') return machine;
  const guest = prepareGuest(machine);
  if (!guest.ok) {
    complain([guest.error.text, ...guest.error.tail].join('\n'));
    return EXIT.failed;
  }
  const { verdict, events, more } = carryOut({ ...scenario, always: judged }, guest.value, flags);
  const header = {
    scenario: scenario.name,
    guest: `linux-${images.release}`,
    transport: 'bytes',
    schedule: '',
    netvsim: version(),
  };
  if (flags.trace !== undefined) writeFile(flags.trace, encodeTrace({ header, events }));
  if (flags.junit !== undefined) writeFile(flags.junit, junitOf(header, verdict));
  report(header, verdict, { events, notes: [...notes, ...more] }, flags);
  if (verdict.exit !== 0) complain(`reproduce with: ${reproduction()}`);
  return verdict.exit;
}

/** What it boots from. An input error where that is not there or does not fit. */
export function imagesOf({ cache, kernel, modules, initrd }: BootScenarioFlags): BootImages {
  if (initrd !== undefined) throw new InputError('--initrd: a scenario needs the programs of netvsim in the guest');
  const own = {
    ...(kernel === undefined ? {} : { kernel }),
    ...(modules === undefined ? {} : { modules }),
  };
  const images = readBootImages({ cache, ...own });
  if (!images.ok) throw new InputError(images.error);
  return images.value;
}

/** The machine with its guest at the shell, or the exit code of what came of that. */
async function machineFor(
  { plan }: Scenario,
  images: BootImages,
  { cache, memory: memoryMb, cold = false }: BootScenarioFlags,
): Promise<RealMachine | number> {
  const stop = new AbortController();
  const ignore = onInterrupt(() => stop.abort());
  const tell = (now: number): void => {
    if (process.stderr.isTTY) showProgress(`booting ${images.release}, ${(now / 1e9).toFixed(1)} s of its time`);
  };
  const worker = new URL('./boot-worker.js', import.meta.url);
  const options = { plan, catalogue: CATALOGUE, images, memoryMb, cache, cold, worker, tell, signal: stop.signal };
  const started = await startMachine({ ...options, forStage: true });
  ignore();
  clearProgress();
  if (started.ok) {
    if (started.value.notKept !== undefined) complain(started.value.notKept);
    return started.value.machine;
  }
  const { whose, text, tail } = started.error;
  if (whose === 'input') throw new InputError(text);
  complain([text, ...tail].join('\n'));
  return whose === 'aborted' ? EXIT.interrupted : EXIT.failed;
}

interface Outcome {
  readonly verdict: Verdict;
  readonly events: readonly Event[];
  /** What is to be said of the run beside its verdict. */
  readonly more: readonly string[];
}

function carryOut(scenario: Scenario, guest: PreparedGuest, { maxSteps }: BootScenarioFlags): Outcome {
  const events: Event[] = [];
  const progress = new Progress();
  const { verdict, stage } = runScenario(scenario, (plan, { trace }) => new RealStage(guest, plan, trace), {
    listeners: [(event) => events.push(event)],
    stepsMax: maxSteps,
    onProgress: (sim) => progress.see(sim),
  });
  progress.end();
  return { verdict, events, more: stage.remarks };
}

function junitOf(header: TraceHeader, verdict: Verdict): string {
  const failures = verdict.failures.map(formatFailure);
  const one = { name: header.scenario, group: header.guest, time: verdict.endTime, failures, error: verdict.limit };
  return formatJunit('netvsim boot', [one]);
}

interface Told {
  readonly events: readonly Event[];
  readonly notes: readonly string[];
}

function report(header: TraceHeader, verdict: Verdict, { events, notes }: Told, flags: BootScenarioFlags): void {
  if (flags.json === true) {
    print(runAsJson(header, verdict, events, notes));
    return;
  }
  const colour = wantsColour();
  print(formatVerdict(header, verdict, colour));
  print(notes.map((note) => `  here: ${note}\n`).join(''));
  print(`\n${formatTimeline(events, { colour, verbose: flags.verbose === true })}`);
}
