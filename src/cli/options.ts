/** Flags that several commands have, and how their values are read. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { Nanoseconds } from '../base/time.ts';
import { type Choice, parseChoices } from '../explore/schedule.ts';
import { readDuration } from '../scenario/placeholder.ts';
import { nearest } from '../scenario/problem.ts';
import { USUAL_STEPS_MAX } from '../scenario/run.ts';
import { LOG_LEVELS } from './log.ts';
import { VOCABULARY } from './model.ts';

export const transport = (): Option =>
  new Option('--transport <kind>', 'how messages cross the bus: as bytes, or as values').argParser(
    oneOf(['direct', 'bytes']),
  );

/** Can stand several times. */
export const withoutFix = (): Option =>
  new Option('--without <fix>', 'switch a fix of the guest off (see netvsim list fixes); can stand several times')
    .argParser((given: string, before: readonly string[]) => [...before, oneOf(VOCABULARY.fixes)(given)])
    .default([], 'none');

export const logLevel = (): Option =>
  new Option('--log-level <level>', 'log what happens to standard error, as JSON lines')
    .argParser(oneOf(LOG_LEVELS))
    .default('silent');

export const stepCount = (what = 'give up'): Option =>
  new Option('--max-steps <n>', `${what} after so many steps (default ${USUAL_STEPS_MAX})`).argParser(whole(1));

export const timeChoice = (what = ''): Option =>
  new Option('--time <when>', `${what}timers fire when nothing can run (idle), or may come before what could run (any)`)
    .argParser(oneOf(['idle', 'any']))
    .default('idle');

/** More workers than that wait for each other's memory. Invented. */
const USUAL_JOBS_MOST = 8;
const JOBS_MOST = 256;

export const jobs = (): Option =>
  new Option('--jobs <n>', `worker threads at most, once it takes long enough for them to start`)
    .argParser(whole(1, JOBS_MOST))
    .default(Math.min(USUAL_JOBS_MOST, availableParallelism()), `as many as processors, at most ${USUAL_JOBS_MOST}`);

/** One of a few words; another one is an error that says which is near. */
export function oneOf(words: readonly string[]): (given: string) => string {
  return (given) => {
    if (words.includes(given)) return given;
    throw new InvalidArgumentError(`It is none of them${nearest(given, words)}.`);
  };
}

/** `manager*2 udevd`, as files of orders have it. */
export function order(given: string): readonly Choice[] {
  const choices = parseChoices(given);
  if ('odd' in choices)
    throw new InvalidArgumentError(`"${choices.odd}" is no choice such as netvsc_probe*7 or ?tie=1.`);
  return choices;
}

export function whole(least: number, most = Number.MAX_SAFE_INTEGER): (given: string) => number {
  return (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

export function duration(given: string): Nanoseconds {
  const reading = readDuration(given);
  if ('problem' in reading) throw new InvalidArgumentError(`${reading.problem}.`);
  return reading.value;
}
