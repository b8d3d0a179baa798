/**
 * The programs of the guest, out of unpacked Debian packages: busybox, iproute2's `ip`, and just the shared libraries that
 * these two need. Busybox's own `ip` knows neither bonds nor monitors. Debian's busybox-static would do without libraries,
 * but its shell prefers its own `ip` to any other.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type CpioEntry, foldersOf } from './cpio.ts';
import { neededLibraries } from './elf.ts';

const PROGRAMS = ['bin/busybox', 'bin/ip'];
/** Where Debian's packages have them (multiarch tuple of i386); the guest's linker looks in /lib as well (ld.so(8)). */
const LIBRARY_FOLDERS = ['lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu', 'lib'];

/** @param root the packages' files. Errors: a program or library is missing or broken. */
export function readUserland(root: string): Result<readonly CpioEntry[], string> {
  const files = new Map<string, Uint8Array>();
  const wanted = PROGRAMS.map((path) => ({ from: join(root, path), to: path }));
  for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
    if (files.has(next.to)) continue;
    if (!existsSync(next.from)) return err(`${next.to}: is not in the packages`);
    const bytes = readFileSync(next.from);
    const needed = neededLibraries(bytes);
    if (!needed.ok) return err(`${next.to}: ${needed.error}`);
    files.set(next.to, bytes);
    for (const library of needed.value) {
      const from = LIBRARY_FOLDERS.map((folder) => join(root, folder, library)).find((file) => existsSync(file));
      if (from === undefined) return err(`${library}: is not in the packages, and ${next.to} needs it`);
      wanted.push({ from, to: `lib/${library}` });
    }
  }
  const entries = [...files].map(([path, bytes]): CpioEntry => ({ path, kind: 'file', mode: 0o755, bytes }));
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return ok([...foldersOf(entries.map(({ path }) => path)), ...entries]);
}
