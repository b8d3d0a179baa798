/** `netvsim replay`: an order that was kept, run again: does it still find what it found? */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { identityOf } from '../explore/fingerprint.ts';
import { Replay } from '../explore/replay.ts';
import { keyOf } from '../explore/scenario-program.ts';
import type { Choice, Schedule } from '../explore/schedule.ts';
import { mismatch } from '../explore/schedule-text.ts';
import { type Story, tellStory } from '../explore/story.ts';
import { formatReplay, sayMachine } from '../report/exploration.ts';
import { storyAsHtml } from '../report/story-html.ts';
import { formatSwimLanes } from '../report/swim-lanes.ts';
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
import { makeSearched, type Searched, wholeOrderOf } from './searched.ts';
import { columns, complain, print, wantsColour } from './terminal.ts';
import { checkOutputs, writeFile } from './write-file.ts';

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
  // A run that was given up could not come to the end of its order.
  const misfit = verdict.stop === 'steps' ? undefined : follow.misfit;
  if (misfit !== undefined) throw new InputError(`${file}: does not fit this run: ${misfit}`);
  const found = verdict.failures.map((failure) => ({ key: keyOf(failure), text: failure.found }));
  print(formatReplay({ ...schedule, file }, found, verdict.limit));
  const searched = { scenario, anyTime: schedule.time === 'any', stepsMax: flags.maxSteps };
  const story = storyOf(searched, follow.searched, schedule.finds);
  if (story !== undefined) print(`\n${formatSwimLanes(story, { colour: wantsColour(), width: columns() })}`);
  if (flags.html !== undefined) {
    if (story !== undefined) writeFile(flags.html, asPage(story, schedule));
    else complain(`${flags.html} is not written: there is nothing to show`);
  }
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

/**
 * The story of what was found, of things that the order is to find the last: the first ones may be in every order.
 * Undefined where it does not come from the part that is searched.
 */
function storyOf(searched: Searched, order: readonly Choice[], finds: readonly string[]): Story | undefined {
  const found = wholeOrderOf(searched, order).finds;
  const key = finds.findLast((each) => found.includes(each)) ?? found[0];
  return key === undefined ? undefined : tellStory(makeSearched(searched), order, key);
}

function asPage(story: Story, schedule: Schedule): string {
  const often = 'one order, which was kept';
  return storyAsHtml(story, {
    scenario: schedule.scenario,
    machine: sayMachine(schedule),
    often,
    again: reproduction(),
  });
}
