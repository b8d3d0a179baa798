/**
 * The cache folder: the boot files that an installation has made, and the manifest that says what they are. The same
 * packages make the same manifest, byte for byte.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { err, ok, type Result } from '../../base/result.ts';

/** Goes up when what stands in the folder changes. */
const FORMAT = 1;

/** `userland` and `modules` are cpio archives. */
const BOOT_FILES = ['vmlinuz', 'userland.cpio', 'modules.cpio', 'bios.bin', 'vgabios.bin'] as const;
export type BootFile = (typeof BOOT_FILES)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const MANIFEST = z.strictObject({
  format: z.literal(FORMAT),
  /** As `uname -r` says it. */
  release: z.string(),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string(), architecture: z.string(), sha256 })),
  files: z.strictObject(
    Object.fromEntries(BOOT_FILES.map((name) => [name, z.strictObject({ bytes: z.int(), sha256 })])) as Record<
      BootFile,
      z.ZodObject<{ bytes: z.ZodInt; sha256: typeof sha256 }>
    >,
  ),
});

export type Manifest = z.infer<typeof MANIFEST>;
export type InstalledPackage = Manifest['packages'][number];

export interface Installed {
  readonly manifest: Manifest;
  readonly files: Readonly<Record<BootFile, Uint8Array>>;
}

/** `$XDG_CACHE_HOME/netvsim` or `~/.cache/netvsim` (XDG Base Directory Specification: a relative path does not count). */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'netvsim');
}

/** Where in the cache folder the kernel stands; netvsim keeps other things beside it. */
export const kernelFolder = (cache: string): string => join(cache, 'kernel');

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The text of manifest.json for these files. */
export function formatManifest(
  release: string,
  packages: readonly InstalledPackage[],
  files: Readonly<Record<BootFile, Uint8Array>>,
): string {
  const manifest: Manifest = {
    format: FORMAT,
    release,
    packages: [...packages].sort((a, b) => (a.name < b.name ? -1 : 1)),
    files: Object.fromEntries(
      BOOT_FILES.map((name) => [name, { bytes: files[name].length, sha256: sha256Of(files[name]) }]),
    ) as Manifest['files'],
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

const REMEDY = "run 'netvsim kernel install'";

/** Errors, one line each: nothing installed, of another version of netvsim, damaged. */
export function readInstalled(cache: string): Result<Installed, string> {
  const manifest = readManifest(cache);
  if (!manifest.ok) return manifest;
  const files: Partial<Record<BootFile, Uint8Array>> = {};
  for (const name of BOOT_FILES) {
    const file = join(kernelFolder(cache), name);
    const bytes = readOrNone(file);
    if (bytes === undefined) return err(`${file}: is missing: ${REMEDY}`);
    if (sha256Of(bytes) !== manifest.value.files[name].sha256)
      return err(`${file}: is damaged, its SHA-256 is not that of the manifest: ${REMEDY}`);
    files[name] = bytes;
  }
  return ok({ manifest: manifest.value, files: files as Record<BootFile, Uint8Array> });
}

function readManifest(cache: string): Result<Manifest, string> {
  const file = join(kernelFolder(cache), 'manifest.json');
  const bytes = readOrNone(file);
  if (bytes === undefined) return err(`no kernel is installed in ${cache}: ${REMEDY}`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return err(`${file}: is damaged, it is no JSON: ${REMEDY}`);
  }
  const format = (json as { readonly format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== FORMAT)
    return err(`${file}: is of another version of netvsim (format ${format}, this one reads ${FORMAT}): ${REMEDY}`);
  const parsed = MANIFEST.safeParse(json);
  return parsed.success ? ok(parsed.data) : err(`${file}: is damaged, it is no manifest: ${REMEDY}`);
}

function readOrNone(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
