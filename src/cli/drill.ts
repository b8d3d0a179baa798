/** `netvsim drill`: fail-over drills with figures and budgets. */
import { type Command, Option } from 'commander';
import type { Nanoseconds } from '../base/time.ts';
import { differencesOf, type GuestDrill } from '../drill/differences.ts';
import { type DrillOptions, type DrillResult, runFirmwareUpdate, USUAL_DRILL } from '../drill/firmware-update.ts';
import { REVOKE_ORDERS, type RevokeOrder } from '../host/action.ts';
import { drillCases, formatDifferences, formatDrill } from '../report/drill.ts';
import { asJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { USUAL_GUEST } from '../scenario/scenario.ts';
import { logEvents } from './log.ts';
import { makeStage, VOCABULARY } from './model.ts';
import { duration, logLevel, oneOf, stepCount, transport, whole } from './options.ts';
import { Progress } from './progress.ts';
import { reproduction } from './reproduction.ts';
import { complain, print } from './terminal.ts';
import { checkOutputs, writeFile } from './write-file.ts';

interface DrillFlags {
  readonly guest: readonly string[];
  readonly vf: string;
  readonly order: RevokeOrder;
  readonly gap: Nanoseconds;
  readonly times: number;
  readonly nics: number;
  readonly transport?: DrillOptions['transport'];
  readonly maxGap?: Nanoseconds;
  readonly maxLoss?: number;
  readonly json?: true;
  readonly junit?: string;
  readonly logLevel: string;
  readonly maxSteps?: number;
}

/** A drill has hours of virtual time in it, with a frame every few milliseconds. */
const STEPS_MAX = 1_000_000_000;
const NICS_MOST = 64;

export function addDrill(program: Command, end: (exit: number) => void): void {
  const usual = USUAL_DRILL;
  const drill = program
    .command('drill')
    .description('fail-over drills: what an event on the host costs the guest')
    .addHelpText('after', '\nExamples:\n  netvsim drill firmware-update');
  drill
    .command('firmware-update')
    .description('the host takes every VF away to update its firmware, and brings it back, under traffic')
    .addOption(guests())
    .addOption(new Option('--vf <model>', 'model of the VFs').argParser(oneOf(VOCABULARY.vfs)).default(usual.vf))
    .addOption(
      new Option('--order <order>', `how a VF is taken away: ${REVOKE_ORDERS.join(', ')}`)
        .argParser(oneOf(REVOKE_ORDERS))
        .default(usual.order),
    )
    .addOption(
      new Option('--gap <duration>', 'from the revoke until the VFs come back')
        .argParser(duration)
        .default(usual.gap, '64s'),
    )
    .addOption(new Option('--times <n>', 'how often').argParser(whole(1, 1_000_000)).default(usual.times))
    .addOption(new Option('--nics <n>', 'how many NICs').argParser(whole(1, NICS_MOST)).default(usual.nics))
    .addOption(new Option('--max-gap <duration>', 'fail when a NIC has no path for longer').argParser(duration))
    .addOption(new Option('--max-loss <n>', 'fail when more frames are lost').argParser(whole(0)))
    .addOption(transport())
    .option('--json', 'print the figures as JSON')
    .option('--junit <file>', 'write the verdict as JUnit XML')
    .addOption(logLevel())
    .addOption(stepCount())
    .addHelpText(
      'after',
      `
Examples:
  netvsim drill firmware-update
  netvsim drill firmware-update --guest linux-6.12 --guest freebsd-14   # exits 1: FreeBSD loses offloads (G-35)
  netvsim drill firmware-update --order surprise --gap 30s --times 3 --nics 2
  netvsim drill firmware-update --guest linux-5.15 --max-gap 20ms --max-loss 5   # exits 1: over budget`,
    )
    .action((flags: DrillFlags) => end(firmwareUpdate(flags)));
}

/** Can stand several times: the reports come one after the other, and then what differs. */
const guests = (): Option =>
  new Option('--guest <profile>', 'the guest; can stand several times')
    .argParser((given: string, before: readonly string[]) =>
      before === USUAL_GUESTS ? [oneOf(VOCABULARY.profiles)(given)] : [...before, oneOf(VOCABULARY.profiles)(given)],
    )
    .default(USUAL_GUESTS, USUAL_GUEST);

const USUAL_GUESTS: readonly string[] = [USUAL_GUEST];

function firmwareUpdate(flags: DrillFlags): number {
  checkOutputs({ '--junit': flags.junit });
  const drills = [...new Set(flags.guest)].map((guest) => drillOn(guest, flags));
  const differences = differencesOf(drills);
  const several = drills.length > 1;
  if (flags.junit !== undefined) {
    const cases = drills.flatMap(({ options, result }) => drillCases(options, result));
    writeFile(flags.junit, formatJunit('netvsim drill', cases));
  }
  if (flags.json === true) {
    const reports = drills.map(({ options, result }) => ({ options, ...result }));
    const [only] = reports;
    print(asJson('netvsim drill', several || only === undefined ? { drills: reports, differences } : only));
  } else {
    print(drills.map(({ options, result }) => formatDrill(options, result)).join('\n'));
    if (several) print(`\n${formatDifferences(drills, differences)}`);
  }
  const exits = drills.map(({ result }) => result.exit);
  const exit = exits.find((each) => each === 1) ?? exits.find((each) => each !== 0) ?? 0;
  if (exit !== 0) complain(`reproduce with: ${reproduction()}`);
  return exit;
}

interface Drilled extends GuestDrill {
  readonly options: DrillOptions;
}

function drillOn(guest: string, flags: DrillFlags): Drilled {
  const { vf, order, gap, times, nics, maxGap, maxLoss } = flags;
  const options = {
    guest,
    vf,
    order,
    gap,
    times,
    nics,
    transport: flags.transport ?? 'bytes',
    maxGap,
    maxLoss,
  } as const;
  return { guest, options, result: carryOut(options, flags) };
}

function carryOut(options: DrillOptions, flags: DrillFlags): DrillResult {
  const progress = new Progress();
  progress.phase = 'steady';
  try {
    return runFirmwareUpdate(options, VOCABULARY, makeStage, {
      stepsMax: flags.maxSteps ?? STEPS_MAX,
      listeners: flags.logLevel === 'silent' ? [] : [logEvents(flags.logLevel)],
      onProgress: (sim) => progress.see(sim),
      onPhase: (phase, round) => {
        progress.phase = `round ${round} of ${options.times}, ${phase}`;
      },
    });
  } finally {
    progress.end();
  }
}
