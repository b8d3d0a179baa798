/**
 * Trace files: protobuf, one event a message, texts interned. Events are flat, so the format knows no kind by name and
 * a new kind needs no new version. The same events give the same bytes.
 */
import protobuf from 'protobufjs';
import { assert } from '../base/assert.ts';
import type { Result } from '../base/result.ts';
import type { Event } from './event.ts';
import { TRACE_SCHEMA } from './schema.ts';

/** What a trace is of. */
export interface TraceHeader {
  readonly scenario: string;
  readonly guest: string;
  readonly transport: string;
  /** File of the schedule; empty for the default order. */
  readonly schedule: string;
  readonly netvsim: string;
}

export interface Trace {
  readonly header: TraceHeader;
  readonly events: readonly Event[];
}

const FORMAT_VERSION = 1;
const MAGIC = 'netvsim trace';
/** Tag of field 1, length, and the text: what every trace file begins with. */
const FIRST_BYTES = Uint8Array.from(
  [0x0a, MAGIC.length, ...MAGIC].map((c) => (typeof c === 'string' ? c.charCodeAt(0) : c)),
);
/** Tag of field 2 (a varint). */
const VERSION_TAG = 0x10;

const Type = protobuf.parse(TRACE_SCHEMA, { keepCase: true }).root.lookupType('Trace');

interface Field {
  key: number;
  text?: number;
  int?: number;
  bool?: boolean;
  double?: number;
}

interface Message {
  magic: string;
  version: number;
  header: TraceHeader;
  texts: string[];
  events: { time: number; step: number; context: number; kind: number; fields: Field[] }[];
  event_count: number;
}

export function encodeTrace(trace: Trace): Uint8Array {
  const texts = new Map<string, number>();
  const intern = (text: string): number => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, texts.size);
    return texts.size - 1;
  };
  const events = trace.events.map((event) => {
    const { time, step, context, kind, ...fields } = event;
    return {
      time,
      step,
      context: intern(context),
      kind: intern(kind),
      fields: Object.entries(fields).map(([key, value]) => fieldOf(intern(key), value, intern)),
    };
  });
  const message: Message = {
    magic: MAGIC,
    version: FORMAT_VERSION,
    header: trace.header,
    texts: [...texts.keys()],
    events,
    event_count: events.length,
  };
  return Type.encode(message).finish();
}

/** The trace in these bytes, or why there is none. */
export function decodeTrace(bytes: Uint8Array): Result<Trace, string> {
  const foreign = checkBeginning(bytes);
  if (foreign !== undefined) return { ok: false, error: foreign };
  let message: Message;
  try {
    const decoded = Type.decode(bytes);
    if (!Object.hasOwn(decoded, 'event_count')) return { ok: false, error: 'is cut off' };
    message = Type.toObject(decoded, { longs: Number, defaults: true, oneofs: true }) as Message;
  } catch {
    return { ok: false, error: 'is cut off or damaged' };
  }
  if (message.event_count !== message.events.length) return { ok: false, error: 'is damaged' };
  try {
    return {
      ok: true,
      value: { header: { ...message.header }, events: message.events.map((event) => eventOf(event, message.texts)) },
    };
  } catch (error) {
    return { ok: false, error: `is damaged: ${(error as Error).message}` };
  }
}

function checkBeginning(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'is empty';
  const known = Math.min(bytes.length, FIRST_BYTES.length);
  if (FIRST_BYTES.some((byte, i) => i < known && bytes[i] !== byte)) return 'is no netvsim trace';
  const version = bytes[FIRST_BYTES.length + 1];
  if (version === undefined || bytes[FIRST_BYTES.length] !== VERSION_TAG) return 'is cut off or damaged';
  if (version === FORMAT_VERSION) return undefined;
  return version > FORMAT_VERSION
    ? `is of format version ${version}; this netvsim reads version ${FORMAT_VERSION}`
    : 'is cut off or damaged';
}

function fieldOf(key: number, value: string | number | boolean, intern: (text: string) => number): Field {
  if (typeof value === 'string') return { key, text: intern(value) };
  if (typeof value === 'boolean') return { key, bool: value };
  // Only a double can hold -0.
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? { key, int: value } : { key, double: value };
}

type Stored = Message['events'][number];

function eventOf(stored: Stored, texts: readonly string[]): Event {
  const textAt = (place: number): string => {
    const text = texts[place];
    assert(text !== undefined, `text ${place} of ${texts.length}`);
    return text;
  };
  const event: Record<string, unknown> = {
    time: stored.time,
    step: stored.step,
    context: textAt(stored.context),
    kind: textAt(stored.kind),
  };
  assert(Number.isSafeInteger(stored.time), 'a time beyond all limits');
  for (const field of stored.fields) {
    const key = textAt(field.key);
    // Never a name that objects have of their own accord: the file is somebody else's.
    assert(/^[a-z][A-Za-z0-9]*$/.test(key) && !(key in Object.prototype), 'a field with an odd name');
    event[key] = readValue(field as Field & { value?: 'text' | 'int' | 'bool' | 'double' }, textAt);
  }
  return event as unknown as Event;
}

function readValue(
  field: Field & { readonly value?: 'text' | 'int' | 'bool' | 'double' },
  textAt: (place: number) => string,
): string | number | boolean {
  switch (field.value) {
    case 'text':
      return textAt(field.text ?? -1);
    case 'int':
      return field.int ?? 0;
    case 'bool':
      return field.bool ?? false;
    case 'double':
      return field.double ?? 0;
    default:
      return '';
  }
}
