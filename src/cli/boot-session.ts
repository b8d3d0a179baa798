/** `netvsim boot` without a scenario: a guest, and a user or a script before its console. */
import { stripVTControlCharacters } from 'node:util';
import { formatDuration, type Nanoseconds, seconds } from '../base/time.ts';
import type { Names } from '../scenario/vocabulary.ts';
import type { Task } from '../sim/operation.ts';
import { Recorder } from '../trace/recorder.ts';
import type { BootFailure } from '../vm/boot.ts';
import type { BootImages } from '../vm/kernel/images.ts';
import { RealMachine, type RealPlan } from '../vm/real-machine.ts';
import { startMachine } from '../vm/start.ts';
import { ConsoleSession } from './boot-console.ts';
import { EventLines } from './boot-events.ts';
import { type Ending, Guest } from './boot-guest.ts';
import { PipeSession } from './boot-pipe.ts';
import { Signals } from './boot-signals.ts';
import { EXIT, InputError } from './input-error.ts';
import { CATALOGUE } from './model.ts';
import { clearProgress, showProgress } from './progress.ts';
import { readBytes } from './read-file.ts';
import { complain, print } from './terminal.ts';

export interface SessionOptions {
  readonly images: BootImages;
  readonly cache: string;
  readonly plan: RealPlan;
  readonly names: Names;
  readonly memoryMb: number;
  /** An initrd of the user's, in which there is no agent of ours. */
  readonly hasOwnInitrd: boolean;
  /** Load no drivers. */
  readonly bare: boolean;
  /** Boot anew. */
  readonly cold: boolean;
  /** A snapshot to go on from. */
  readonly snapshot: string | undefined;
  /** How long the session is at a terminal; in a pipe, how long a line has. */
  readonly span: Nanoseconds | undefined;
}

/** Why a session is over. */
export type SessionEnd =
  | { readonly by: 'user' | 'time' | 'signal' }
  | { readonly by: 'guest'; readonly ending: Ending };

/** The drivers of a guest need a second of its time. Invented. */
const PREPARING_MOST = seconds(60);

/** Returns the exit code. */
export async function runSession(options: SessionOptions): Promise<number> {
  const signals = new Signals();
  const recorder = new Recorder();
  try {
    const started = await start(options, recorder, signals);
    if ('whose' in started) return sayFailure(started, signals);
    const guest = new Guest(started.machine, options.images.release, !options.hasOwnInitrd);
    const events = new EventLines(recorder);
    const isTerminal = process.stdin.isTTY === true;
    if (isTerminal) print(bannerOf(options));
    const hung = options.snapshot === undefined ? await prepare(guest, options, signals) : undefined;
    if (hung !== undefined) return sayEnding(guest, hung);
    const around = { guest, names: options.names, events, signals };
    if (!isTerminal) {
      const session = new PipeSession({ ...around, span: options.span });
      return exitOf(await session.run(), guest, signals, session.hasFailed);
    }
    const until = options.span === undefined ? Number.MAX_SAFE_INTEGER : guest.now + options.span;
    return exitOf(await new ConsoleSession({ ...around, until }).run(), guest, signals, false);
  } finally {
    clearProgress();
  }
}

async function start(
  options: SessionOptions,
  trace: Recorder,
  signals: Signals,
): Promise<{ readonly machine: RealMachine } | BootFailure> {
  const { plan, images, memoryMb, cold, snapshot, hasOwnInitrd, cache } = options;
  if (snapshot !== undefined) {
    const machine = await RealMachine.restore(plan, CATALOGUE, images, readBytes(snapshot), { trace });
    if (machine.ok) return { machine: machine.value };
    const { error } = machine;
    throw new InputError(`${snapshot}: ${typeof error === 'string' ? error : error.text}`);
  }
  // When its shell is there only its user knows.
  if (hasOwnInitrd) {
    const machine = await RealMachine.create(plan, CATALOGUE, images, { memoryMb, trace });
    if (machine.ok) return { machine: machine.value };
    throw new InputError(machine.error);
  }
  const isShown = process.stderr.isTTY === true;
  const started = await startMachine({
    plan,
    catalogue: CATALOGUE,
    images,
    memoryMb,
    cache,
    cold,
    trace,
    worker: new URL('./boot-worker.js', import.meta.url),
    signal: signals.signal,
    tell: (now) => isShown && showProgress(`booting ${images.release}: ${formatDuration(now)} of its time`),
  });
  clearProgress();
  if (!started.ok) return started.error;
  if (started.value.notKept !== undefined) complain(started.value.notKept);
  return started.value;
}

/** NICs and drivers, while nobody is served yet. Returns why that did not come to its end. */
async function prepare(guest: Guest, { bare }: SessionOptions, signals: Signals): Promise<Ending | undefined> {
  if (!guest.hasAgent) return undefined;
  let result: { readonly problem: string | undefined } | undefined;
  const all = function* (): Task {
    yield* guest.speakUp();
    result = { problem: bare ? undefined : yield* guest.prepare() };
  };
  guest.machine.spawn('drivers', all());
  const last = guest.now + PREPARING_MOST;
  while (result === undefined && guest.ending === undefined && guest.now < last && signals.caught === undefined) {
    const until = performance.now() + TURN_MS;
    guest.runTo(last, () => result !== undefined || performance.now() >= until);
    await signals.sleep(0);
  }
  if (guest.ending !== undefined) return guest.ending;
  const problem = (result as { readonly problem: string | undefined } | undefined)?.problem;
  return problem === undefined ? undefined : { isFailure: true, text: problem };
}

/** Of a guest that nobody sits before yet. Invented. */
const TURN_MS = 50;

function bannerOf({ images, plan, memoryMb, bare, snapshot, hasOwnInitrd }: SessionOptions): string {
  const nics = plan.nics
    .map(({ name, mac, vf }) => `${name} (${mac}${vf === undefined ? '' : ', with a VF'})`)
    .join(', ');
  const isLoaded = !bare && snapshot === undefined && !hasOwnInitrd;
  return `Linux ${images.release} on netvsim's host, ${memoryMb} MB, ${nics}${isLoaded ? '' : '; no driver is loaded'}.
Ctrl-] is the host's line: help, status, host plug vf of ${plan.nics[0]?.name}, quit. Ctrl-] twice goes to the guest.

`;
}

function exitOf(end: SessionEnd, guest: Guest, signals: Signals, hasFailed: boolean): number {
  if (end.by === 'signal') return signals.exit;
  if (end.by === 'guest') return sayEnding(guest, end.ending) || (hasFailed ? EXIT.failed : EXIT.held);
  return hasFailed ? EXIT.failed : EXIT.held;
}

function sayEnding(guest: Guest, { isFailure, text }: Ending): number {
  // On a terminal they stand just above.
  const isSeen = process.stdout.isTTY === true && process.stderr.isTTY === true;
  const tail = isFailure && !isSeen ? [...guest.machine.console.tail().map(stripVTControlCharacters), ''] : [];
  complain([...tail, text].join('\n'));
  return isFailure ? EXIT.failed : EXIT.held;
}

function sayFailure({ whose, text, tail }: BootFailure, signals: Signals): number {
  if (whose === 'aborted') return signals.exit;
  if (whose === 'input') throw new InputError(text);
  complain([...tail.map(stripVTControlCharacters), '', text].join('\n'));
  return EXIT.failed;
}
