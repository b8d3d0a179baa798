/** A machine whose guest has what a stage needs: its scripts, the kernel's messages on the console, and the record. */
import type { Task } from '../../sim/operation.ts';
import { isAnswered } from '../agent.ts';
import type { RealMachine } from '../real-machine.ts';
import { GuestRecord } from './guest-record.ts';
import { INSTALL_INTERFACES } from './interfaces.ts';

export class PreparedGuest {
  readonly machine: RealMachine;
  readonly record: GuestRecord;
  /** As `uname -r` says it. */
  release = '';

  constructor(machine: RealMachine) {
    this.machine = machine;
    this.record = new GuestRecord((line) => this.run(line));
  }

  /** To be done once, with the guest at its shell and no driver of the bus loaded. */
  *prepare(): Task {
    // 8: every message of the kernel goes to the console (kernel/printk/printk.c).
    this.release = (yield* this.run('dmesg -n 8; uname -r')).output.trim();
    for (const line of INSTALL_INTERFACES) yield* this.run(line);
    yield* this.record.start();
  }

  /** Runs a command line that comes back by itself. */
  *run(line: string): Task<{ readonly code: number; readonly output: string }> {
    const outcome = yield* this.machine.agent.run(line);
    return isAnswered(outcome) ? outcome : { code: -1, output: `${outcome.problem}: ${line}` };
  }
}
