/** Two traces side by side, where they part. */
import { formatMoment } from '../base/time.ts';
import type { Trace } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';
import { formatEvent } from './timeline.ts';

export interface Difference {
  /** Place of the first event that differs; undefined when only the headers do. */
  readonly at: number | undefined;
  /** For people. */
  readonly text: string;
}

const EVENTS_BEFORE = 5;
const EVENTS_BEHIND = 5;

/** Undefined when both tell the same. */
export function diffTraces(
  left: { readonly name: string; readonly trace: Trace },
  right: { readonly name: string; readonly trace: Trace },
): Difference | undefined {
  const headers = Object.entries(left.trace.header).flatMap(([key, value]) => {
    const other = right.trace.header[key as keyof Trace['header']];
    return value === other ? [] : [`${key}: ${value || '-'} | ${other || '-'}`];
  });
  const at = firstDifference(left.trace.events, right.trace.events);
  if (at === undefined && headers.length === 0) return undefined;
  const head = [`- ${left.name}`, `+ ${right.name}`, ...headers];
  if (at === undefined) return { at, text: lines([...head, 'the events are the same']) };
  return { at, text: lines([...head, ...around(left.trace.events, right.trace.events, at)]) };
}

function around(left: readonly Event[], right: readonly Event[], at: number): readonly string[] {
  const moment = (left[at] ?? right[at])?.time ?? 0;
  const before = left.slice(Math.max(0, at - EVENTS_BEFORE), at).map((event) => `  ${formatEvent(event)}`);
  const mine = behind(left, at).map((line) => `- ${line}`);
  const theirs = behind(right, at).map((line) => `+ ${line}`);
  return [`first difference: event ${at + 1}, at ${formatMoment(moment)} s`, ...before, ...mine, ...theirs];
}

function behind(events: readonly Event[], at: number): readonly string[] {
  const shown = events.slice(at, at + EVENTS_BEHIND).map(formatEvent);
  return shown.length === 0 ? ['(ends here)'] : shown;
}

function firstDifference(left: readonly Event[], right: readonly Event[]): number | undefined {
  const longer = Math.max(left.length, right.length);
  for (let i = 0; i < longer; i++) if (!same(left[i], right[i])) return i;
  return undefined;
}

function same(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const mine = Object.entries(a);
  const theirs = b as unknown as Readonly<Record<string, unknown>>;
  return mine.length === Object.keys(b).length && mine.every(([key, value]) => Object.is(theirs[key], value));
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
