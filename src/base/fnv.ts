/**
 * A short number for a text, to see whether it is still the same one. Against somebody who wants another text to look
 * the same it is no help.
 * Source: FNV-1a, 64 bit (draft-eastlake-fnv), over the text in UTF-8.
 */
const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** Sixteen hexadecimal digits. */
export function fnv1a(text: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, '0');
}
