/** A machine whose guest has what a stage needs: its scripts, the kernel's messages on the console, and the record. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Task } from '../../sim/operation.ts';
import { isAnswered } from '../agent.ts';
import type { RealMachine } from '../real-machine.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import { GuestRecord, RECORD_SCRIPTS } from './guest-record.ts';
import { INSTALL_INTERFACES } from './interfaces.ts';
import { INSTALL_JOBS } from './jobs.ts';
import { INSTALL_MANAGER } from './manager.ts';

const INSTALLED = [...INSTALL_INTERFACES, ...INSTALL_MANAGER, ...INSTALL_JOBS];

/** Says of a snapshot which preparation is in it: another one is no good. */
export const PREPARATION = createHash('sha256')
  .update(JSON.stringify([INSTALLED, RECORD_SCRIPTS]))
  .digest('hex')
  .slice(0, 8);

/** Where the guest keeps what came of it, for whoever goes on from a snapshot. */
const FILE = `${FOLDER}/prepared`;
const OUTCOME = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('is no JSON');
      return z.NEVER;
    }
  })
  .pipe(z.object({ release: z.string(), problem: z.string().optional(), missing: z.array(z.string()) }));

export class PreparedGuest {
  readonly machine: RealMachine;
  readonly record: GuestRecord;
  /** As `uname -r` says it. */
  release = '';
  /** The command to which it did not answer, if there was one. */
  unanswered: string | undefined;

  constructor(machine: RealMachine) {
    this.machine = machine;
    this.record = new GuestRecord((line) => this.run(line));
  }

  /** Takes up what was prepared before; does it where it was not. The guest is at its shell, and no driver is loaded. */
  *prepare(): Task {
    if (yield* this.resume()) return;
    // 8: every message of the kernel goes to the console (kernel/printk/printk.c).
    this.release = (yield* this.run('dmesg -n 8; uname -r')).output.trim();
    for (const line of INSTALLED) yield* this.run(line);
    yield* this.record.start();
    const { release } = this;
    const { problem, missing } = this.record;
    for (const line of writeScript(FILE, `${JSON.stringify({ release, problem, missing })}\n`)) yield* this.run(line);
  }

  /** Runs a command line that comes back by itself. */
  *run(line: string): Task<{ readonly code: number; readonly output: string }> {
    const outcome = yield* this.machine.agent.run(line);
    if (isAnswered(outcome)) return outcome;
    this.unanswered ??= line;
    return { code: -1, output: `${outcome.problem}: ${line}` };
  }

  private *resume(): Task<boolean> {
    const { code, output } = yield* this.run(`[ -e ${FILE} ] && read -r line <${FILE} && echo "$line"`);
    if (code !== 0) return false;
    const kept = OUTCOME.safeParse(output);
    // What the guest says may be anything; then it is prepared anew.
    if (!kept.success) return false;
    const { release, problem, missing } = kept.data;
    this.release = release;
    this.record.problem = problem;
    this.record.missing = missing;
    return true;
  }
}
