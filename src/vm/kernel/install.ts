/**
 * Puts the boot files together in the cache folder. All is made under a temporary name beside it and renamed at the end:
 * whoever is interrupted has what was there before, or nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { FetchedPackages, PackageSource, Tell } from './apt.ts';
import { readBzImage } from './bzimage.ts';
import {
  type BootFile,
  formatManifest,
  type InstalledPackage,
  kernelFolder,
  type Manifest,
  readInstalled,
} from './cache.ts';
import { encodeCpio } from './cpio.ts';
import { readModules } from './modules.ts';
import { configHasHyperV } from './payload.ts';
import { readUserland } from './userland.ts';

/** Where Debian's package seabios has them: the BIOS of 128 KiB, as the emulator maps it, and QEMU's standard VGA. */
const BIOS = 'usr/share/seabios/bios.bin';
const VGA_BIOS = 'usr/share/seabios/vgabios-stdvga.bin';

export interface Installation {
  /** Nothing was to be done. */
  readonly wasThere: boolean;
  readonly manifest: Manifest;
  readonly warnings: readonly string[];
}

/** Errors: one line, for people; when `signal` is aborted it says no more than that. */
export async function installKernel(
  cache: string,
  source: PackageSource,
  tell: Tell,
  signal: AbortSignal,
): Promise<Result<Installation, string>> {
  const there = readInstalled(cache);
  if (there.ok) return ok({ wasThere: true, manifest: there.value.manifest, warnings: [] });
  const draft = join(cache, `.kernel.${process.pid}.tmp`);
  try {
    removeLeftovers(cache);
    mkdirSync(join(draft, 'packages'), { recursive: true });
  } catch (error) {
    return err(cannotWrite(error, cache));
  }
  try {
    const fetched = await source(join(draft, 'packages'), tell, signal);
    if (!fetched.ok) return fetched;
    tell('writing the boot files');
    const built = buildFiles(fetched.value);
    if (!built.ok) return built;
    const text = formatManifest(built.value.release, fetched.value.packages, built.value.files);
    mkdirSync(join(draft, 'kernel'));
    for (const [name, bytes] of Object.entries(built.value.files)) writeFileSync(join(draft, 'kernel', name), bytes);
    writeFileSync(join(draft, 'kernel', 'manifest.json'), text);
    if (signal.aborted) return err('interrupted');
    replace(join(draft, 'kernel'), kernelFolder(cache), join(draft, 'old'));
    return ok({ wasThere: false, manifest: JSON.parse(text) as Manifest, warnings: fetched.value.warnings });
  } catch (error) {
    return err(cannotWrite(error, cache));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What is no error of the system is a bug of ours. */
function cannotWrite(error: unknown, cache: string): string {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return `${path ?? cache}: cannot be written (${code})`;
}

/** A folder is not renamed onto one that has files: what was there steps aside first. */
function replace(made: string, place: string, aside: string): void {
  try {
    renameSync(place, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  renameSync(made, place);
}

/** Of installations that were ended by force. */
function removeLeftovers(cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const pid = /^\.kernel\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface Built {
  readonly release: string;
  readonly files: Readonly<Record<BootFile, Uint8Array>>;
}

function buildFiles({ root, packages }: FetchedPackages): Result<Built, string> {
  const release = releaseOf(packages);
  if (release === undefined) return err('the packages have no kernel among them');
  const paths = [`boot/vmlinuz-${release}`, `boot/config-${release}`, BIOS, VGA_BIOS];
  const missing = paths.find((path) => !existsSync(join(root, path)));
  if (missing !== undefined) return err(`${missing}: is not in the packages`);
  const [vmlinuz, config, bios, vgaBios] = paths.map((path) => readFileSync(join(root, path))) as Four<Buffer>;
  const image = readBzImage(vmlinuz);
  if (!image.ok) return err(`vmlinuz-${release}: ${image.error}`);
  if (!configHasHyperV(config.toString())) return err(`${release} is built without CONFIG_HYPERV`);
  const modules = readModules(join(root, 'lib/modules', release));
  if (!modules.ok) return modules;
  const userland = readUserland(root);
  if (!userland.ok) return userland;
  const files = {
    vmlinuz,
    'userland.cpio': encodeCpio(userland.value),
    'modules.cpio': encodeCpio(modules.value.entries),
    'bios.bin': bios,
    'vgabios.bin': vgaBios,
  };
  return ok({ release: image.value.release, files });
}

type Four<T> = [T, T, T, T];

const releaseOf = (packages: readonly InstalledPackage[]): string | undefined =>
  packages.flatMap(({ name }) => /^linux-image-(.+)$/.exec(name)?.[1] ?? [])[0];
