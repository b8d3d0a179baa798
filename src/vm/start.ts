/**
 * A machine whose guest waits at its shell: it is booted once for a set of images, kept as a snapshot in the cache folder,
 * and goes on from there ever after. The first time as well, so that all runs have the same past.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Catalogue } from '../host/plan.ts';
import type { Recorder } from '../trace/recorder.ts';
import { type BootFailure, type BootOptions, type BootWatch, bootToShell, toSnapshot } from './boot.ts';
import { bootInProcess } from './boot-process.ts';
import { RealMachine, type RealPlan } from './real-machine.ts';
import { whyNotInSlots } from './slots.ts';
import { PREPARATION } from './stage/prepared-guest.ts';

export interface StartOptions extends BootOptions, BootWatch {
  readonly plan: RealPlan;
  readonly catalogue: Catalogue;
  /** Where netvsim keeps what it can make again: see `cacheFolder`. */
  readonly cache: string;
  /** Boots anew, and neither reads nor writes what is kept. */
  readonly cold?: boolean;
  readonly trace?: Recorder;
  /** The program that boots a guest that is to be kept (`serveBoot`), in a process of its own. */
  readonly worker?: URL;
}

export interface Started {
  readonly machine: RealMachine;
  /** It was booted for this call. */
  readonly isNew: boolean;
  /** Why the next call will have to boot as well, in one line. */
  readonly notKept?: string;
}

/** Older ones are removed: each has 15 MB. Invented. */
const KEPT_MOST = 4;
/** A draft that is older than an hour, in ms, has nobody who writes it. Invented. */
const DRAFT_AGE = 3_600_000;

export async function startMachine(options: StartOptions): Promise<Result<Started, BootFailure>> {
  const { plan, catalogue, images, trace, worker } = options;
  const problem = whyNotInSlots(plan.nics);
  if (problem !== undefined) return err({ whose: 'input', text: problem, tail: [] });
  const traced = trace === undefined ? {} : { trace };
  if (options.cold === true) {
    const booted = await bootToShell(plan, catalogue, { ...options, ...traced }, options);
    return booted.ok ? ok({ machine: booted.value, isNew: true }) : booted;
  }
  const file = snapshotFile(options);
  const kept = readKept(file);
  if (kept !== undefined) {
    const machine = await RealMachine.restore(plan, catalogue, images, kept, traced);
    if (machine.ok) return ok({ machine: machine.value, isNew: false });
    // What is damaged or of another netvsim is as good as nothing.
  }
  const bytes = await (worker === undefined
    ? toSnapshot(catalogue, options, options)
    : bootInProcess(worker, options, options));
  if (!bytes.ok) return bytes;
  const notKept = keep(options.cache, file, bytes.value);
  const machine = await RealMachine.restore(plan, catalogue, images, bytes.value, traced);
  assert(machine.ok, 'a machine does not come back from its own snapshot');
  return ok({ machine: machine.value, isNew: true, ...(notKept === undefined ? {} : { notKept }) });
}

const snapshotFolder = (cache: string): string => join(cache, 'snapshots');

/** Eight bytes of a SHA-256 tell the few images apart that a user has; the snapshot itself knows all of them. */
const snapshotFile = ({ cache, images, memoryMb, forStage }: StartOptions): string => {
  const stage = forStage === undefined ? '' : `-stage-${PREPARATION}`;
  return join(snapshotFolder(cache), `${images.id.slice(0, 16)}-${memoryMb}${stage}.machine`);
};

function readKept(file: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    const now = new Date();
    utimesSync(file, now, now);
    return bytes;
  } catch {
    return undefined;
  }
}

/** Appears whole or not at all. Returns why it is not kept. */
function keep(cache: string, file: string, bytes: Uint8Array): string | undefined {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    mkdirSync(snapshotFolder(cache), { recursive: true });
    writeFileSync(draft, bytes);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `${path ?? file}: cannot be written (${code}): the guest boots anew each time`;
  }
  removeOld(snapshotFolder(cache));
  return undefined;
}

/** What was not used for longest goes, and drafts of who was killed meanwhile. */
function removeOld(folder: string): void {
  const files = readdirSync(folder).map((name) => ({ file: join(folder, name), at: usedAt(join(folder, name)) }));
  const kept = files.filter(({ file }) => file.endsWith('.machine')).sort((a, b) => b.at - a.at);
  const drafts = files.filter(({ file, at }) => file.endsWith('.tmp') && Date.now() - at > DRAFT_AGE);
  for (const { file } of [...kept.slice(KEPT_MOST), ...drafts]) rmSync(file, { force: true });
}

/** When it was written or read last, in ms; 0 when another netvsim has just removed it. */
const usedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
