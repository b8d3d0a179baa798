/** Results for programs. The format carries a version; a field is only ever added within one. */
import type { Verdict } from '../scenario/verdict.ts';
import type { Trace, TraceHeader } from '../trace/codec.ts';
import type { Event } from '../trace/event.ts';

const FORMAT_VERSION = 1;

/** A run: what was run, what came of it, and everything that happened. `notes`: how its stage differs from the model. */
export function runAsJson(
  header: TraceHeader,
  verdict: Verdict,
  events: readonly Event[],
  notes?: readonly string[],
): string {
  const noted = notes === undefined ? {} : { notes };
  return asJson('netvsim run', { ...header, ...verdict, ...noted, events: events.map(stampFirst) });
}

/** A trace file. */
export function traceAsJson(trace: Trace): string {
  return asJson('netvsim trace', { ...trace.header, events: trace.events.map(stampFirst) });
}

/** As people look for it: when, who, what, and then what it tells. */
const stampFirst = ({ time, step, context, kind, ...told }: Event): object => ({ time, step, context, kind, ...told });

/** Any other result, by the name of its format. */
export function asJson(format: string, result: object): string {
  return `${JSON.stringify({ format, version: FORMAT_VERSION, ...result }, null, 2)}\n`;
}
