import { assert } from './assert.ts';
import type { Branded } from './brand.ts';

/** A GUID in the usual text form, lower case: `f8615163-df3e-46c5-913f-f2d2f965ed0e`. */
export type Guid = Branded<string, 'Guid'>;

/** The GUID of a text that is known to be one. */
export function guid(text: string): Guid {
  assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text), `${text} is no GUID`);
  return text.toLowerCase() as Guid;
}

// In memory the first three groups are little-endian, the rest is in text order (struct guid_t, linux/uuid.h).
const MEMORY_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** Sixteen bytes as Windows and the VMBus keep them in memory. */
export function guidBytes(value: Guid): Uint8Array {
  const hex = value.replaceAll('-', '');
  return Uint8Array.from(MEMORY_ORDER, (from) => Number.parseInt(hex.slice(from * 2, from * 2 + 2), 16));
}

/** The GUID whose sixteen bytes stand at `at`. */
export function guidFromBytes(bytes: Uint8Array, at = 0): Guid {
  assert(bytes.length >= at + 16, `sixteen bytes at ${at} of ${bytes.length}`);
  const hex = new Array<string>(16);
  MEMORY_ORDER.forEach((to, i) => {
    hex[to] = (bytes[at + i] ?? 0).toString(16).padStart(2, '0');
  });
  const text = hex.join('');
  const groups = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return groups.join('-') as Guid;
}
