/** `netvsim replay`: an order that was kept, run again: does it still find what it found? */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { identityOf } from '../explore/fingerprint.ts';
import { Replay } from '../explore/replay.ts';
import { keyOf } from '../explore/scenario-program.ts';
import { mismatch, type Schedule } from '../explore/schedule.ts';
import { formatReplay } from '../report/exploration.ts';
import { formatTimeline } from '../report/timeline.ts';
import { unknownName } from '../scenario/problem.ts';
import { runScenario } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Event } from '../trace/event.ts';
import { InputError } from './input-error.ts';
import { makeStage, VOCABULARY } from './model.ts';
import { stepCount } from './options.ts';
import { scenarioFile } from './package-files.ts';
import { reproduction } from './reproduction.ts';
import { loadFile } from './run.ts';
import { readSchedule } from './schedule-file.ts';
import { complain, print, wantsColour } from './terminal.ts';
import { checkOutputs } from './write-file.ts';

interface ReplayFlags {
  readonly scenario?: string;
  readonly lenient?: true;
  readonly html?: string;
  readonly verbose?: true;
  readonly maxSteps?: number;
}

export function addReplay(program: Command, end: (exit: number) => void): void {
  program
    .command('replay')
    .description('run an order of events again that explore or run has recorded')
    .argument('<file>', 'an order of events (netvsim explore --record)')
    .option('--scenario <file>', 'where its scenario is now, if it is not where it was')
    .option(
      '--lenient',
      'go on where scenario or order were changed: what cannot run waits until it can, or is left out',
    )
    .option('--html <file>', 'write a page that shows what is found')
    .option('--verbose', 'show every event of the run, set-up and traffic too')
    .addOption(stepCount())
    .addHelpText(
      'after',
      `
Ends with 1 when it finds something, and with 0 when all holds now.

Examples:
  netvsim replay my.order   # exits 1
  netvsim replay my.order --lenient --verbose   # exits 1`,
    )
    .action((file: string, flags: ReplayFlags) => end(replay(file, flags)));
}

function replay(file: string, flags: ReplayFlags): number {
  const lenient = flags.lenient === true;
  const schedule = readSchedule(file, { edited: lenient });
  const given = scenarioFile(flags.scenario ?? schedule.file);
  checkOutputs({ '--html': flags.html }, [file, given]);
  const scenario = loadScenarioOf(file, schedule, given, lenient);
  const follow = new Replay(scenario, schedule, lenient);
  const events: Event[] = [];
  const { strategy } = follow;
  const listeners = [(event: Event) => events.push(event)];
  const { verdict } = runScenario(scenario, makeStage, { strategy, listeners, stepsMax: flags.maxSteps });
  const { misfit } = follow;
  if (misfit !== undefined) throw new InputError(`${file}: does not fit this run: ${misfit}`);
  const found = verdict.failures.map((failure) => ({ key: keyOf(failure), text: failure.found }));
  print(formatReplay({ ...schedule, file }, found, verdict.limit));
  if (flags.verbose === true) print(`\n${formatTimeline(events, { colour: wantsColour(), verbose: true })}`);
  if (verdict.exit !== 0) complain(`reproduce with: ${reproduction()}`);
  return verdict.exit;
}

/** The scenario that the order is one of, as it was run then. */
function loadScenarioOf(file: string, schedule: Schedule, given: string, lenient: boolean): Scenario {
  const { guest, without, transport } = schedule;
  if (!existsSync(given)) {
    throw new InputError(`${file}: is an order of ${schedule.file}, which is not there: --scenario says where it is`);
  }
  const unknown = without.find((fix) => !VOCABULARY.fixes.includes(fix));
  if (unknown !== undefined) throw new InputError(`${file}: ${unknownName('fix', unknown, VOCABULARY.fixes)}`);
  const scenario = loadFile(given, { guest, without, transport });
  const problem = mismatch(schedule, identityOf(scenario, without));
  if (problem === undefined) return scenario;
  if (!lenient || schedule.scenario !== scenario.name) throw new InputError(`${file}: ${problem}`);
  complain(`${file}: ${problem}`);
  return scenario;
}
