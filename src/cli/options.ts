/** Flags that several commands have, and how their values are read. */
import { InvalidArgumentError, Option } from 'commander';
import type { Nanoseconds } from '../base/time.ts';
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

export const stepCount = (): Option =>
  new Option('--max-steps <n>', `give up after so many steps (default ${USUAL_STEPS_MAX})`).argParser(whole(1));

/** One of a few words; another one is an error that says which is near. */
export function oneOf(words: readonly string[]): (given: string) => string {
  return (given) => {
    if (words.includes(given)) return given;
    throw new InvalidArgumentError(`It is none of them${nearest(given, words)}.`);
  };
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
