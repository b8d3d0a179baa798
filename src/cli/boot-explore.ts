/** `netvsim boot --scenario F --explore`: the host strikes at many points of a real kernel's execution. */
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type BootExploration,
  type BootExplorationHeader,
  coursesOf,
  formatBootExploration,
  isFailing,
} from '../report/boot-explore.ts';
import { asJson, runAsJson } from '../report/json.ts';
import { formatTimeline, formatVerdict } from '../report/timeline.ts';
import { formatFailure } from '../scenario/verdict.ts';
import type { BootFailure } from '../vm/boot.ts';
import { Crew } from '../vm/explore/crew.ts';
import { Explorer, type ExplorerPlan } from '../vm/explore/errand.ts';
import { Exploration, type ExplorationState } from '../vm/explore/explore.ts';
import { stretchesOf } from '../vm/explore/stretch.ts';
import { parseStrike, STRIKE_USAGE, type Strike } from '../vm/explore/strike.ts';
import { cacheFolder } from '../vm/kernel/cache.ts';
import { whatDiffers } from '../vm/stage/what-differs.ts';
import { type BootScenarioFlags, imagesOf, MEMORY_MB } from './boot-scenario.ts';
import { EXIT, InputError } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { CATALOGUE } from './model.ts';
import { whole } from './options.ts';
import { scenarioFile, version } from './package-files.ts';
import { clearProgress, SearchProgress, type SearchState, showProgress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { loadFile } from './run.ts';
import { complain, print, wantsColour } from './terminal.ts';

/** What `netvsim boot` takes for it beside what a scenario takes. */
export interface ExploringFlags {
  readonly explore?: true;
  readonly strike?: Strike;
  readonly strikes?: number;
  readonly seed?: number;
  readonly jobs?: number;
}

const USUAL_STRIKES = 200;
const SEED_MOST = 2 ** 32 - 1;
/** Each takes half a gigabyte. Invented. */
const [USUAL_JOBS_MOST, JOBS_MOST] = [4, 64];

/** Boots a guest where there is none to go on from. */
const BOOT_WORKER = new URL('./boot-worker.js', import.meta.url);

export function addExploring(command: Command): void {
  command
    .option('--explore', 'of a scenario: let the actions of the host strike at many points of what the guest executes')
    .addOption(
      new Option('--strikes <n>', `of --explore: at so many points (default ${USUAL_STRIKES})`).argParser(whole(1)),
    )
    .addOption(
      new Option('--seed <n>', 'of --explore: of the points that are drawn (default 1)').argParser(whole(0, SEED_MOST)),
    )
    .addOption(
      new Option(
        '--jobs <n>',
        `of --explore: guests at a time, of 0.5 GB each (default: as processors, at most ${USUAL_JOBS_MOST})`,
      ).argParser(whole(1, JOBS_MOST)),
    )
    .addOption(
      new Option('--strike <point>', `of a scenario: run one strike: ${STRIKE_USAGE}`)
        .argParser(strike)
        .conflicts('explore'),
    );
}

/** What is wrong with flags of an exploration that stand alone, or with those of one run that stand beside it. */
export function checkExploring(flags: ExploringFlags & Partial<BootScenarioFlags>): void {
  const { explore, strike, strikes, seed, jobs, junit, trace, maxSteps, cold, verbose } = flags;
  for (const [flag, value] of Object.entries({ strikes, seed, jobs })) {
    if (value !== undefined && explore !== true) throw new InputError(`--${flag} is for --explore`);
  }
  const searched = explore === true ? '--explore' : strike === undefined ? undefined : '--strike';
  if (searched === undefined) return;
  const ofOneRun = { '--junit': junit, '--trace': trace, '--max-steps': maxSteps, '--cold': cold };
  for (const [flag, value] of Object.entries({ ...ofOneRun, ...(explore === true ? { '--verbose': verbose } : {}) })) {
    if (value !== undefined) throw new InputError(`${flag} is for a run, and not for ${searched}`);
  }
}

function strike(given: string): Strike {
  const parsed = parseStrike(given);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`);
  return parsed.value;
}

/** Strikes at many points, and says what came of it. */
export async function bootExplore(given: string, flags: BootScenarioFlags & ExploringFlags): Promise<number> {
  const { strikes = USUAL_STRIKES, seed = 1, jobs = Math.min(USUAL_JOBS_MOST, availableParallelism()) } = flags;
  const { plan, notes, guest } = planOf(given, flags);
  const { scenario } = plan;
  if (stretchesOf(scenario).length === 0) {
    throw new InputError(`${given}: there is nothing to strike: no action of the host comes behind another step`);
  }
  const crew = new Crew({ plan, file: new URL('./boot-explore-worker.js', import.meta.url), jobs });
  const exploration = new Exploration(crew, { scenario, strikes, seed });
  const progress = new SearchProgress(() => searchState(exploration.state));
  const ignore = onInterrupt(() => crew.stop());
  try {
    const explored = await exploration.run();
    progress.end();
    if (!explored.ok) return sayFailure(explored.error);
    const header: BootExplorationHeader = {
      scenario: scenario.name,
      guest,
      seed,
      notes,
      again: (strike) => again(given, flags, strike),
    };
    print(flags.json === true ? inJson(header, explored.value) : formatBootExploration(header, explored.value));
    complain(sayCost(exploration.state));
    return exitOf(explored.value);
  } finally {
    progress.end();
    ignore();
    crew.stop();
  }
}

/** One strike, with all that happens in its run. */
export async function bootStrike(given: string, strike: Strike, flags: BootScenarioFlags): Promise<number> {
  const { plan, notes, guest } = planOf(given, flags);
  const stretch = stretchesOf(plan.scenario).find(({ action }) => action.line === strike.line);
  if (stretch === undefined) {
    const lines = stretchesOf(plan.scenario).map(({ action }) => `line ${action.line}: ${action.text}`);
    throw new InputError([`--strike: nothing strikes at line ${strike.line}; what can:`, ...lines]);
  }
  const explorer = new Explorer(plan, CATALOGUE, BOOT_WORKER);
  if (process.stderr.isTTY) showProgress('going to where the strike is');
  const survey = await explorer.survey(stretch);
  if (!survey.ok) return sayFailure(survey.error);
  explorer.goTo(survey.value.field);
  const { result, told } = await explorer.strike(strike, true);
  clearProgress();
  const { verdict, events } = told;
  const header = { scenario: plan.scenario.name, guest, transport: 'bytes', schedule: '', netvsim: version() };
  const exit = result.found.length > 0 ? EXIT.failed : EXIT.held;
  if (flags.json === true) {
    print(runAsJson(header, { ...verdict, exit }, events, notes));
    return exit;
  }
  const colour = wantsColour();
  print(formatVerdict(header, { ...verdict, exit }, colour));
  const own = result.found.filter(({ text }) => !verdict.failures.some((failure) => formatFailure(failure) === text));
  print([...own.map(({ text }) => text), `memory in the end: ${result.memory}`].map((line) => `  ${line}\n`).join(''));
  print(`\n${formatTimeline(events, { colour, verbose: flags.verbose === true })}`);
  return exit;
}

interface Planned {
  readonly plan: ExplorerPlan;
  readonly notes: readonly string[];
  readonly guest: string;
}

function planOf(given: string, flags: BootScenarioFlags): Planned {
  const file = scenarioFile(given);
  const scenario = loadFile(file, {});
  const images = imagesOf(flags);
  const { notes, refusals, judged } = whatDiffers(scenario, images.release);
  if (refusals.length > 0) throw InputError.of(refusals.map((refusal) => ({ file, ...refusal })));
  const plan = { scenario: { ...scenario, always: judged }, images, cache: flags.cache, memoryMb: flags.memory };
  return { plan, notes, guest: `linux-${images.release}` };
}

function sayFailure({ whose, text, tail }: BootFailure): number {
  clearProgress();
  if (whose === 'input') throw new InputError(text);
  complain([text, ...tail].join('\n'));
  return whose === 'aborted' ? EXIT.interrupted : EXIT.failed;
}

function exitOf(exploration: BootExploration): number {
  if (exploration.isInterrupted) return EXIT.interrupted;
  return isFailing(exploration) ? EXIT.failed : EXIT.held;
}

const DOING = { survey: 'going to the stretch', strikes: 'striking', repeats: 'repeating' } as const;

const searchState = ({ doing, done, of, failing }: ExplorationState): SearchState => ({
  doing: DOING[doing],
  done,
  of,
  isAtMost: false,
  orders: done,
  failing,
  slow: 'strikes',
});

/** What stands beside the verdict, and differs from machine to machine. */
function sayCost({ runs, computing, memory }: ExplorationState): string {
  const each = (computing / 1000 / Math.max(1, runs)).toFixed(1);
  return `${runs} runs, ${each} s of computing each; ${Math.round(memory / 1000)} MB at most for a guest`;
}

const again = (given: string, { kernel, modules, memory, cache }: BootScenarioFlags, strike: string): string =>
  reproduction([
    'boot',
    '--scenario',
    given,
    ...(memory === MEMORY_MB.usual ? [] : ['--memory', `${memory}`]),
    ...(cache === cacheFolder(process.env) ? [] : ['--cache', cache]),
    ...(kernel === undefined ? [] : ['--kernel', kernel]),
    ...(modules === undefined ? [] : ['--modules', modules]),
    '--strike',
    strike,
  ]);

function inJson({ scenario, guest, seed, notes }: BootExplorationHeader, exploration: BootExploration): string {
  const stretches = exploration.stretches.map((stretch) => ({ ...stretch, courses: coursesOf(stretch.results) }));
  return asJson('netvsim boot --explore', { scenario, guest, seed, notes, ...exploration, stretches });
}
