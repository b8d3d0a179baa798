/**
 * What scenario verbs and expectations act on. The model implements it (`machine/`), and so do real user mode and a
 * real kernel, so that one scenario file runs in all of them.
 */
import type { MacAddress } from '../base/mac.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { CallFault } from '../guest/linux/faults.ts';
import type { GuestCommand } from '../guest/uapi/uapi.ts';
import type { HostAction } from '../host/action.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import type { RunLimits, Simulation, Stop } from '../sim/simulation.ts';
import type { Side } from '../trace/event.ts';

/** A device by its scenario name: `nic1` for the synthetic NIC, `nic1.vf` for its VF. */
export type DevName = string;

/** What an expectation asks. */
export type Question =
  | { readonly ask: 'datapath'; readonly nic: string; readonly path: 'vf' | 'synthetic' }
  | { readonly ask: 'present'; readonly dev: DevName; readonly present: boolean }
  | { readonly ask: 'up'; readonly dev: DevName; readonly up: boolean }
  | { readonly ask: 'master'; readonly dev: DevName; readonly master: DevName | undefined }
  | { readonly ask: 'ifname'; readonly dev: DevName; readonly ifname: string }
  | { readonly ask: 'netns'; readonly dev: DevName; readonly netns: string }
  | { readonly ask: 'mtu'; readonly dev: DevName; readonly mtu: number }
  | {
      readonly ask: 'flag';
      readonly dev: DevName;
      readonly flag: 'SLAVE' | 'UP' | 'PROMISC' | 'ALLMULTI';
      readonly set: boolean;
    }
  | { readonly ask: 'lease'; readonly dev: DevName; readonly held: boolean }
  | { readonly ask: 'log'; readonly text: string; readonly seen: boolean }
  | { readonly ask: 'cloud-init'; readonly version: string; readonly outcome: string }
  | { readonly ask: 'lost-at-most'; readonly flow: string; readonly frames: number }
  | { readonly ask: 'servicing-done' };

/** What was found, in words that fit behind "expected ..., found ...". */
export interface Answer {
  readonly holds: boolean;
  readonly found: string;
}

/** Traffic in the guest: `echo` asks a station on the switch and gets answers; `stream` sends both ways. */
export interface FlowPlan {
  readonly name: string;
  readonly kind: 'echo' | 'stream';
  readonly nic: string;
  readonly every: Nanoseconds;
  /** Bytes of a frame, Ethernet header included: 64 to 1514. */
  readonly bytes: number;
}

export interface Stage {
  readonly sim: Simulation;
  /** The delays that the stage models; a stage that takes real time has none. */
  readonly latency?: Latency;
  /** Returns when the modules that the plan names are loaded; a stage that begins with them loaded has none. */
  booted?(): Task;
  /** Lets time go on within the limits; where it is not there, the simulation is all that there is to run. */
  run?(limits: RunLimits): Stop;
  /** How long a run goes on behind its last step on a stage that never comes to rest. */
  readonly settling?: Nanoseconds;
  /** Why nothing more can happen, when the guest has stopped for good, and what it said last. */
  readonly death?: { readonly what: string; readonly found: string } | undefined;
  /** Called once, when the run is over: tells what happened in it and was not told yet. */
  conclude?(): void;
  /** Why the invariants cannot be judged, behind {@link conclude}: it has not seen all that they are about. */
  readonly unseen?: string | undefined;
  /** Does it, and returns when the host has taken it up (not when all its consequences are over). A refusal is in the
   * trace, and the answer says why. */
  host(action: HostAction): Task<{ readonly refused: string } | undefined>;
  /** Runs a command in the guest; `dev` verbs are resolved to the interface name of the moment. An errno is the text
   * of the refusal. */
  guest(command: GuestVerb): Task<{ readonly refused: string } | undefined>;
  /** Makes a call inside of the guest's kernel fail; a stage whose kernel is none of ours has no such thing. */
  failCall?(fault: CallFault): Task<{ readonly refused: string } | undefined>;
  startFlow(flow: FlowPlan): Task<{ readonly refused: string } | undefined>;
  stopFlow(name: string): Task<{ readonly refused: string } | undefined>;
  /** The rings that hold something although nothing can run, with the side that ought to read it. Only looks. */
  unread?(): readonly { readonly dev: DevName; readonly reader: Side }[];
  /** The answer at this moment. Only looks, but may have to ask the guest. */
  ask(question: Question): Task<Answer>;
  /** Blocks until the answer holds, or the limit is over; gives the last answer. */
  until(question: Question, limit: Nanoseconds): Task<Answer>;
}

/** A guest command that calls its device by the scenario's name. */
export type GuestVerb =
  | DevicelessCommand
  | { readonly do: 'up' | 'down'; readonly dev: DevName }
  | { readonly do: 'mtu'; readonly dev: DevName; readonly mtu: number }
  | { readonly do: 'address'; readonly dev: DevName; readonly mac: MacAddress }
  | { readonly do: 'add-address' | 'remove-address'; readonly dev: DevName; readonly address: string }
  | { readonly do: 'rename' | 'move-netns'; readonly dev: DevName; readonly to: string }
  | { readonly do: 'reclaim-netns'; readonly dev: DevName; readonly from: string };

/** What is done to no device that the scenario names: to none, or to one that the guest makes itself. */
export type DevicelessCommand =
  | Extract<
      GuestCommand,
      { readonly do: 'load' | 'unload' | 'add-netns' | 'delete-netns' | 'send' | 'join' | 'leave' | 'bind' }
    >
  | Extract<GuestCommand, { readonly do: 'add-link' | 'delete-link' | 'open' | 'move-netns' | 'divert' | 'dispatch' }>;
