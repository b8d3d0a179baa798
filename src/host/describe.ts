import type { EventKind } from '../trace/event.ts';
import type { Recorder } from '../trace/recorder.ts';
import { PageList } from '../wire/page-list.ts';

/**
 * A message in one line for the trace: its fields as `name=value`, by name, so that it reads the same however it came.
 * Nothing when nobody listens to events of the kind that is to tell it.
 */
export const describe = (trace: Recorder, kind: EventKind, message: { readonly name: string }): string =>
  trace.hears(kind) ? inOneLine(message) : '';

/** A loop, and no chain of lists: a search describes every message in which an invariant may find something. */
function inOneLine(message: object): string {
  const fields = message as Readonly<Record<string, unknown>>;
  let line = '';
  for (const key of Object.keys(fields).sort()) {
    if (key === 'name') continue;
    line += `${line === '' ? '' : ' '}${key}=${inShort(fields[key])}`;
  }
  return line;
}

/** Numbers from here on are ids or flags, which people know in hexadecimal. */
const HEX_FROM = 0x1000;

function inShort(value: unknown): string {
  if (typeof value === 'number') return value >= HEX_FROM ? `0x${value.toString(16)}` : String(value);
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof PageList) return inShort([...value]);
  if (Array.isArray(value)) return value.length <= 1 ? `[${value.map(nested).join()}]` : `${value.length} entries`;
  return nested(value);
}

function nested(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${inOneLine(value)}}`;
}
