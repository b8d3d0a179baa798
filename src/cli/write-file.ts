/** Output files appear whole or not at all: written under a temporary name, then renamed. */
import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
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
  const folder = dirname(resolve(file));
  try {
    if (!statSync(folder).isDirectory())
      throw new InputError(`cannot write ${file}: ${dirname(file)}: is no directory`);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`cannot write ${file}: ${dirname(file)}: ${explainSystemError(error)}`);
  }
}

/** The files that a command writes, by their flags: each can be written, none is another one or one that it reads. */
export function checkOutputs(
  outputs: Readonly<Record<string, string | undefined>>,
  inputs: readonly (string | undefined)[] = [],
): void {
  const taken = new Map<string, string>();
  for (const input of inputs) if (input !== undefined) taken.set(targetOf(input), 'what this command reads');
  for (const [flag, file] of Object.entries(outputs)) {
    if (file === undefined) continue;
    checkWritable(file);
    refuseOddTarget(file);
    const target = targetOf(file);
    const other = taken.get(target);
    if (other !== undefined && !isStream(file)) throw new InputError(`${flag} ${file}: is ${other}`);
    taken.set(target, `what ${flag} writes`);
  }
}

/** Where something stands that is no plain file: never replaced by one. */
function refuseOddTarget(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile() || isStream(file)) return;
  const what = found.isDirectory() ? 'is a directory' : 'is no file';
  throw new InputError(`cannot write ${file}: ${what}`);
}

/** What is written to and not replaced: a device, and what a shell hands over (`--junit >(command)`). */
function isStream(file: string): boolean {
  if (/^\/dev\/(?:std(?:out|err)|fd\/\d+)$/.test(file)) return true;
  return statSync(file, { throwIfNoEntry: false })?.isCharacterDevice() === true;
}

/** Behind all links: a link is not replaced, what it leads to is. */
function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

let draft: string | undefined;

/** Takes away what was being written when the program was interrupted. */
export function dropDraft(): void {
  if (draft !== undefined) rmSync(draft, { recursive: true, force: true });
  draft = undefined;
}

/** Runs `write` with a temporary name beside the file; when it fails nothing is left. */
function withDraft(file: string, name: string, write: (draft: string) => void): void {
  draft = join(dirname(resolve(file)), `.${basename(resolve(file))}.${process.pid}.tmp`);
  try {
    write(draft);
    draft = undefined;
  } catch (error) {
    dropDraft();
    throw new InputError(`cannot write ${name}: ${explainSystemError(error)}`);
  }
}

export function writeFile(file: string, content: string | Uint8Array): void {
  checkWritable(file);
  refuseOddTarget(file);
  if (isStream(file)) {
    appendTo(file, content);
    return;
  }
  const target = targetOf(file);
  withDraft(target, file, (draft) => {
    writeFileSync(draft, content);
    renameSync(draft, target);
  });
}

function appendTo(stream: string, content: string | Uint8Array): void {
  try {
    appendFileSync(stream, content);
  } catch (error) {
    throw new InputError(`cannot write ${stream}: ${explainSystemError(error)}`);
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
  withDraft(folder, folder, (draft) => {
    mkdirSync(draft);
    for (const node of nodes) writeNode(draft, node);
    try {
      rmdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    renameSync(draft, folder);
  });
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
