/** A scenario to be searched, as data that another thread can have, and the program that it becomes there. */
import { Crew } from '../campaign/crew.ts';
import type { Program } from '../explore/program.ts';
import { wholeOrder } from '../explore/replay.ts';
import { type ScenarioProgramOptions, scenarioProgram } from '../explore/scenario-program.ts';
import type { Choice, Schedule } from '../explore/schedule.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { makeStage } from './model.ts';

export interface Searched extends Pick<ScenarioProgramOptions, 'anyTime' | 'stepsMax'> {
  readonly scenario: Scenario;
}

export const makeSearched = ({ scenario, ...options }: Searched): Program =>
  scenarioProgram(scenario, makeStage, options);

/** To be closed in the end. */
export function crewFor(specs: readonly Searched[], jobs: number): Crew<Searched> {
  const worker = new URL('./search-worker.js', import.meta.url);
  return new Crew({ specs, makeProgram: makeSearched, worker, jobs });
}

/** From the first step to the last, around an order of the searched part. */
export const wholeOrderOf = (
  { scenario, ...options }: Searched,
  order: readonly Choice[],
): Pick<Schedule, 'choices' | 'finds'> => wholeOrder(scenario, makeStage, order, options);
