/** A run for people: the verdict first, then what happened, a line each, indented by who did it. */
import { formatDuration, formatMoment } from '../base/time.ts';
import { formatFailure, VERDICT_WORDS, type Verdict } from '../scenario/verdict.ts';
import type { TraceHeader } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';
import { type Told, tell, type Who } from './words.ts';

export interface TimelineStyle {
  /** Only for terminals. */
  readonly colour: boolean;
  /** Set-up and traffic too. */
  readonly verbose: boolean;
}

const INDENT: Readonly<Record<Who, string>> = { scenario: '', host: '  ', guest: '    ', user: '      ' };
const COLOUR: Readonly<Record<Who, string>> = { scenario: '1', host: '36', guest: '0', user: '32' };
const RED = '31';
const CONTEXT_WIDEST = 22;
const TIME_WIDTH = 14;

export function formatTimeline(events: readonly Event[], style: TimelineStyle): string {
  const told = events.map((event) => ({ event, words: tell(event) }));
  const shown = told.filter(({ words }) => style.verbose || words.alarm || !words.chatter);
  const widest = shown.reduce((width, { event }) => Math.max(width, event.context.length), 0);
  const width = Math.min(CONTEXT_WIDEST, widest);
  const lines = shown.map(({ event, words }) => formatLine(event, words, width, style.colour));
  const hidden = told.length - shown.length;
  if (hidden > 0) lines.push(paint(`(${hidden} more events with --verbose)`, '2', style.colour));
  return lines.map((line) => `${line}\n`).join('');
}

/** One event as the timeline has it, without colour: for diffs and messages. */
export function formatEvent(event: Event): string {
  return formatLine(event, tell(event), Math.min(CONTEXT_WIDEST, event.context.length), false).trimStart();
}

/** What came of the run, and of what run. */
export function formatVerdict(header: TraceHeader, verdict: Verdict, colour: boolean): string {
  const word = VERDICT_WORDS[verdict.exit];
  const { steps, events } = verdict.counts;
  const where = `${header.guest}, ${formatDuration(verdict.endTime)} of virtual time, ${steps} steps, ${events} events`;
  const lines = [`${paint(word, verdict.exit === 0 ? '32' : RED, colour)}: ${header.scenario} (${where})`];
  for (const failure of verdict.failures) lines.push(`  ${formatMoment(failure.at)}  ${formatFailure(failure)}`);
  for (const exemption of verdict.exemptions) lines.push(`  note: ${exemption}`);
  if (verdict.limit !== undefined) lines.push(`  limit reached: ${verdict.limit}`);
  return lines.map((line) => `${line}\n`).join('');
}

function formatLine(event: Event, words: Told, width: number, colour: boolean): string {
  const context = event.context.length > width ? `${event.context.slice(0, width - 1)}~` : event.context.padEnd(width);
  const text = `${INDENT[words.who]}${words.text.replaceAll('\n', ' ')}`;
  return `${formatMoment(event.time).padStart(TIME_WIDTH)}  ${context}  ${paint(text, words.alarm ? RED : COLOUR[words.who], colour)}`;
}

export function paint(text: string, code: string, colour: boolean): string {
  return colour && code !== '0' ? `\u001b[${code}m${text}\u001b[0m` : text;
}
