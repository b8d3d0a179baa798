import { InvariantError } from '../base/assert.ts';
import { type Guid, guidBytes, guidFromBytes } from '../base/guid.ts';
import { PageList } from './page-list.ts';

/**
 * Fields at explicit byte offsets, little-endian: the rows of every protocol table are made of these.
 * A field knows how to read and write itself, so that a table is both the documentation and the codec.
 * Source: the offsets of the packed C structures of Linux; each table names its own.
 * Leaves out: big-endian fields (frames have their own files) and alignment (every offset is written down).
 *
 * Reading never throws, whatever the bytes: a field that cannot be read reports a problem in the source. Fixed fields
 * rely on the caller having checked the row's size. Byte strings are views of the input, not copies.
 * Writing asserts that values fit, because what we encode is ours.
 */
export interface Field<T> {
  readonly kind: FieldKind;
  /** Offset from the start of the message, or of the element in a list. */
  readonly at: number;
  /** Bytes that the field always takes; 0 when it lies behind the fixed part. */
  readonly width: number;
  /** What a list or structure holds. */
  readonly of?: Field<unknown>;
  readonly fields?: Layout;
  /** Most elements or bytes that a variable field holds. */
  readonly max?: number;
  /** A list that always has all of them. */
  readonly exact?: true;
  read(from: Source, base: number): T;
  write(to: Target, base: number, value: T): void;
  /** Where the variable part ends, for a field that lies behind the fixed part. */
  end?(value: T): number;
}

type FieldKind = 'u8' | 'u16' | 'u32' | 'u64' | 'pfn' | 'bit' | 'guid' | 'bytes' | 'struct' | 'list' | 'pages' | 'blob';

export type Layout = Readonly<Record<string, Field<unknown>>>;

/** What a layout holds once it is read. */
export type Decoded<L> = { readonly [K in keyof L]: L[K] extends Field<infer T> ? T : never };

export interface Problem {
  readonly problem: 'short' | 'overlong' | 'invalid';
  readonly expected: number | undefined;
  readonly what: string;
}

export interface Source {
  readonly bytes: Uint8Array;
  /** Where the message ends; nothing behind it is read. */
  readonly end: number;
  problem: Problem | undefined;
}

export interface Target {
  readonly bytes: Uint8Array;
}

// Byte by byte, and not by a DataView: to make one for a small array costs ten times what the reading does, because the
// engine then has to move the bytes out of its own heap.
export const getU16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
export const getU32 = (bytes: Uint8Array, at: number): number =>
  (getU16(bytes, at) | (getU16(bytes, at + 2) << 16)) >>> 0;
