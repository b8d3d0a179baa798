/**
 * Commands in the real guest, as something that a context of the simulation can wait for: one at a time, over the serial
 * line of the agent (kernel/agent-line.ts).
 */
import { seconds } from '../base/time.ts';
import { Mutex } from '../sim/mutex.ts';
import type { Task } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import { WaitCell } from '../sim/wait-cell.ts';
import { type AgentAnswer, AgentReader, agentLine } from './kernel/agent-line.ts';
import type { SerialLine } from './processor/serial-line.ts';

/** How long a command may take before the guest counts as hung, where nothing else is said. Invented. */
const LIMIT = seconds(60);

/** Ctrl-C (POSIX.1-2017, 11.1.9, INTR): the agent's line makes a signal of it, which ends the command. */
const INTERRUPT = Uint8Array.of(3);

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Why a command came to nothing. */
export interface CommandFailure {
  readonly problem: 'unsayable' | 'no answer';
  readonly command: string;
  /** What it had printed. */
  readonly output: string;
}

export type CommandOutcome = CommandResult | CommandFailure;

export interface AgentRecord {
  readonly sequence: number;
  readonly isReady: boolean;
}

export class Agent {
  private readonly sim: Simulation;
  private readonly line: SerialLine;
  private readonly reader = new AgentReader();
  private readonly turn: Mutex;
  private ready: WaitCell<true>;
  private isReady = false;
  private sequence = 0;
  private waiting: { readonly sequence: number; readonly cell: WaitCell<CommandResult> } | undefined;
  /** The last command that the guest has answered. */
  private answered = 0;

  constructor(sim: Simulation, line: SerialLine) {
    this.sim = sim;
    this.line = line;
    this.turn = new Mutex(sim, 'agent');
    this.ready = new WaitCell(sim, 'agent ready');
    line.listeners.push((byte) => {
      for (const answer of this.reader.push(String.fromCharCode(byte))) this.heard(answer);
    });
  }

  /** Whether the guest is at a command; it may be one for which nobody waits any more. */
  get busy(): boolean {
    return this.answered !== this.sequence;
  }

  /**
   * Runs a command line in a shell of its own, without input; `output` is what it wrote, errors among it. One that takes
   * longer than the limit is interrupted, and nobody waits for what becomes of that.
   */
  *run(command: string, limit = LIMIT): Task<CommandOutcome> {
    yield* this.turn.lock();
    const outcome = yield* this.runAlone(command, limit);
    yield* this.turn.unlock();
    return outcome;
  }

  save(): AgentRecord {
    return { sequence: this.sequence, isReady: this.isReady };
  }

  restore({ sequence, isReady }: AgentRecord): void {
    this.sequence = sequence;
    this.answered = sequence;
    this.isReady = isReady;
  }

  private *runAlone(command: string, limit: number): Task<CommandOutcome> {
    const line = agentLine(this.sequence + 1, command);
    if (line === undefined) return { problem: 'unsayable', command, output: '' };
    if (!this.isReady) yield* this.ready.wait();
    const sequence = ++this.sequence;
    const cell = new WaitCell<CommandResult>(this.sim, `answer of the guest to ${command}`, limit);
    this.waiting = { sequence, cell };
    this.line.send(Buffer.from(line));
    const answer = yield* cell.wait();
    this.waiting = undefined;
    if (answer === undefined) this.line.send(INTERRUPT);
    return answer ?? { problem: 'no answer', command, output: textOf(this.reader.pending) };
  }

  private heard(answer: AgentAnswer): void {
    if (answer.kind === 'ready') {
      if (!this.isReady) this.ready.inject(true);
      this.isReady = true;
      return;
    }
    this.answered = answer.sequence;
    if (answer.sequence === this.waiting?.sequence) {
      this.waiting.cell.inject({ code: answer.exit, output: textOf(answer.output) });
    }
  }
}

/** Whether a command was carried out, whatever its exit code. */
export const isAnswered = (outcome: CommandOutcome): outcome is CommandResult => 'code' in outcome;

/** Text of bytes that were read as one character each, because a line gives them one by one. */
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
