/** Orders of events as files. */
import type { Identity, Schedule } from '../explore/schedule.ts';
import { formatSchedule, mismatch, parseSchedule } from '../explore/schedule-text.ts';
import { InputError } from './input-error.ts';
import { readText } from './read-file.ts';
import { writeFile } from './write-file.ts';

/** `edited`: one that was changed by hand will do. */
export function readSchedule(file: string, options: { readonly edited?: boolean } = {}): Schedule {
  const parsed = parseSchedule(readText(file), file, options);
  if (!parsed.ok) throw InputError.of(parsed.error);
  return parsed.value;
}

/** Refuses an order of another run. */
export function checkFits(file: string, schedule: Schedule, run: Identity): void {
  const problem = mismatch(schedule, run);
  if (problem !== undefined) throw new InputError(`${file}: ${problem}`);
}

export function writeSchedule(file: string, schedule: Schedule): void {
  writeFile(file, formatSchedule(schedule));
}
