/**
 * Plain records as text and back: what a host or a bus is saved as.
 * Beside JSON's own values it keeps Uint8Array, bigint, Map and Set. What this leaves out: identity (an object that
 * is reached twice comes back as two). Functions, class instances and numbers that JSON has no word for are a mistake
 * in a record, and throw.
 */
import { InvariantError } from './assert.ts';

const TAG = '$netvsim';

// The value is taken from its holder: what the replacer is given has been through toJSON() already, which a Buffer has.
function pack(this: unknown, key: string): unknown {
  const value = (this as Readonly<Record<string, unknown>>)[key];
  if (value instanceof Uint8Array) return { [TAG]: 'bytes', value: Buffer.from(value).toString('base64') };
  if (value instanceof Map) return { [TAG]: 'map', value: [...value] };
  if (value instanceof Set) return { [TAG]: 'set', value: [...value] };
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new InvariantError(`${value} stands in a record that is to be saved`);
  }
  // A property that is undefined is left out, which reads the same; in a list it would come back as null.
  if (value === undefined && Array.isArray(this)) return { [TAG]: 'undefined' };
  if (typeof value === 'bigint') return { [TAG]: 'bigint', value: value.toString() };
  if (typeof value === 'function') throw new InvariantError('a function stands in a record that is to be saved');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const proto: unknown = Object.getPrototypeOf(value);
    if (proto !== Object.prototype && proto !== null) {
      throw new InvariantError(`an instance of ${value.constructor.name} stands in a record that is to be saved`);
    }
  }
  return value;
}

function unpack(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(TAG in value)) return value;
  const tagged = value as unknown as { [TAG]: string; value: never };
  switch (tagged[TAG]) {
    case 'bytes':
      return new Uint8Array(Buffer.from(tagged.value, 'base64'));
    case 'map':
      return new Map(tagged.value);
    case 'set':
      return new Set(tagged.value);
    case 'undefined':
      return undefined;
    case 'bigint':
      return BigInt(tagged.value);
    default:
      throw new InvariantError(`a record has an unknown tag: ${tagged[TAG]}`);
  }
}

export function saveRecord(record: unknown): string {
  return JSON.stringify(record, pack);
}

export function loadRecord<T>(text: string): T {
  return JSON.parse(text, unpack) as T;
}
