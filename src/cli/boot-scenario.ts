/** `netvsim boot --scenario`: the same scenario file as `netvsim run`, on a real kernel. */

import { seconds } from '../base/time.ts';
import { runAsJson } from '../report/json.ts';
import { formatTimeline, formatVerdict } from '../report/timeline.ts';
import { runScenario } from '../scenario/run.ts';
import { encodeTrace } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';
import { cacheFolder } from '../vm/kernel/cache.ts';
import { readBootImages } from '../vm/kernel/images.ts';
import { RealMachine } from '../vm/real-machine.ts';
import { PreparedGuest } from '../vm/stage/prepared-guest.ts';
import { RealStage } from '../vm/stage/real-stage.ts';
import { InputError } from './input-error.ts';
import { CATALOGUE } from './model.ts';
import { scenarioFile, version } from './package-files.ts';
import { loadFile } from './run.ts';
import { print, wantsColour } from './terminal.ts';
import { writeFile } from './write-file.ts';

export interface BootScenarioFlags {
  readonly cache?: string;
  readonly kernel?: string;
  readonly modules?: string;
  readonly initrd?: string;
  readonly json?: true;
  readonly trace?: string;
  readonly junit?: string;
  readonly verbose?: true;
}

/** Runs it and reports; the exit code is that of `netvsim run`. */
export async function bootScenario(given: string, flags: BootScenarioFlags): Promise<number> {
  const file = scenarioFile(given);
  const scenario = loadFile(file, {});
  const images = readBootImages({ cache: flags.cache ?? cacheFolder(process.env), ...flags });
  if (!images.ok) throw new InputError(images.error);
  const machine = await RealMachine.create(scenario.plan, CATALOGUE, images.value);
  if (!machine.ok) throw new InputError(machine.error);
  const guest = new PreparedGuest(machine.value);
  machine.value.runTask('preparation', guest.prepare(), { time: seconds(120) });
  const events: Event[] = [];
  const { verdict } = runScenario(scenario, (plan, { trace }) => new RealStage(guest, plan, trace), {
    listeners: [(event) => events.push(event)],
  });
  const { release } = images.value;
  const header = { scenario: scenario.name, guest: release, transport: 'bytes', schedule: '', netvsim: version() };
  if (flags.trace !== undefined) writeFile(flags.trace, encodeTrace({ header, events }));
  if (flags.json === true) print(runAsJson(header, verdict, events));
  else {
    const colour = wantsColour();
    print(formatVerdict(header, verdict, colour));
    print(`\n${formatTimeline(events, { colour, verbose: flags.verbose === true })}`);
  }
  return verdict.exit;
}
