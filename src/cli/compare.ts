/** `netvsim compare`: a scenario on the modelled guest and on a real kernel, side by side. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { agrees, type Comparison, formatComparison } from '../report/compare.ts';
import { asJson } from '../report/json.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { COMPARED_PROFILE, compare, incomparable } from '../vm/compare/compare.ts';
import { KnownDifferences } from '../vm/compare/known-differences.ts';
import { cacheFolder } from '../vm/kernel/cache.ts';
import { readBootImages } from '../vm/kernel/images.ts';
import { EXIT, InputError } from './input-error.ts';
import { CATALOGUE } from './model.ts';
import { packageRoot, scenarioFile } from './package-files.ts';
import { clearProgress, showProgress } from './progress.ts';
import { readText } from './read-file.ts';
import { reproduction } from './reproduction.ts';
import { loadFile } from './run.ts';
import { columns, complain, print, wantsColour } from './terminal.ts';

interface Flags {
  readonly cache?: string;
  readonly json?: true;
}

export function addCompare(program: Command, end: (exit: number) => void): void {
  program
    .command('compare')
    .description('run a scenario on the modelled guest and on a real kernel, and list where the two differ')
    .argument('<file>', 'a scenario file, or the name of a shipped one (see netvsim list scenarios)')
    .option('--cache <dir>', 'where the boot files are kept (default: $XDG_CACHE_HOME/netvsim, ~/.cache/netvsim)')
    .option('--json', 'print the verdict and every line of both as JSON')
    .addHelpText(
      'after',
      `
The model is ${COMPARED_PROFILE}; the kernel is what netvsim kernel install has fetched. Compared is what happens and in which
order, NIC by NIC: messages on the wire, what the guest's registry tells, its log. Times are not compared. Differences
that are known stand with their reason and its source; one that is not makes the exit code 1.

Between the columns: < only the model, > only the real kernel, ~ other contents, % at another place.

Examples:
  netvsim compare vf-plug-join
  netvsim compare my.yaml --json`,
    )
    .action(async (file: string, flags: Flags) => end(await run(file, flags)));
}

async function run(given: string, flags: Flags): Promise<number> {
  if (flags.cache === '') throw new InputError('--cache: an empty text is no directory name');
  const file = scenarioFile(given);
  const scenario = loadComparable(file);
  const cache = flags.cache === undefined ? cacheFolder(process.env) : resolve(flags.cache);
  const images = readBootImages({ cache });
  if (!images.ok) throw new InputError(images.error);
  const plan = { scenario, catalogue: CATALOGUE, images: images.value, cache };
  const worker = new URL('./boot-worker.js', import.meta.url);
  const compared = await compare({ ...plan, known: knownDifferences(), worker, tell: progress });
  clearProgress();
  if (compared.ok) return report(compared.value, flags);
  const { whose, text, tail } = compared.error;
  if (whose === 'input') throw new InputError(text);
  complain([text, ...tail].join('\n'));
  return whose === 'aborted' ? EXIT.interrupted : EXIT.failed;
}

const progress = (what: string): void => {
  if (process.stderr.isTTY === true) showProgress(what);
};

/** A scenario as both can run it. */
export function loadComparable(file: string): Scenario {
  const scenario = loadFile(file, { guest: COMPARED_PROFILE, transport: 'bytes' });
  const why = incomparable(scenario);
  if (why.length > 0) throw new InputError(why.map((line) => `${file}: cannot be compared: ${line}`));
  return scenario;
}

/** Those that are shipped. */
export function knownDifferences(): KnownDifferences {
  const file = join(packageRoot(), 'fixtures', 'compare', 'known.yaml');
  const known = KnownDifferences.parse(readText(file), file);
  if (!known.ok) throw new InputError(known.error);
  return known.value;
}

function report(comparison: Comparison, { json }: Flags): number {
  if (json === true) print(asJson('netvsim compare', { agrees: agrees(comparison), ...comparison }));
  else print(formatComparison(comparison, { colour: wantsColour(), width: columns() }));
  if (agrees(comparison)) return EXIT.held;
  complain(`reproduce with: ${reproduction()}`);
  return EXIT.failed;
}
