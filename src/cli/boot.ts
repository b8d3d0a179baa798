/** `netvsim boot`: a stock Linux kernel on netvsim's host, with a user, a script or a scenario before it. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type MacAddress, mac } from '../base/mac.ts';
import type { Nanoseconds } from '../base/time.ts';
import { USUAL_DRILL } from '../drill/firmware-update.ts';
import { USUAL_SYNTHETIC } from '../scenario/scenario.ts';
import type { Names } from '../scenario/vocabulary.ts';
import { cacheFolder } from '../vm/kernel/cache.ts';
import { readBootImages } from '../vm/kernel/images.ts';
import type { RealPlan } from '../vm/real-machine.ts';
import { addExploring, bootExplore, bootStrike, checkExploring, type ExploringFlags } from './boot-explore.ts';
import { bootScenario, MEMORY_MB } from './boot-scenario.ts';
import { runSession } from './boot-session.ts';
import { InputError } from './input-error.ts';
import { VOCABULARY } from './model.ts';
import { duration, stepCount, whole } from './options.ts';
import { scenarioFile } from './package-files.ts';
import { loadFile } from './run.ts';

interface BootFlags extends ExploringFlags {
  readonly scenario?: string;
  readonly nics?: string;
  readonly bare?: true;
  readonly cold?: true;
  readonly snapshot?: string;
  readonly for?: Nanoseconds;
  readonly memory: number;
  readonly cache?: string;
  readonly kernel?: string;
  readonly modules?: string;
  readonly initrd?: string;
  readonly json?: true;
  readonly junit?: string;
  readonly trace?: string;
  readonly verbose?: true;
  readonly maxSteps?: number;
}

/** The address of `nic1` where no scenario says another. Of a range of Microsoft's. */
const USUAL_MAC: MacAddress = mac('00:0d:3a:12:34:56');

export function addBoot(program: Command, end: (exit: number) => void): void {
  const command = program
    .command('boot')
    .description('boot a stock Linux kernel on the emulated host, with its console here')
    .addOption(
      new Option('--scenario <file>', 'run this scenario there and judge it, as netvsim run does').conflicts([
        'nics',
        'bare',
        'snapshot',
        'for',
      ]),
    )
    .option('--nics <scenario>', 'the NICs of this scenario, in the place of nic1 with a VF')
    .option('--bare', 'offer no NIC and load no driver')
    .option('--cold', 'boot anew; else the guest goes on from where its first boot had come to')
    .option('--snapshot <file>', "go on from what the host's line has kept with snapshot")
    .addOption(
      new Option(
        '--for <duration>',
        'end the session after so long; without a terminal, what a line of the input has at most, and the last one at least',
      ).argParser(duration),
    )
    .addOption(
      new Option('--memory <MB>', 'memory of the guest')
        .argParser(whole(MEMORY_MB.least, MEMORY_MB.most))
        .default(MEMORY_MB.usual),
    )
    .option('--kernel <file>', 'a bzImage of your own: 32 bits, with Hyper-V')
    .option('--modules <dir>', 'its modules: a tree /lib/modules/RELEASE')
    .option('--initrd <file>', 'an initrd of your own, with everything that the guest needs')
    .option('--cache <dir>', 'where netvsim kernel install has put the boot files')
    .option('--json', 'of a scenario: print the verdict and every event as JSON')
    .option('--junit <file>', 'of a scenario: write the verdict as JUnit XML')
    .option('--trace <file>', 'of a scenario: write a trace file')
    .option('--verbose', 'of a scenario: show set-up and traffic too')
    .addOption(stepCount('of a scenario: give up'))
    .addHelpText(
      'after',
      `
At a terminal, Ctrl-] opens the host's line: help, status, events on, host plug vf of nic1, quit ...; an empty line goes
back to the guest, and Ctrl-] twice sends it one. Without a terminal, lines are typed when the guest waits for one, a line
that begins with the character Ctrl-] (\\035) is for the host, time passes as fast as it can, and the end of the input is
the end.

Examples:
  netvsim boot
  netvsim boot --scenario vf-plug-join
  netvsim boot --scenario revoke-during-probe --explore
  netvsim boot --scenario revoke-during-probe --strike 'line 14 message switchDataPath quantum 997'
  netvsim boot --nics two-nics --bare --for 1s
  echo 'ip -o link' | netvsim boot`,
    )
    .action(async (flags: BootFlags) => end(await boot(flags)));
  addExploring(command);
}

async function boot(flags: BootFlags): Promise<number> {
  const { scenario, kernel, modules, initrd } = flags;
  const cache = folderOf(flags.cache);
  checkExploring(flags);
  if (scenario !== undefined) {
    if (flags.explore === true) return await bootExplore(scenario, { ...flags, cache });
    if (flags.strike !== undefined) return await bootStrike(scenario, flags.strike, { ...flags, cache });
    return await bootScenario(scenario, { ...flags, cache });
  }
  checkInteractive(flags);
  const { plan, names } = nicsOf(flags.nics);
  const images = readBootImages({
    cache,
    ...(kernel === undefined ? {} : { kernel }),
    ...(modules === undefined ? {} : { modules }),
    ...(initrd === undefined ? {} : { initrd }),
  });
  if (!images.ok) throw new InputError(images.error);
  return await runSession({
    images: images.value,
    cache,
    plan,
    names,
    memoryMb: flags.memory,
    hasOwnInitrd: initrd !== undefined,
    bare: flags.bare === true,
    cold: flags.cold === true,
    snapshot: flags.snapshot,
    span: flags.for,
  });
}

/** A session has no verdict, and its events are shown on the host's line. */
function checkInteractive({ json, junit, trace, verbose, maxSteps, explore, strike }: BootFlags): void {
  const given = Object.entries({ json, junit, trace, verbose, 'max-steps': maxSteps, explore, strike });
  for (const [flag, value] of given) if (value !== undefined) throw new InputError(`--${flag} is for a --scenario`);
}

function folderOf(cache: string | undefined): string {
  if (cache === '') throw new InputError('--cache: an empty text is no directory name');
  return cache === undefined ? cacheFolder(process.env) : resolve(cache);
}

/** What there is, and the names of it that the host's line knows. */
function nicsOf(scenario: string | undefined): { readonly plan: RealPlan; readonly names: Names } {
  const plan: RealPlan = scenario === undefined ? usualPlan() : loadFile(scenarioFile(scenario), {}).plan;
  const { nics } = plan;
  const withVf = nics.filter(({ vf }) => vf !== undefined);
  const names = {
    ...VOCABULARY,
    nics: nics.map(({ name }) => name),
    nicsWithVf: withVf.map(({ name }) => name),
    flows: [],
    observers: [],
  };
  return { plan, names };
}

function usualPlan(): RealPlan {
  const nic = { name: 'nic1', mac: USUAL_MAC, vf: USUAL_DRILL.vf, synthetic: USUAL_SYNTHETIC, serial: 1, pciSerial: 1 };
  return { nics: [nic], latency: {} };
}
