/** `netvsim kernel`: the real kernel that `boot` runs, fetched and put together. */
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { asJson } from '../report/json.ts';
import { formatTable } from '../report/table.ts';
import { aptSource, DEBIAN, isMirror, type Tell } from '../vm/kernel/apt.ts';
import { cacheFolder, kernelFolder, type Manifest, readInstalled } from '../vm/kernel/cache.ts';
import { installKernel } from '../vm/kernel/install.ts';
import { EXIT, InputError } from './input-error.ts';
import { onInterrupt } from './interrupt.ts';
import { clearProgress, showProgress } from './progress.ts';
import { complain, print } from './terminal.ts';

interface Flags {
  readonly cache?: string;
  readonly mirror?: string;
  readonly json?: true;
}

const CACHE = [
  '--cache <dir>',
  'where the boot files are kept (default: $XDG_CACHE_HOME/netvsim, ~/.cache/netvsim)',
] as const;

export function addKernel(program: Command, end: (exit: number) => void): void {
  const kernel = program
    .command('kernel')
    .description('fetch the real kernel that netvsim boot runs')
    .addHelpText('after', '\nExamples:\n  netvsim kernel install\n  netvsim kernel show');
  kernel
    .command('install')
    .description("put a stock Debian kernel, its modules, user mode and a BIOS together from Debian's packages")
    .option(...CACHE)
    .option('--mirror <url>', 'below it lie debian and debian-security', DEBIAN)
    .addHelpText(
      'after',
      `
Needs apt and Debian's keys (packages apt, dpkg, debian-archive-keyring) and about 350 MB on the disk while it runs; no root.
What is installed already is left alone; to have a newer kernel, remove the folder first.

Examples:
  netvsim kernel install
  netvsim kernel install --mirror http://ftp.de.debian.org`,
    )
    .action((flags: Flags) => install(flags, end));
  kernel
    .command('show')
    .description('show what is installed')
    .option(...CACHE)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  netvsim kernel show --json')
    .action((flags: Flags) => show(flags));
}

const folderOf = ({ cache }: Flags): string => {
  if (cache === '') throw new InputError('--cache: an empty text is no directory name');
  return cache === undefined ? cacheFolder(process.env) : resolve(cache);
};

async function install(flags: Flags, end: (exit: number) => void): Promise<void> {
  const cache = folderOf(flags);
  const mirror = flags.mirror ?? DEBIAN;
  if (!isMirror(mirror))
    throw new InputError(`--mirror ${mirror}: is no address (http://..., https://... or file://...)`);
  // A handler that is set while main.ts runs interruptible work is gone when that is over.
  await setImmediate();
  const stop = new AbortController();
  const ignore = onInterrupt(() => stop.abort());
  try {
    const done = await installKernel(cache, aptSource(mirror), teller(), stop.signal);
    clearProgress();
    if (stop.signal.aborted) {
      complain('interrupted: nothing was installed');
      end(EXIT.interrupted);
      return;
    }
    if (!done.ok) throw new InputError(done.error);
    const { wasThere, manifest, warnings } = done.value;
    for (const warning of warnings) complain(`left out: ${warning}`);
    print(`${manifest.release} ${wasThere ? 'is installed already' : 'installed'} in ${kernelFolder(cache)}\n`);
  } finally {
    clearProgress();
    ignore();
  }
}

/** Each thing that is being done on a line of its own; on a terminal one line, with how far it is. */
function teller(): Tell {
  let before = '';
  return (doing, done) => {
    const percent = done === undefined ? '' : ` (${Math.floor(done * 100)} %)`;
    if (process.stderr.isTTY === true) showProgress(`${doing}${percent}`);
    else if (doing !== before) complain(doing);
    before = doing;
  };
}

function show(flags: Flags): void {
  const cache = folderOf(flags);
  const installed = readInstalled(cache);
  if (!installed.ok) throw new InputError(installed.error);
  const { format: _, ...manifest } = installed.value.manifest;
  if (flags.json === true) print(asJson('netvsim kernel', { folder: kernelFolder(cache), ...manifest }));
  else print(formatInstalled(manifest, kernelFolder(cache)));
}

function formatInstalled({ release, packages, files }: Omit<Manifest, 'format'>, folder: string): string {
  const SHOWN = 16;
  const versions = packages.map(({ name, version, architecture, sha256 }) => [
    name,
    version,
    architecture,
    sha256.slice(0, SHOWN),
  ]);
  const sizes = Object.entries(files).map(([name, { bytes, sha256 }]) => [name, String(bytes), sha256.slice(0, SHOWN)]);
  return [
    `kernel ${release} in ${folder}\n`,
    formatTable(['package', 'version', 'architecture', 'sha256'], versions),
    formatTable(['file', 'bytes', 'sha256'], sizes),
  ].join('\n');
}
