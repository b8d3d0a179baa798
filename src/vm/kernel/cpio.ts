/**
 * The archive format of an initrd: cpio "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). The
 * kernel unpacks several that stand one after the other. The same entries give the same bytes: no time, no owner but
 * root, inode numbers by position. Left out: hard links, checksums ("070702").
 */
import { assert } from '../../base/assert.ts';

/** One entry. `path` without a leading slash; folders come before what is in them. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | {
      readonly path: string;
      readonly kind: 'character-device';
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
/** Header, name and data each begin at a multiple of it. */
const ALIGNMENT = 4;
/** What tools pad an archive to; the kernel skips the zeros between two archives (init/initramfs.c, do_reset). */
const BLOCK = 512;

/** File types of `st_mode` (Linux, include/uapi/linux/stat.h). */
const TYPE = { directory: 0o040000, file: 0o100000, link: 0o120000, 'character-device': 0o020000 } as const;

/** An archive with these entries in this order, padded to {@link BLOCK}. */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const pieces = entries.map((entry, index) => encodeEntry(entry, index));
  pieces.push(
    encodeRecord({ inode: 0, mode: 0, links: 1, path: TRAILER, major: 0, minor: 0, bytes: new Uint8Array() }),
  );
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat(pieces, Math.ceil(size / BLOCK) * BLOCK);
}

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array {
  assert(entry.path !== '' && !entry.path.startsWith('/'), `cpio: ${entry.path} is no relative path`);
  const record = { inode, links: 1, path: entry.path, major: 0, minor: 0, bytes: new Uint8Array() };
  switch (entry.kind) {
    case 'directory':
      return encodeRecord({ ...record, links: 2, mode: TYPE.directory | 0o755 });
    case 'file':
      return encodeRecord({ ...record, mode: TYPE.file | entry.mode, bytes: entry.bytes });
    case 'link':
      return encodeRecord({ ...record, mode: TYPE.link | 0o777, bytes: Buffer.from(entry.target) });
    case 'character-device':
      return encodeRecord({ ...record, mode: TYPE[entry.kind] | entry.mode, major: entry.major, minor: entry.minor });
  }
}

interface Record {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly path: string;
  /** Of the device that the entry is. */
  readonly major: number;
  readonly minor: number;
  readonly bytes: Uint8Array;
}

function encodeRecord({ inode, mode, links, path, major, minor, bytes }: Record): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const [owner, time, check] = [0, 0, 0];
  const fields = [
    ...[inode, mode, owner, owner, links, time, bytes.length],
    // The device that the file system stood on, then the one that the entry is.
    ...[0, 0, major, minor, name.length, check],
  ];
  const header = Buffer.from(MAGIC + fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join(''));
  const named = padded(Buffer.concat([header, name]));
  return Buffer.concat([named, padded(bytes)]);
}

const padded = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes], Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT);

/** The folders above these paths, each once, outermost first. */
export function foldersOf(paths: readonly string[]): readonly CpioEntry[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, depth) => {
      folders.add(parts.slice(0, depth + 1).join('/'));
    });
  }
  return [...folders].sort().map((path) => ({ path, kind: 'directory' }));
}