export function getU64(bytes: Uint8Array, at: number): bigint {
  const high = getU32(bytes, at + 4);
  return high === 0 ? BigInt(getU32(bytes, at)) : (BigInt(high) << 32n) | BigInt(getU32(bytes, at));
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
export function setU32(bytes: Uint8Array, at: number, value: number): void {
  setU16(bytes, at, value);
  setU16(bytes, at + 2, value >>> 16);
}
export function setU64(bytes: Uint8Array, at: number, value: bigint): void {
  const low = Number(BigInt.asUintN(32, value));
  setU32(bytes, at, low);
  setU32(bytes, at + 4, value < 0x1_0000_0000n ? 0 : Number(value >> 32n));
}

// The same in network byte order, in which Internet protocols have them.
export const getU16n = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
export const getU32n = (bytes: Uint8Array, at: number): number =>
  ((getU16n(bytes, at) << 16) | getU16n(bytes, at + 2)) >>> 0;
export function setU16n(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
export function setU32n(bytes: Uint8Array, at: number, value: number): void {
  setU16n(bytes, at, value >>> 16);
  setU16n(bytes, at + 2, value);
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export const sourceOf = (bytes: Uint8Array): Source => ({
  bytes,
  end: bytes.length,
  problem: undefined,
});

/** Reads every field into `out`, stopping at the first problem, which stays in the source. */
export function readFields(fields: FieldList, from: Source, base: number, out: Record<string, unknown>): void {
  for (const [key, field] of fields) {
    out[key] = field.read(from, base);
    if (from.problem !== undefined) return;
  }
}

/** Writes every field of `value`, which must have them all. */
export function writeFields(
  fields: FieldList,
  to: Target,
  base: number,
  value: Readonly<Record<string, unknown>>,
): void {
  for (const [key, field] of fields) {
    const part = value[key];
    if (part === undefined) throw new InvariantError(`${key} is missing in a message to be encoded`);
    field.write(to, base, part);
  }
}

/** The fixed size, or the end of the variable part that reaches furthest. */
export function sizeOfFields(ends: FieldEnds, fixed: number, value: Readonly<Record<string, unknown>>): number {
  let size = fixed;
  for (const [key, end] of ends) size = Math.max(size, end(value[key]));
  return size;
}

/** A layout as it is walked: made once per row. */
export type FieldList = readonly (readonly [string, Field<unknown>])[];
export const fieldList = (layout: Layout): FieldList => Object.entries(layout);

/** Where the variable parts of a layout end: for most messages there are none. */
export type FieldEnds = readonly (readonly [string, (value: unknown) => number])[];
export const endsOf = (layout: Layout): FieldEnds =>
  fieldList(layout).flatMap(([key, { end }]) => (end === undefined ? [] : [[key, end] as const]));

/** Throws unless the value is a whole number from 0 to `max`. */
export function checkUnsigned(value: number, max: number, what: string, at: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new InvariantError(`${String(value)} does not fit ${what} at ${at}`);
  }
}

export const u8 = (at: number): Field<number> => ({
  kind: 'u8',
  at,
  width: 1,
  read: (from, base) => from.bytes[base + at] as number,
  write(to, base, value) {
    checkUnsigned(value, 0xff, 'u8', at);
    to.bytes[base + at] = value;
  },
});

export const u16 = (at: number): Field<number> => ({
  kind: 'u16',
  at,
  width: 2,
  read: (from, base) => getU16(from.bytes, base + at),
  write(to, base, value) {
    checkUnsigned(value, 0xffff, 'u16', at);
    setU16(to.bytes, base + at, value);
  },
});

export const u32 = (at: number): Field<number> => ({
  kind: 'u32',
  at,
  width: 4,
  read: (from, base) => getU32(from.bytes, base + at),
  write(to, base, value) {
    checkUnsigned(value, 0xffff_ffff, 'u32', at);
    setU32(to.bytes, base + at, value);
  },
});

export const u64 = (at: number): Field<bigint> => ({
  kind: 'u64',
  at,
  width: 8,
  read: (from, base) => getU64(from.bytes, base + at),
  write(to, base, value) {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new InvariantError(`${value} does not fit u64 at ${at}`);
    setU64(to.bytes, base + at, value);
  },
});

/** Page frame numbers of 4096-byte pages need no more than 52 of their 64 bits, so a number holds them. */
export const PFN_MAX = 2 ** 52 - 1;

export const pfn = (at: number): Field<number> => ({
  kind: 'pfn',
  at,
  width: 8,
  read(from, base) {
    const value = getU32(from.bytes, base + at + 4) * 2 ** 32 + getU32(from.bytes, base + at);
    if (value > PFN_MAX) from.problem = { problem: 'invalid', expected: undefined, what: 'a page number beyond 2^52' };
    return value;
  },
  write(to, base, value) {
    checkUnsigned(value, PFN_MAX, 'pfn', at);
    setU32(to.bytes, base + at, value % 2 ** 32);
    setU32(to.bytes, base + at + 4, Math.floor(value / 2 ** 32));
  },
});

/** One bit of the byte at `at`; its neighbours may be fields too. */
export const bit = (at: number, position: number): Field<boolean> => ({
  kind: 'bit',
  at,
  width: 1,
  read: (from, base) => (((from.bytes[base + at] as number) >> position) & 1) === 1,
  write(to, base, value) {
    if (value) to.bytes[base + at] = (to.bytes[base + at] as number) | (1 << position);
  },
});

/** Sixteen bytes in the memory order of Windows. */
export const guid = (at: number): Field<Guid> => ({
  kind: 'guid',
  at,
  width: 16,
  read: (from, base) => guidFromBytes(from.bytes, base + at),
  write: (to, base, value) => to.bytes.set(guidBytes(value), base + at),
});

/** Always `length` bytes. */
export const bytes = (at: number, length: number): Field<Uint8Array> => ({
  kind: 'bytes',
  at,
  width: length,
  read: (from, base) => from.bytes.subarray(base + at, base + at + length),
  write(to, base, value) {
    if (value.length !== length) throw new InvariantError(`${value.length} bytes stand for ${length} at ${at}`);
    to.bytes.set(value, base + at);
  },
});

/** A structure of `size` bytes inside another. */
export function struct<const L extends Layout>(at: number, size: number, fields: L): Field<Decoded<L>> {
  const list = fieldList(fields);
  return {
    kind: 'struct',
    at,
    width: size,
    fields,
    read(from, base) {
      const out: Record<string, unknown> = {};
      readFields(list, from, base + at, out);
      return out as Decoded<L>;
    },
    write: (to, base, value) => writeFields(list, to, base + at, value),
  };
}

export interface ListOptions<T> {
  /** What one element is; its `at` is within the element. */
  readonly of: Field<T>;
  /** The most elements that the protocol allows. */
  readonly max: number;
  /** The field with the number of elements; without it the list goes on to the end of the message. */
  readonly count?: Field<number>;
  /** The list has its full room inside the fixed part of the message, used or not. */
  readonly inside?: true;
}

export function list<T>(at: number, { of, max, count, inside }: ListOptions<T>): Field<readonly T[]> {
  const element = of.width;
  return {
    kind: 'list',
    at,
    width: inside ? max * element : 0,
    of,
    max,
    read(from, base) {
      const length = count === undefined ? (from.end - base - at) / element : count.read(from, base);
      if (!spanIsThere(from, base + at, length, element, max)) return [];
      const out: T[] = [];
      for (let i = 0; i < length; i++) out.push(of.read(from, base + at + i * element));
      return out;
    },
    write(to, base, value) {
      if (value.length > max) throw new InvariantError(`${value.length} elements stand in a list of at most ${max}`);
      count?.write(to, base, value.length);
      value.forEach((one, i) => {
        of.write(to, base + at + i * element, one);
      });
    },
    ...(inside ? {} : { end: (value: readonly T[]) => at + value.length * element }),
  };
}

/** Page numbers, at most `max`, to the end of the message. */
export function pages(at: number, max: number): Field<PageList> {
  const numbers = list(at, { of: pfn(0), max });
  return {
    kind: 'pages',
    at,
    width: 0,
    max,
    read: (from, base) => PageList.of(numbers.read(from, base)),
    write: (to, base, value) => numbers.write(to, base, [...value]),
    end: (value) => at + value.length * 8,
  };
}

/** Exactly `length` elements. */
export function array<T>(at: number, length: number, of: Field<T>): Field<readonly T[]> {
  const inner = list(at, { of, max: length, inside: true });
  return {
    ...inner,
    exact: true,
    read: (from, base) => Array.from({ length }, (_, i) => of.read(from, base + at + i * of.width)),
    write(to, base, value) {
      if (value.length !== length) throw new InvariantError(`${value.length} elements stand for ${length} at ${at}`);
      inner.write(to, base, value);
    },
  };
}

export interface BlobOptions {
  readonly max: number;
  /** The field with the number of bytes; without it the bytes go on to the end of the message. */
  readonly length?: Field<number>;
  /** The field that says where the bytes are, counted from `from`; without it they are at `at`. */
  readonly offset?: Field<number>;
  readonly from?: number;
}

/** Bytes behind the fixed part. `at` is where they are written; a reader goes where the message says. */
export function blob(at: number, { max, length, offset, from: origin = 0 }: BlobOptions): Field<Uint8Array> {
  return {
    kind: 'blob',
    at,
    width: 0,
    max,
    read(from, base) {
      const start = base + (offset === undefined ? at : origin + offset.read(from, base));
      const size = length === undefined ? from.end - start : length.read(from, base);
      if (size === 0) return from.bytes.subarray(0, 0);
      if (start < base + at) from.problem = { problem: 'invalid', expected: undefined, what: `bytes at ${start}` };
      if (!spanIsThere(from, start, size, 1, max)) return from.bytes.subarray(0, 0);
      return from.bytes.subarray(start, start + size);
    },
    write(to, base, value) {
      if (value.length > max) throw new InvariantError(`${value.length} bytes stand where at most ${max} may`);
      length?.write(to, base, value.length);
      offset?.write(to, base, at - origin);
      to.bytes.set(value, base + at);
    },
    end: (value) => at + value.length,
  };
}

function spanIsThere(from: Source, start: number, length: number, element: number, max: number): boolean {
  if (!Number.isInteger(length) || length < 0 || length > max) {
    from.problem = { problem: 'invalid', expected: undefined, what: `a length of ${length} where at most ${max} fits` };
  } else if (start + length * element > from.end) {
    const what = `${length} elements of ${element} bytes from ${start} on`;
    from.problem = { problem: 'short', expected: start + length * element, what };
  }
  return from.problem === undefined;
}
