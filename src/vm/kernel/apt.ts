/**
 * Debian's packages, by the machine's own apt with a state of its own in one folder: no root, no foreign architecture in
 * the machine's dpkg, its configuration of proxies and its keys. Apt checks Debian's signature of the index, the index's
 * SHA-256 of each list and each list's SHA-256 of each package. apt.conf(5), sources.list(5).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type InstalledPackage, sha256Of } from './cache.ts';
import { type Printed, runProgram } from './program.ts';

/** Debian 12 is the last with a kernel for i386; it will be signed for by archived keys when it is old. */
const RELEASE = 'bookworm';
/** What to fetch and what it is for. The libraries are those that busybox and ip need in that release. */
const PROGRAMS = ['busybox', 'iproute2', 'seabios'];
const LIBRARIES = ['libbpf1', 'libbsd0', 'libc6', 'libcap2', 'libelf1', 'libmd0', 'libmnl0', 'zlib1g'];
/** `-686` without PAE, as the emulated processor is; -rt, -dbg and -unsigned are others. */
const KERNEL = /^linux-image-6\.1\.0-(\d+)-686$/;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where the archives lie below, unless a mirror is named. */
export const DEBIAN = 'http://deb.debian.org';

export interface FetchedPackages {
  /** All packages' files, one above the other. */
  readonly root: string;
  readonly packages: readonly InstalledPackage[];
  /** What could not be read and was not needed. */
  readonly warnings: readonly string[];
}

/** What is being done, and how much of it, where that is known: from 0 to 1. */
export type Tell = (doing: string, done?: number) => void;

/** Fetches the packages into a folder that is there. Errors: one line, for people. */
export type PackageSource = (
  folder: string,
  tell: Tell,
  signal: AbortSignal,
) => Promise<Result<FetchedPackages, string>>;

/** @param mirror an address below which `debian` and `debian-security` lie. */
export const aptSource =
  (mirror: string): PackageSource =>
  async (folder, tell, signal) => {
    if (!existsSync(KEYRING)) return err(`${KEYRING} is missing: install Debian's package debian-archive-keyring`);
    setUp(folder, mirror);
    const apt = aptIn(folder, signal);
    const updated = await apt('apt-get', ['update'], (done) => tell("reading Debian's lists of packages", done));
    if (!updated.ok) return updated;
    const kernel = await newestKernel(apt, updated.value);
    if (!kernel.ok) return kernel;
    const names = [kernel.value, ...PROGRAMS, ...LIBRARIES];
    const doing = `fetching ${kernel.value} and ${names.length - 1} more packages`;
    const fetched = await apt('apt-get', ['download', ...names], (done) => tell(doing, done));
    if (!fetched.ok) return fetched;
    if (fetched.value.exit !== 0) return err(`apt-get cannot fetch the packages: ${complaint(fetched.value)}`);
    tell('unpacking the packages');
    const packages = await unpackAll(folder, signal);
    return packages.ok ? ok({ ...packages.value, warnings: failedLists(updated.value) }) : packages;
  };

/** Where the mirror cannot be written into a sources.list. */
export const isMirror = (address: string): boolean => /^(?:https?|file):\/\/[^\s[\]"]+$/.test(address);

/** Paths relative to the folder, where apt is run: no character of its path can be taken for syntax. */
function setUp(folder: string, mirror: string): void {
  for (const part of ['lists/partial', 'archives/partial', 'root']) mkdirSync(join(folder, part), { recursive: true });
  const base = mirror.replace(/\/+$/, '');
  const suites = [`debian ${RELEASE}`, `debian ${RELEASE}-updates`, `debian-security ${RELEASE}-security`];
  const source = (suite: string): string =>
    `deb [arch=i386 target=Packages signed-by=${KEYRING}] ${base}/${suite} main\n`;
  writeFileSync(join(folder, 'sources.list'), suites.map(source).join(''));
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'apt.conf'), CONFIGURATION);
}

/** The machine's hooks that run after an update are for its own lists. Root would give way to a user who may not write here. */
const CONFIGURATION = `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "i386";
APT::Architectures { "i386"; };
APT::Sandbox::User "root";
APT::Status-Fd "3";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "./";
Dir::State::status "./status";
Dir::Cache "./";
Dir::Cache::archives "./archives";
Dir::Etc::sourcelist "./sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`;

type Apt = (
  program: 'apt-get' | 'apt-cache',
  args: readonly string[],
  see?: (done: number) => void,
) => Promise<Result<Printed, string>>;

function aptIn(folder: string, signal: AbortSignal): Apt {
  return async (program, args, see) => {
    const status = (line: string): void => {
      // "dlstatus:FILE:PERCENT:TEXT", apt's doc/progress-reporting.md.
      const percent = /^dlstatus:[^:]*:([\d.]+):/.exec(line)?.[1];
      if (percent !== undefined) see?.(Number(percent) / 100);
    };
    const done = await runProgram(program, ['-q', '-c', './apt.conf', ...args], { cwd: folder, signal, status });
    return done.ok || signal.aborted ? done : err(`${done.error}: netvsim fetches Debian's packages with apt`);
  };
}

async function newestKernel(apt: Apt, updated: Printed): Promise<Result<string, string>> {
  const listed = await apt('apt-cache', ['pkgnames', 'linux-image-']);
  if (!listed.ok) return listed;
  const numbers = listed.value.stdout.split('\n').flatMap((name) => KERNEL.exec(name)?.[1] ?? []);
  const newest = Math.max(...numbers.map(Number));
  if (numbers.length === 0) return err(`apt finds no linux-image-6.1.0-NN-686: ${complaint(updated)}`);
  return ok(`linux-image-6.1.0-${newest}-686`);
}

/** The first error that apt has printed, or what it printed last. */
function complaint({ stderr, stdout }: Printed): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^[EW]: /.test(line)) ?? lines.at(-1) ?? 'it says nothing';
}

const failedLists = ({ stderr }: Printed): readonly string[] =>
  stderr.split('\n').filter((line) => /^[EW]: Failed to fetch /.test(line));

async function unpackAll(
  folder: string,
  signal: AbortSignal,
): Promise<Result<Pick<FetchedPackages, 'root' | 'packages'>, string>> {
  const root = join(folder, 'root');
  const packages: InstalledPackage[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    const unpacked = await unpack(folder, file, signal);
    if (!unpacked.ok) return unpacked;
    packages.push(unpacked.value);
  }
  return ok({ root, packages });
}

async function unpack(folder: string, file: string, signal: AbortSignal): Promise<Result<InstalledPackage, string>> {
  const FIELDS = ['Package', 'Version', 'Architecture'];
  const told = await runProgram('dpkg-deb', ['--field', file, ...FIELDS], { cwd: folder, signal });
  if (!told.ok) return told;
  const [name = '', version = '', architecture = ''] = FIELDS.map(
    (field) => new RegExp(`^${field}: (.*)$`, 'm').exec(told.value.stdout)?.[1],
  );
  const unpacked = await runProgram('dpkg-deb', ['--extract', file, 'root'], { cwd: folder, signal });
  if (!unpacked.ok) return unpacked;
  if (unpacked.value.exit !== 0) return err(`dpkg-deb cannot unpack ${file}: ${complaint(unpacked.value)}`);
  return ok({ name, version, architecture, sha256: sha256Of(readFileSync(join(folder, file))) });
}
