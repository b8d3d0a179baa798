/**
 * Commands that somebody carries out in the guest and that may never come back (whoever waits for the RTNL cannot be
 * interrupted): each runs in the background there, so that the line to the agent is free while it waits.
 */
import { formatDuration, ms, type Nanoseconds, seconds } from '../../base/time.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import type { RunInGuest } from './guest-record.ts';

/** What the guest answers while a job still runs; timeout(1) has the same. */
const RUNNING = 124;
/** Seconds for which the agent itself waits: what is done by then costs one command. Invented. */
const PATIENCE_OF_AGENT = 1;
/** Between two looks at a job that takes longer; twice as much each time, up to the longest. Invented. */
const [FIRST_LOOK, LONGEST_BETWEEN] = [ms(50), seconds(5)];
/** The kernel calls a task hung that has waited so long (CONFIG_DEFAULT_HUNG_TASK_TIMEOUT). */
const LIMIT: Nanoseconds = seconds(120);

/** Where a job says that it is over: whoever waits for it starts no program for that. */
const BELL = `${FOLDER}/job-bell`;
const PRINT = `${FOLDER}/print`;

/** Prints a file, as cat does. */
const PRINTER = `while IFS= read -r line; do echo "$line"; done <$1
[ -z "$line" ] || echo "$line"
`;

export const INSTALL_JOBS: readonly string[] = [`mkfifo ${BELL}`, ...writeScript(PRINT, PRINTER)];

export class Jobs {
  private readonly sim: Simulation;
  private readonly run: RunInGuest;
  private count = 0;

  constructor(sim: Simulation, run: RunInGuest) {
    this.sim = sim;
    this.run = run;
  }

  /** Runs a command to its end, or until it counts as hung. */
  *do(command: string): Task<{ readonly code: number; readonly output: string }> {
    const file = `${FOLDER}/job-${++this.count}`;
    const look = `[ -s ${file}.code ] || exit ${RUNNING}; read code <${file}.code; set -- ${file}.out; . ${PRINT}; exit $code`;
    const job = `{ (${command}) >${file}.out 2>&1 9>&-; echo $? >${file}.code; echo >&9; } &`;
    const begun = this.sim.now;
    let done = yield* this.run(`exec 9<>${BELL}; ${job} read -t ${PATIENCE_OF_AGENT} x <&9; ${look}`);
    for (let wait = FIRST_LOOK; done.code === RUNNING; wait = Math.min(2 * wait, LONGEST_BETWEEN)) {
      if (this.sim.now - begun >= LIMIT) {
        return { code: RUNNING, output: `it has not come back after ${formatDuration(LIMIT)}` };
      }
      yield* this.sim.sleep(wait, 'the end of a command');
      done = yield* this.run(look);
    }
    return done;
  }
}
