/** Tells why a run does not go on: who waits for what, and who holds it. */
import type { Context } from './context.ts';
import type { Simulation } from './simulation.ts';

/** A context that waits although nothing is left that could let it go on. */
export interface Waiter {
  readonly context: string;
  /** The operation and the object it waits at, with the object's value: `lock rtnl (W-PRI)`. */
  readonly waitsFor: string;
  readonly heldBy: string | undefined;
}

export interface StuckReport {
  /** A ring of contexts each of which waits for what the next one holds; empty when there is none. */
  readonly cycle: readonly string[];
  readonly waiters: readonly Waiter[];
}

/** What is stuck once a run has come to rest; undefined when only daemons wait, as they should. */
export function findStuck(sim: Simulation): StuckReport | undefined {
  const stuck = [...sim.alive()].filter((context) => !context.ready && isStuck(context));
  if (stuck.length === 0) return undefined;
  return { cycle: findCycle(stuck), waiters: stuck.map(describeWait) };
}

/** The contexts that can still run, for the report of a run that reached its limit of steps. */
export function describeRunning(sim: Simulation): string {
  const running = [...sim.alive()].filter((context) => context.ready);
  const names = running.map(
    (context) => `${context.name} (${context.operation?.kind} ${context.operation?.object.name})`,
  );
  return names.join(', ');
}

export function describeStuck(report: StuckReport): string {
  const lines = report.waiters.map((waiter) => {
    const holder = waiter.heldBy === undefined ? '' : `, held by ${waiter.heldBy}`;
    return `${waiter.context} waits: ${waiter.waitsFor}${holder}`;
  });
  if (report.cycle.length > 0) lines.unshift(`deadlock: ${[...report.cycle, report.cycle[0]].join(' -> ')}`);
  return lines.join('; ');
}

/** A daemon may rest at its own queue; one that stopped in the middle of its work is as stuck as anybody. */
export function isStuck(context: Context): boolean {
  const operation = context.operation;
  if (operation === undefined) return false;
  return !(context.daemon && RESTING.has(operation.kind));
}

/** The operations at which a worker with nothing to do waits. */
const RESTING = new Set(['take', 'begin', 'read', 'heed', 'tick']);

function describeWait(context: Context): Waiter {
  const operation = context.operation;
  const object = operation?.object;
  const why = context.waitingFor === undefined ? '' : ` for ${context.waitingFor}`;
  return {
    context: context.name,
    waitsFor: `${operation?.kind} ${object?.name} (${object?.peek()})${why}`,
    heldBy: object?.heldBy()?.name,
  };
}

function findCycle(stuck: readonly Context[]): readonly string[] {
  for (const start of stuck) {
    const path: Context[] = [];
    let at: Context | undefined = start;
    while (at !== undefined && !path.includes(at)) {
      path.push(at);
      at = at.operation?.object.heldBy();
    }
    if (at !== undefined) return path.slice(path.indexOf(at)).map((context) => context.name);
  }
  return [];
}
