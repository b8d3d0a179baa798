/** Output files appear whole or not at all: written under a temporary name, then renamed. */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { SysfsNode } from '../guest/uapi/linux.ts';
import { explainSystemError, InputError } from './input-error.ts';

/** Says before a run what would only fail after it. */
export function checkWritable(file: string | undefined): void {
  if (file === undefined) return;
  if (file === '') throw new InputError('an empty text is no file name');
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw new InputError(`cannot write ${file}: ${dirname(file)}: ${explainSystemError(error)}`);
  }
}

export function writeFile(file: string, content: string | Uint8Array): void {
  const draft = draftOf(file);
  try {
    writeFileSync(draft, content);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new InputError(`cannot write ${file}: ${explainSystemError(error)}`);
  }
}

/** Says why a tree cannot be written there: only where nothing is. */
export function checkFreeDirectory(folder: string): void {
  if (folder === '') throw new InputError('--out: an empty text is no directory name');
  checkWritable(folder);
  try {
    if (readdirSync(folder).length > 0) throw new InputError(`${folder}: is there already, and not empty`);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new InputError(`${folder}: ${explainSystemError(error)}`);
  }
}

/** Files and links below a folder that is not there, or empty. */
export function writeTree(folder: string, nodes: readonly SysfsNode[]): void {
  const draft = draftOf(folder);
  try {
    mkdirSync(draft);
    for (const node of nodes) writeNode(draft, node);
    try {
      rmdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw new InputError(`cannot write ${folder}: ${explainSystemError(error)}`);
  }
}

function writeNode(root: string, node: SysfsNode): void {
  const path = join(root, node.path);
  mkdirSync(node.kind === 'directory' ? path : dirname(path), { recursive: true });
  if (node.kind === 'file') writeFileSync(path, node.text);
  if (node.kind !== 'link') return;
  // Two interfaces of one parent name the same links.
  rmSync(path, { force: true });
  symlinkSync(node.target, path);
}

const draftOf = (file: string): string =>
  join(dirname(resolve(file)), `.${basename(resolve(file))}.${process.pid}.tmp`);
