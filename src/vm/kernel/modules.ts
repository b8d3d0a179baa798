/**
 * The kernel modules of the guest, out of a /lib/modules/RELEASE tree: the drivers of Hyper-V and of the emulated VFs, what
 * bonds and namespaces are tried with, and whatever these need. Debian's package has no modules.dep (depmod writes it at
 * installation), so dependencies are read out of the modules themselves.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type CpioEntry, foldersOf } from './cpio.ts';
import { moduleInfo } from './elf.ts';

/** Without these there is no guest of Hyper-V: modules, or built in. */
const REQUIRED = ['hv_vmbus', 'hv_netvsc'];
/** Taken where they are: ne2k-pci drives the emulator's NIC, which stands for a VF. */
const WANTED = [...REQUIRED, 'ne2k-pci', 'dummy', 'bonding', 'veth', 'vrf', 'team', 'team_mode_activebackup'];

/** A tree of modules, as it goes into the initrd. */
export interface GuestModules {
  /** The kernel that they were built for, as `uname -r` says it. */
  readonly release: string;
  /** Below lib/modules/RELEASE, with a modules.dep; each folder before what is in it. */
  readonly entries: readonly CpioEntry[];
}

interface Module {
  /** Relative to the tree. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly depends: readonly string[];
  readonly release: string;
}

/** Errors: the tree cannot be read, a required module is neither there nor built in, a module is packed or broken. */
export function readModules(tree: string): Result<GuestModules, string> {
  let files: readonly string[] | undefined;
  try {
    files = filesBelow(tree);
  } catch (error) {
    return err(`${tree}: cannot be read as a tree of kernel modules (${(error as NodeJS.ErrnoException).code})`);
  }
  if (files === undefined) return err(`${tree}: is no tree of kernel modules: more than ${FILES_MOST} files`);
  const places = new Map<string, string>();
  for (const file of [...files].sort()) if (/\.ko(?:\.\w+)?$/.test(file)) places.set(moduleName(file), file);
  const builtIn = builtInNames(tree);
  for (const name of REQUIRED) {
    if (!places.has(name) && !builtIn.has(name))
      return err(`${tree}: has no ${name}: the kernel was built without CONFIG_HYPERV or CONFIG_HYPERV_NET`);
  }
  const modules = withDependencies(tree, places, builtIn);
  if (!modules.ok) return modules;
  return asEntries(tree, modules.value);
}

/** Debian's largest kernel has some 4,500 modules. Invented. */
const FILES_MOST = 100_000;

/**
 * Relative to the tree; undefined when there are too many. Links to folders are not followed: `build` and `source` lead to
 * the kernel's own sources (and /sys goes round in circles).
 */
function filesBelow(tree: string): readonly string[] | undefined {
  const files: string[] = [];
  const folders = [''];
  for (const folder of folders) {
    for (const entry of readdirSync(join(tree, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      (entry.isDirectory() ? folders : files).push(path);
    }
    if (files.length + folders.length > FILES_MOST) return undefined;
  }
  return files;
}

/** The kernel takes - and _ in names for the same; a file's name has either. */
const moduleName = (file: string): string =>
  basename(file)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');

function builtInNames(tree: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(join(tree, 'modules.builtin'), 'utf8').split('\n').map(moduleName));
  } catch {
    return new Set();
  }
}

/** In an order in which they can be loaded. */
function withDependencies(
  tree: string,
  places: ReadonlyMap<string, string>,
  builtIn: ReadonlySet<string>,
): Result<ReadonlyMap<string, Module>, string> {
  const taken = new Map<string, Module>();
  const visiting = new Set<string>();
  const take = (name: string, neededBy: string | undefined): string | undefined => {
    if (taken.has(name) || visiting.has(name) || builtIn.has(name)) return undefined;
    const path = places.get(name);
    if (path === undefined)
      return neededBy === undefined ? undefined : `${tree}: has no ${name}, which ${neededBy} needs`;
    visiting.add(name);
    const module = readModule(tree, path);
    if (!module.ok) return module.error;
    for (const needed of module.value.depends) {
      const problem = take(needed, name);
      if (problem !== undefined) return problem;
    }
    taken.set(name, module.value);
    return undefined;
  };
  for (const name of WANTED) {
    const problem = take(moduleName(name), undefined);
    if (problem !== undefined) return err(problem);
  }
  return ok(taken);
}

function readModule(tree: string, path: string): Result<Module, string> {
  const file = join(tree, path);
  if (!file.endsWith('.ko')) return err(`${file}: is a packed module: unpack it, netvsim reads .ko files only`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return err(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const info = moduleInfo(bytes);
  if (!info.ok) return err(`${file}: ${info.error}`);
  const depends = (info.value.get('depends') ?? '').split(',').filter((name) => name !== '');
  // "6.1.0-50-686 SMP preempt mod_unload modversions": the kernel compares the whole of it.
  const release = (info.value.get('vermagic') ?? '').split(' ')[0] ?? '';
  if (release === '') return err(`${file}: does not say which kernel it is for (vermagic)`);
  return ok({ path, bytes, depends: depends.map(moduleName), release });
}

function asEntries(tree: string, modules: ReadonlyMap<string, Module>): Result<GuestModules, string> {
  const all = [...modules.values()];
  const release = all[0]?.release ?? basename(tree);
  const odd = all.find((module) => module.release !== release);
  if (odd !== undefined) return err(`${join(tree, odd.path)}: is of kernel ${odd.release}, others there of ${release}`);
  const root = `lib/modules/${release}`;
  const files = all
    .map(({ path, bytes }): CpioEntry => ({ path: `${root}/${path}`, kind: 'file', mode: 0o644, bytes }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const dep: CpioEntry = {
    path: `${root}/modules.dep`,
    kind: 'file',
    mode: 0o644,
    bytes: Buffer.from(depText(modules)),
  };
  return ok({ release, entries: [...foldersOf(files.map(({ path }) => path)), ...files, dep] });
}

/** `PATH: PATHS`, all that must be loaded before it, direct needs first (modules.dep(5)). */
function depText(modules: ReadonlyMap<string, Module>): string {
  const line = (module: Module): string => {
    const before = new Set(module.depends);
    // A set that grows while it is walked is walked to its new end.
    for (const name of before) for (const further of modules.get(name)?.depends ?? []) before.add(further);
    const paths = [...before].flatMap((name) => modules.get(name)?.path ?? []);
    return [`${module.path}:`, ...paths].join(' ');
  };
  return [...modules.values()].map((module) => `${line(module)}\n`).join('');
}
