/** From the power switch to the guest's shell. */
import { mac } from '../base/mac.ts';
import { err, ok, type Result } from '../base/result.ts';
import { formatDuration, ms, type Nanoseconds, seconds } from '../base/time.ts';
import type { Catalogue } from '../host/plan.ts';
import type { Recorder } from '../trace/recorder.ts';
import { type MachineImages, RealMachine, type RealPlan } from './real-machine.ts';
import { type GuestEnd, sayEnd } from './run-end.ts';
import { PreparedGuest } from './stage/prepared-guest.ts';

export interface BootOptions {
  readonly images: MachineImages;
  readonly memoryMb: number;
  /** With what a stage needs in its guest. */
  readonly forStage?: true;
}

/** The event loop gets its turn while it boots. */
export interface BootWatch {
  /** Called now and then with the guest's moment. */
  readonly tell?: (now: Nanoseconds) => void;
  readonly signal?: AbortSignal;
}

export interface BootFailure {
  /** `input`: what was given does not fit. `guest`: it did not come as far as its shell. */
  readonly whose: 'input' | 'guest' | 'aborted';
  /** One line for people. */
  readonly text: string;
  /** The last lines of its console. */
  readonly tail: readonly string[];
}

export const ABORTED: BootFailure = { whose: 'aborted', text: 'interrupted', tail: [] };

/** Debian's 6.1 needs 2.6 s. Invented. */
const LIMIT = seconds(30);
/** From the agent's first word on, until the shell has printed its prompt. Invented. */
const SETTLING = ms(200);
/** Quanta between two turns of the event loop: some tens of milliseconds. */
const TURN = 200;

/** A machine whose guest waits at its shell. It needs the agent of netvsim's own initrd. */
export async function bootToShell(
  plan: RealPlan,
  catalogue: Catalogue,
  options: BootOptions & { readonly trace?: Recorder },
  watch: BootWatch = {},
): Promise<Result<RealMachine, BootFailure>> {
  const { images, memoryMb, trace } = options;
  const settings = trace === undefined ? { memoryMb } : { memoryMb, trace };
  const machine = await RealMachine.create(plan, catalogue, images, settings);
  if (!machine.ok) return err({ whose: 'input', text: machine.error, tail: [] });
  const failure = await toShell(machine.value, watch);
  return failure === undefined ? machine : err(failure);
}

/** The same as a snapshot, which fits any NICs. */
export async function toSnapshot(
  catalogue: Catalogue,
  options: BootOptions,
  watch: BootWatch = {},
): Promise<Result<Uint8Array, BootFailure>> {
  const booted = await bootToShell(planOfAny(catalogue), catalogue, options, watch);
  if (!booted.ok) return booted;
  if (options.forStage === true) {
    const prepared = prepareGuest(booted.value);
    if (!prepared.ok) return prepared;
    booted.value.runUntil(() => false, { time: SETTLING });
  }
  const saved = booted.value.save();
  return saved.ok ? saved : err({ whose: 'guest', text: `the guest cannot be kept: ${saved.error}`, tail: [] });
}

/** Puts into a guest at its shell what a stage needs. */
export function prepareGuest(machine: RealMachine): Result<PreparedGuest, BootFailure> {
  const guest = new PreparedGuest(machine);
  const end = machine.runTask('preparation', guest.prepare(), { time: LIMIT });
  if (end.ok) return ok(guest);
  const { error } = end;
  const text =
    error === 'time' || error === 'slices' ? 'the guest hangs: it does not get ready' : sayEnd(machine, error);
  return err({ whose: 'guest', text, tail: machine.console.tail() });
}

async function toShell(machine: RealMachine, { tell, signal }: BootWatch): Promise<BootFailure | undefined> {
  const failure = (text: string): BootFailure => ({ whose: 'guest', text, tail: machine.console.tail() });
  for (;;) {
    const end = machine.runUntil(() => machine.agent.save().isReady, { time: LIMIT - machine.now, slices: TURN });
    if (end === 'held') break;
    if (end === 'time') return failure(`the guest hangs: it has no shell after ${formatDuration(LIMIT)}`);
    if (end !== 'slices') return failure(sayEnd(machine, end));
    tell?.(machine.now);
    await new Promise((resume) => setImmediate(resume));
    if (signal?.aborted === true) return ABORTED;
  }
  const end = machine.runUntil(() => false, { time: SETTLING });
  return end === 'time' ? undefined : failure(sayEnd(machine, end as GuestEnd));
}

/** NICs that the host never offers: what it boots with is the same for all. The address is of Microsoft's range. */
function planOfAny({ vfs, synthetics }: Catalogue): RealPlan {
  const [vf, synthetic] = [vfs[0]?.name, synthetics[0]?.name ?? ''];
  const nic = { name: 'nic1', mac: mac('00:0d:3a:00:00:01'), vf, synthetic, serial: 1, pciSerial: 1 };
  return { nics: [nic], latency: {} };
}
