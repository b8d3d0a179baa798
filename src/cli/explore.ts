/** `netvsim explore`: a scenario in every order, or in as many as was asked for. */
import { type Command, Option } from 'commander';
import type { Board } from '../campaign/board.ts';
import { exploreWith } from '../campaign/explore.ts';
import { type Retold, retell } from '../campaign/retell.ts';
import {
  type Exploration,
  type ExploreOptions,
  SEED_MOST,
  STRATEGIES,
  type StrategyName,
  USUAL_OPTIONS,
} from '../explore/explore.ts';
import { identityOf } from '../explore/fingerprint.ts';
import { type Job, NOT_THE_SAME } from '../explore/job.ts';
import { formatChoices } from '../explore/schedule.ts';
import {
  describeWindow,
  formatCertainFinding,
  formatExploration,
  formatFinding,
  isInEveryOrder,
  type SearchHeader,
  sayHowOften,
  sayMachine,
  sayVerdict,
} from '../report/exploration.ts';
import { asJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { storyAsHtml } from '../report/story-html.ts';
import { formatSwimLanes } from '../report/swim-lanes.ts';
import { INVARIANTS } from '../scenario/invariants/invariants.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { EXIT } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { jobs, oneOf, stepCount, timeChoice, transport, whole, withoutFix } from './options.ts';
import { scenarioFile } from './package-files.ts';
import { SearchProgress, type SearchState } from './progress.ts';
import { reproduction, runOf } from './reproduction.ts';
import { loadFile } from './run.ts';
import { writeSchedule } from './schedule-file.ts';
import { crewFor, type Searched, wholeOrderOf } from './searched.ts';
import { columns, complain, INTERRUPTED, print, wantsColour } from './terminal.ts';
import { checkOutputs, writeFile } from './write-file.ts';

interface ExploreFlags {
  readonly guest?: string;
  readonly without: readonly string[];
  readonly strategy: StrategyName;
  readonly seed: number;
  readonly orders: number;
  readonly maxOrders: number;
  readonly depth: number;
  readonly departures: number;
  readonly time: 'idle' | 'any';
  readonly jobs: number;
  readonly transport?: 'direct' | 'bytes';
  readonly maxSteps?: number;
  readonly json?: true;
  readonly html?: string;
  readonly junit?: string;
  readonly record?: string;
}

export function addExplore(program: Command, end: (exit: number) => void): void {
  const usual = USUAL_OPTIONS;
  const strategies = Object.entries(STRATEGIES).map(([name, meaning]) => `  ${name.padEnd(10)} ${meaning}\n`);
  program
    .command('explore')
    .description('run a scenario in every order that makes a difference, or say honestly in how many')
    .argument('<file>', 'a scenario file, or the name of a shipped one (see netvsim list scenarios)')
    .option('--guest <profile>', 'another guest than the file says')
    .addOption(withoutFix())
    .addOption(
      new Option('--strategy <name>', `how orders are chosen: ${Object.keys(STRATEGIES).join(', ')}`)
        .argParser(oneOf(Object.keys(STRATEGIES)))
        .default(usual.strategy),
    )
    .addOption(new Option('--seed <n>', 'of what is drawn').argParser(whole(0, SEED_MOST)).default(usual.seed))
    .addOption(new Option('--orders <n>', 'orders that are sampled').argParser(whole(1)).default(usual.samples))
    .addOption(
      new Option('--max-orders <n>', 'orders at most in the search of all of them, and in that of departures')
        .argParser(whole(1))
        .default(usual.ordersMax),
    )
    .addOption(
      new Option('--depth <d>', 'of pct: events whose order a bug needs').argParser(whole(1, 100)).default(usual.depth),
    )
    .addOption(
      new Option('--departures <k>', 'of bounded: departures from the usual order at most')
        .argParser(whole(1, 100))
        .default(usual.departures),
    )
    .addOption(timeChoice())
    .addOption(jobs())
    .addOption(transport().default('direct'))
    .addOption(stepCount('give up a run'))
    .option('--json', 'print verdict and findings as JSON')
    .option('--html <file>', 'write a page that shows the first finding that not every order has')
    .option('--junit <file>', 'write the verdict as JUnit XML')
    .option('--record <file>', 'write the smallest order of that finding, for netvsim replay')
    .addHelpText(
      'after',
      `
Strategies:
${strategies.join('')}
Examples:
  netvsim explore vf-seen-before-join
  netvsim explore vf-seen-before-join --guest linux-5.15 --record my.order   # exits 1
  netvsim explore my.yaml --strategy pct --orders 50 --seed 7 --time any`,
    )
    .action(async (file: string, flags: ExploreFlags) => end(await explore(file, flags)));
}

async function explore(given: string, flags: ExploreFlags): Promise<number> {
  const file = scenarioFile(given);
  const { html, junit, record } = flags;
  checkOutputs({ '--html': html, '--junit': junit, '--record': record }, [file]);
  const scenario = loadFile(file, flags);
  const searched: Searched = { scenario, anyTime: flags.time === 'any', stepsMax: flags.maxSteps };
  const outcome = await search(searched, flags);
  const header = headerOf(scenario, flags, outcome);
  writeShown(given, flags, { searched, header, outcome });
  if (junit !== undefined) writeFile(junit, junitOf(header, outcome));
  print(flags.json === true ? inJson(header, outcome) : inText(given, flags, header, outcome));
  const exit = exitOf(outcome);
  if (exit !== EXIT.held) complain(advice(outcome, exit).join('\n'));
  return exit;
}

/** Files that show one finding: the first that not every order has, or the first of all. */
function writeShown(
  given: string,
  flags: ExploreFlags,
  { searched, header, outcome }: { searched: Searched; header: SearchHeader; outcome: SearchOutcome },
): void {
  const { html, record, time } = flags;
  const [shown] = outcome.retold;
  if (shown === undefined) {
    for (const file of [html, record])
      if (file !== undefined) complain(`${file} is not written: there is nothing to show`);
    return;
  }
  if (html !== undefined) writeFile(html, asPage(given, flags, header, outcome, shown));
  if (record === undefined) return;
  const whole = wholeOrderOf(searched, shown.smallest.order);
  writeSchedule(record, { ...identityOf(searched.scenario, flags.without), file: given, time, ...whole });
}

interface SearchOutcome {
  readonly exploration: Exploration;
  readonly retold: readonly Retold[];
  readonly interrupted: boolean;
}

async function search(searched: Searched, flags: ExploreFlags): Promise<SearchOutcome> {
  const crew = crewFor([searched], flags.jobs);
  let batch: readonly Job[] = [];
  let before = 0;
  const progress = new SearchProgress(() => stateOf(batch, before, crew.board));
  const ignore = onInterrupt(() => crew.stop());
  try {
    const exploration = await exploreWith(crew, 0, optionsOf(flags), (jobs) => {
      batch = jobs;
      before = crew.board.orders;
    });
    const chance = exploration.found.find(({ key }) => key === NOT_THE_SAME);
    if (chance !== undefined) throw new Error(`the model is not deterministic: ${chance.text}`);
    const one = flags.record !== undefined || flags.html !== undefined;
    const retold = await retell(crew, 0, exploration, { one });
    return { exploration, retold, interrupted: crew.board.isStopped };
  } finally {
    progress.end();
    ignore();
    await crew.close();
  }
}

const DOING = {
  first: 'the usual order',
  sample: 'sampling',
  reduced: 'all orders',
  divide: 'dividing all orders',
  departing: 'departing from the usual order',
} as const;

function stateOf(batch: readonly Job[], before: number, { orders, failing }: Board): SearchState {
  const { kind = 'first' } = batch[0] ?? {};
  const of = batch.reduce((sum, job) => sum + ordersIn(job), 0);
  const isAtMost = kind === 'reduced' || kind === 'departing';
  return { doing: DOING[kind], done: orders - before, of, isAtMost, orders, failing };
}

function ordersIn(job: Job): number {
  if (job.kind === 'sample') return job.count;
  return 'ordersMax' in job ? job.ordersMax : 1;
}

const optionsOf = ({ strategy, seed, orders, maxOrders, depth, departures }: ExploreFlags): ExploreOptions => ({
  strategy,
  seed,
  samples: orders,
  ordersMax: maxOrders,
  depth,
  departures,
});

function headerOf(scenario: Scenario, flags: ExploreFlags, { interrupted }: SearchOutcome): SearchHeader {
  const { scenario: name, guest, without, transport } = identityOf(scenario, flags.without);
  const window = describeWindow(scenario.steps);
  return {
    scenario: name,
    guest,
    without,
    transport,
    time: flags.time,
    window,
    options: optionsOf(flags),
    interrupted,
  };
}

function exitOf({ exploration, interrupted }: SearchOutcome): number {
  if (interrupted) return EXIT.interrupted;
  if (exploration.verdict === 'fails') return EXIT.failed;
  return exploration.verdict === 'limit' ? EXIT.limit : EXIT.held;
}

function inText(given: string, flags: ExploreFlags, header: SearchHeader, outcome: SearchOutcome): string {
  const { exploration, retold } = outcome;
  const blocks = exploration.found.flatMap((found) => {
    if (isInEveryOrder(found, exploration)) {
      const again = runOf(given, flags, flags.time === 'any' ? [] : undefined);
      return [formatCertainFinding(found, again)];
    }
    const told = retold.find((each) => each.found === found);
    if (told === undefined) return [];
    const lanes = formatSwimLanes(told.story, { colour: wantsColour(), width: columns() });
    const again = runOf(given, flags, told.smallest.order);
    return [formatFinding(found, told.smallest, exploration, { lanes, again })];
  });
  return [formatExploration(header, exploration), ...blocks].join('\n');
}

function asPage(
  given: string,
  flags: ExploreFlags,
  header: SearchHeader,
  { exploration }: SearchOutcome,
  { found, smallest, story }: Retold,
): string {
  const often = sayHowOften(found, exploration);
  const again = runOf(given, flags, smallest.order);
  return storyAsHtml(story, { scenario: header.scenario, machine: sayMachine(header), often, again });
}

function inJson(header: SearchHeader, { exploration, retold }: SearchOutcome): string {
  const found = exploration.found.map(({ order: _, ...each }) => {
    const told = retold.find(({ found: other }) => other.key === each.key);
    if (told === undefined) return each;
    const { order, preemptions, runs } = told.smallest;
    return { ...each, smallest: { order: formatChoices(order), preemptions, runs }, race: told.story.race };
  });
  return asJson('netvsim explore', { ...header, ...exploration, found });
}

function junitOf(header: SearchHeader, { exploration }: SearchOutcome): string {
  const lines = sayVerdict(header, exploration);
  const { verdict } = exploration;
  const failures = verdict === 'fails' ? lines : [];
  const error = verdict === 'limit' || verdict === 'interrupted' ? lines[0] : undefined;
  return formatJunit('netvsim explore', [{ name: header.scenario, group: header.guest, time: 0, failures, error }]);
}

/** Where to look next. */
function advice({ exploration }: SearchOutcome, exit: number): readonly string[] {
  const again = `reproduce with: ${reproduction()}`;
  if (exit === EXIT.interrupted) return [INTERRUPTED];
  if (exit === EXIT.limit) {
    return [exploration.limit === undefined ? 'more orders: --max-orders' : 'more steps: --max-steps', again];
  }
  const broken = exploration.found.filter(({ key }) => INVARIANTS.some(({ name }) => name === key));
  return [...broken.map(({ key }) => `why that matters, and its source: netvsim explain ${key}`), again];
}
