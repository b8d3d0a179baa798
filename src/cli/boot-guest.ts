/** The guest of `netvsim boot`: a machine that goes on as long as its kernel does, with its NICs and their drivers. */
import type { Nanoseconds } from '../base/time.ts';
import type { Task } from '../sim/operation.ts';
import { isAnswered } from '../vm/agent.ts';
import type { RealMachine } from '../vm/real-machine.ts';
import { sayEnd } from '../vm/run-end.ts';

/** Why it does not go on. */
export interface Ending {
  /** What a guest does on purpose is no failure. */
  readonly isFailure: boolean;
  /** One line for people. */
  readonly text: string;
}

/** So far no sleep of the processor reaches: a run ends behind one and not within it. */
const BEYOND: Nanoseconds = 3_600_000_000_000;

export class Guest {
  readonly machine: RealMachine;
  /** As `uname -r` says it. */
  readonly release: string;
  /** There is an agent on its second serial line; an initrd of the user's has none. */
  readonly hasAgent: boolean;
  private size: { readonly rows: number; readonly columns: number } | undefined;
  private isSizing = false;

  constructor(machine: RealMachine, release: string, hasAgent: boolean) {
    this.machine = machine;
    this.release = release;
    this.hasAgent = hasAgent;
  }

  get now(): Nanoseconds {
    return this.machine.now;
  }

  get ending(): Ending | undefined {
    const { machine } = this;
    const { ended } = machine;
    if (ended === undefined) return undefined;
    return { isFailure: ended !== 'off' && ended !== 'reset', text: sayEnd(machine, ended) };
  }

  /**
   * Runs to that moment, or as far as the processor sleeps beyond it: a sleep that is cut in two is another one, and then
   * a session would depend on when somebody looked. Comes back before when the guest has ended or `enough` says so.
   */
  runTo(due: Nanoseconds, enough: () => boolean = () => false): void {
    const { machine } = this;
    if (this.ending !== undefined) return;
    machine.runUntil(() => machine.now >= due || enough(), { time: BEYOND });
  }

  /** What stands in the line of the console that is not whole, as it was printed. */
  get lastLine(): Buffer {
    return this.machine.console.lastLine;
  }

  /** Tells the guest how large the terminal is. The last size counts, however fast they come. */
  resize(rows: number, columns: number): void {
    this.size = { rows, columns };
    if (!this.hasAgent || this.isSizing) return;
    this.isSizing = true;
    this.machine.spawn('terminal size', this.tellSize());
  }

  /** A context of its own for something that a user asks for. */
  spawn(name: string, task: Task): void {
    this.machine.spawn(name, task);
  }

  /** Offers the NICs, and loads their drivers as a distribution would. Undefined, or why that did not come to its end. */
  *prepare(): Task<string | undefined> {
    const { machine } = this;
    for (const { name } of machine.plan.nics) yield* machine.host.act({ do: 'offer', nic: name });
    // A driver that is built in has no module, and no other VF but this one comes.
    const outcome = yield* machine.agent.run('for m in hv_netvsc ne2k-pci; do modprobe -q $m; done');
    return isAnswered(outcome) ? undefined : 'the guest hangs: it does not come back from loading its drivers';
  }

  /** Kernel messages of every level are shown, which a boot with "quiet" does not. */
  *speakUp(): Task {
    yield* this.machine.agent.run('dmesg -n 8');
  }

  private *tellSize(): Task {
    while (this.size !== undefined) {
      const { rows, columns } = this.size;
      this.size = undefined;
      yield* this.machine.agent.run(`stty -F /dev/ttyS0 rows ${rows} columns ${columns}`);
    }
    this.isSizing = false;
  }
}
