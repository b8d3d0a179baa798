/** `netvsim run`: one scenario, in one order. */
import { type Command, Option } from 'commander';
import { identityOf } from '../explore/fingerprint.ts';
import { FollowLeniently } from '../explore/follow-leniently.ts';
import { RecordOrder } from '../explore/record-order.ts';
import { Replay } from '../explore/replay.ts';
import { keyOf, windowOf } from '../explore/scenario-program.ts';
import { type Choice, formatChoices, type Identity } from '../explore/schedule.ts';
import { familyOf, GUESTS } from '../machine/guests.ts';
import { runAsJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { formatTimeline, formatVerdict } from '../report/timeline.ts';
import { loadScenario, type Overrides } from '../scenario/load.ts';
import { withoutFixes } from '../scenario/race.ts';
import { type Run, runScenario } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { formatFailure, type Verdict } from '../scenario/verdict.ts';
import { RunOn, type Strategy } from '../sim/strategy.ts';
import { encodeTrace, type TraceHeader } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';
import type { Listener } from '../trace/recorder.ts';
import { InputError } from './input-error.ts';
import { logEvents } from './log.ts';
import { makeStage, VOCABULARY } from './model.ts';
import { logLevel, order, stepCount, timeChoice, transport, withoutFix } from './options.ts';
import { readScenario, scenarioFile, version } from './package-files.ts';
import { Progress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { checkFits, readSchedule, writeSchedule } from './schedule-file.ts';
import { complain, print, wantsColour } from './terminal.ts';
import { checkOutputs, writeFile } from './write-file.ts';

interface RunFlags {
  readonly guest?: string;
  readonly without: readonly string[];
  readonly transport?: 'direct' | 'bytes';
  readonly order?: readonly Choice[];
  readonly time: 'idle' | 'any';
  readonly schedule?: string;
  readonly record?: string;
  readonly json?: true;
  readonly junit?: string;
  readonly trace?: string;
  readonly verbose?: true;
  readonly logLevel: string;
  readonly maxSteps?: number;
}

export function addRun(program: Command, end: (exit: number) => void): void {
  program
    .command('run')
    .description('run a scenario and judge it')
    .argument('<file>', 'a scenario file, or the name of a shipped one (see netvsim list scenarios)')
    .option('--guest <profile>', 'another guest than the file says')
    .addOption(withoutFix())
    .addOption(transport())
    .addOption(
      new Option('--order <choices>', "where its orders are searched let these go first: 'manager*2 udevd'")
        .argParser(order)
        .conflicts('schedule'),
    )
    .addOption(timeChoice('of --order: '))
    .option('--schedule <file>', 'run the order of events in this file')
    .option('--record <file>', 'write the order of events to this file')
    .option('--json', 'print the verdict and every event as JSON')
    .option('--junit <file>', 'write the verdict as JUnit XML')
    .option('--trace <file>', 'write a trace file (see netvsim trace)')
    .option('--verbose', 'show set-up and traffic too')
    .addOption(logLevel())
    .addOption(stepCount())
    .addHelpText(
      'after',
      `
Examples:
  netvsim run vf-plug-join
  netvsim run vf-seen-before-join --guest linux-5.15   # exits 1
  netvsim run my.yaml --trace my.trace --junit report.xml`,
    )
    .action((file: string, flags: RunFlags) => end(run(file, flags)));
}

/** What a command line can say of a scenario beside its file. */
type Changes = Overrides & { readonly without?: readonly string[] };

export function loadFile(file: string, { guest, transport, without = [] }: Changes): Scenario {
  const loaded = loadScenario(readScenario(file), file, VOCABULARY, { guest, transport });
  if (!loaded.ok) throw InputError.of(loaded.error);
  const { guest: profile } = loaded.value.plan;
  const { title, fixes } = GUESTS[familyOf(profile)];
  const foreign = without.find((fix) => fixes[fix] === undefined);
  if (foreign !== undefined) throw new InputError(`--without: ${foreign} is no fix of ${title}, which ${profile} is`);
  return withoutFixes(loaded.value, without);
}

function run(given: string, flags: RunFlags): number {
  const file = scenarioFile(given);
  const { record, junit, trace } = flags;
  checkOutputs({ '--record': record, '--junit': junit, '--trace': trace }, [file, flags.schedule]);
  const scenario = loadFile(file, flags);
  const identity = identityOf(scenario, flags.without);
  if (flags.time === 'any' && flags.order === undefined) throw new InputError('--time any is for an --order');
  const followed = follow(scenario, identity, flags);
  const inner = followed?.strategy ?? new RunOn();
  const recorded = flags.record === undefined ? undefined : new RecordOrder(inner);
  const events: Event[] = [];
  const listeners: Listener[] = [(event) => events.push(event)];
  if (flags.logLevel !== 'silent') listeners.push(logEvents(flags.logLevel));
  const { verdict } = carryOut(scenario, { strategy: recorded ?? inner, listeners, stepsMax: flags.maxSteps });
  if (followed !== undefined) checkFollowed(followed, flags);
  const ordered = flags.order === undefined ? '' : `--order '${formatChoices(flags.order)}'`;
  const header = headerOf(scenario, flags.schedule ?? ordered);
  if (recorded !== undefined && flags.record !== undefined) {
    const { choices } = recorded;
    const time = followed?.time ?? 'idle';
    const finds = [...new Set(verdict.failures.map(keyOf))];
    writeSchedule(flags.record, { ...identity, file: given, time, finds, choices });
  }
  if (flags.trace !== undefined) writeFile(flags.trace, encodeTrace({ header, events }));
  if (flags.junit !== undefined) writeFile(flags.junit, junitOf(header, verdict));
  report(header, verdict, events, flags);
  if (verdict.exit !== 0) complain([...advice(verdict), `reproduce with: ${reproduction()}`].join('\n'));
  return verdict.exit;
}

/** An order that is followed: that of a file, or one that the command line has. */
interface Followed {
  readonly strategy: Strategy;
  readonly time: 'idle' | 'any';
  /** Why it does not fit the run. */
  readonly misfit: () => string | undefined;
  /** Whom it names in vain, where it may. */
  readonly unused: () => readonly string[];
}

function follow(
  scenario: Scenario,
  identity: Identity,
  { order, time, schedule: file }: RunFlags,
): Followed | undefined {
  if (order !== undefined) {
    const lenient = new FollowLeniently(order);
    const strategy = windowOf(scenario, lenient, time === 'any');
    return { strategy, time, misfit: () => undefined, unused: () => lenient.unused };
  }
  if (file === undefined) return undefined;
  const schedule = readSchedule(file);
  checkFits(file, schedule, identity);
  const replay = new Replay(scenario, schedule);
  return { strategy: replay.strategy, time: schedule.time, misfit: () => replay.misfit, unused: () => [] };
}

/** An `--order` may name somebody who does not come: it is followed as far as it goes, and says so. */
function checkFollowed(followed: Followed, { schedule }: RunFlags): void {
  const misfit = followed.misfit();
  if (misfit !== undefined) throw new InputError(`${schedule}: does not fit this run: ${misfit}`);
  const unused = [...new Set(followed.unused())];
  if (unused.length > 0) complain(`--order: ${unused.join(', ')} did not come to run again, and is left out`);
}

/** Where to look next. */
function advice({ failures, limit }: Verdict): readonly string[] {
  if (failures.length === 0) return limit === undefined ? [] : ['more steps: --max-steps'];
  const broken = new Set(failures.filter(({ kind }) => kind === 'invariant').map(({ what }) => what));
  return [...broken].map((name) => `why that matters, and its source: netvsim explain ${name}`);
}

interface CarryOut {
  readonly strategy: Strategy;
  readonly listeners: readonly Listener[];
  readonly stepsMax: number | undefined;
}

function carryOut(scenario: Scenario, options: CarryOut): Run {
  const progress = new Progress();
  try {
    return runScenario(scenario, makeStage, { ...options, onProgress: (sim) => progress.see(sim) });
  } finally {
    progress.end();
  }
}

export function headerOf(scenario: Scenario, schedule: string): TraceHeader {
  const { guest, transport } = scenario.plan;
  return { scenario: scenario.name, guest, transport, schedule, netvsim: version() };
}

function junitOf(header: TraceHeader, verdict: Verdict): string {
  const failures = verdict.failures.map(formatFailure);
  const one = { name: header.scenario, group: header.guest, time: verdict.endTime, failures, error: verdict.limit };
  return formatJunit('netvsim run', [one]);
}

function report(header: TraceHeader, verdict: Verdict, events: readonly Event[], flags: RunFlags): void {
  if (flags.json === true) {
    print(runAsJson(header, verdict, events));
    return;
  }
  const colour = wantsColour();
  print(formatVerdict(header, verdict, colour));
  print(`\n${formatTimeline(events, { colour, verbose: flags.verbose === true })}`);
}
