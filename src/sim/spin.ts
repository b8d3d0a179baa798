/**
 * Livelock: a run that does the same over and over while time stands still. It is looked for only when a run has been
 * at one moment for suspiciously long, so it costs a healthy one nothing.
 * What this leaves out: a spin that lets time pass (each round sleeps) ends at a limit, and so does one under an order
 * that never lets somebody run who could: that is the order's fault, since on real processors he would run.
 */
import type { Context } from './context.ts';
import type { Simulation } from './simulation.ts';

/** Steps in which everything that a spin does has been seen once. Invented. */
const ROUND = 2_000;
/** Steps that may bring nothing new before it is called a livelock. Invented. */
const PROOF = 10_000;

/** Where a context is: the operation that it does next, and at what. */
const placeOf = ({ name, operation }: Context): string => `${name} (${operation?.kind} ${operation?.object.name})`;

const readyOf = (sim: Simulation): readonly Context[] => [...sim.alive()].filter((context) => context.ready);

/**
 * Looks on while the run goes on, by `step`, which does one step and gives false when there was none. What was done again
 * and again; undefined when time moved, something new came, somebody who could run was never let, or the run ended.
 */
export function findSpin(sim: Simulation, step: () => boolean): readonly string[] | undefined {
  const moment = sim.now;
  const starving = new Set(readyOf(sim));
  const round = new Set<string>();
  for (let i = 0; i < ROUND + PROOF; i++) {
    const done = placesOfStep(sim, step, starving);
    if (done === undefined || sim.now !== moment) return undefined;
    if (i >= ROUND && done.some((place) => !round.has(place))) return undefined;
    for (const place of done) round.add(place);
  }
  return starving.size === 0 ? [...round] : undefined;
}

/** What one step was; whoever it was, or who could not run behind it, is starved no longer. */
function placesOfStep(sim: Simulation, step: () => boolean, starving: Set<Context>): readonly string[] | undefined {
  const before = readyOf(sim).map((context) => ({ context, operation: context.operation, place: placeOf(context) }));
  if (!step()) return undefined;
  const done = before.filter(({ context, operation }) => context.operation !== operation);
  for (const { context } of done) starving.delete(context);
  for (const context of starving) if (!context.ready) starving.delete(context);
  return done.map(({ place }) => place);
}
