import { assert, InvariantError } from '../base/assert.ts';
import {
  type Decoded,
  endsOf,
  type FieldEnds,
  type FieldList,
  fieldList,
  getU32,
  type Layout,
  type Problem,
  readFields,
  setU32,
  sizeOfFields,
  sourceOf,
  writeFields,
} from './layout.ts';

/**
 * A protocol is a table: one row a message, with its number, oldest version, sender, size and fields. From the table
 * come the message union, the encoder, the decoder and the sizes.
 * Source: the idea of one table a protocol is that of every VMBus implementation that was read.
 * Leaves out: sessions. A decoder does not know the negotiated version; whoever holds the session compares `since`.
 *
 * A decoder never throws, whatever the bytes: they come from the other side. An encoder throws on a value that does
 * not fit: it is ours.
 */
export interface Protocol<M extends { readonly name: string }> {
  readonly name: string;
  /** Bytes that `encode` gives. The transport that carries messages as values accounts with it. */
  size(message: M): number;
  encode(message: M): Uint8Array;
  /** The same into memory that has room for it; only where messages are many. */
  encodeInto?(message: M, bytes: Uint8Array, at: number): void;
  /** Byte strings in the result are views of `bytes`. */
  decode(bytes: Uint8Array): M | Malformed;
}

/** Bytes that are no message. What a side does with them is its own affair; here they are a value like any other. */
export interface Malformed {
  readonly name: 'malformed';
  readonly protocol: string;
  readonly problem: 'unknown' | 'short' | 'overlong' | 'invalid';
  /** The message number, where there are enough bytes for one. */
  readonly type: number | undefined;
  readonly size: number;
  readonly expected: number | undefined;
  readonly what?: string;
}

export const isMalformed = <T extends object>(value: T | Malformed): value is Malformed =>
  'name' in value && value.name === 'malformed';

export interface Row {
  /** The message number. */
  readonly type: number;
  /** Oldest protocol version that has it. */
  readonly since: number;
  readonly from: 'host' | 'guest' | 'both';
  /** Bytes of the fixed part. */
  readonly size: number;
  /** Real senders are known to leave off the end, down to this size; what is missing reads as zero. */
  readonly sizeMin?: number;
  /** Bytes without meaning that real senders put behind it, besides the padding of the ring. */
  readonly trailing?: number;
  readonly fields: Layout;
}

export type Table = Readonly<Record<string, Row>>;

/** Every message of a table as one union, discriminated by its name in the table. */
export type MessageOf<T extends Table> = {
  [N in keyof T & string]: { readonly name: N } & Decoded<T[N]['fields']>;
}[keyof T & string];

export interface TableOptions {
  readonly name: string;
  /** Every message is sent with at least this many bytes, the rest zero. */
  readonly sizeFloor?: number;
  /** Bytes that may follow a message without meaning: rings pad to 8. */
  readonly padding: number;
  /**
   * Where a message carries its own length; 0: it does not. Variable parts may lie behind that length as long as they
   * lie in the bytes: Hyper-V leaves the status buffer out of it (drivers/net/hyperv/netvsc_drv.c,
   * netvsc_linkstatus_callback()).
   */
  readonly lengthAt?: number;
}

/** The protocol of a table whose messages begin with their number (u32). */
export function tableProtocol<const T extends Table>(table: T, options: TableOptions): Protocol<MessageOf<T>> {
  const { name: protocol, sizeFloor = 0, padding, lengthAt = 0 } = options;
  const byName = new Map<string, CompiledRow>();
  const byType = new Map<number, CompiledRow>();
  for (const [name, row] of Object.entries(table)) {
    assert(!byType.has(row.type), `${protocol} has two rows of type ${row.type}`);
    const compiled = {
      name,
      row,
      sizeMin: row.sizeMin ?? row.size,
      trailingMax: padding + (row.trailing ?? 0),
      fields: fieldList(row.fields),
      ends: endsOf(row.fields),
    };
    byName.set(name, compiled);
    byType.set(row.type, compiled);
  }
  const headerSize = lengthAt === 0 ? 4 : lengthAt + 4;

  function rowOf({ name }: MessageOf<T>): CompiledRow {
    const row = byName.get(name);
    if (row === undefined) throw new InvariantError(`${protocol} ${name} is missing`);
    return row;
  }

  function size(message: MessageOf<T>): number {
    const { row, ends } = rowOf(message);
    return Math.max(sizeFloor, sizeOfFields(ends, row.size, message));
  }

  function encode(message: MessageOf<T>): Uint8Array {
    const { row, fields } = rowOf(message);
    const bytes = new Uint8Array(size(message));
    setU32(bytes, 0, row.type);
    if (lengthAt !== 0) setU32(bytes, lengthAt, bytes.length);
    writeFields(fields, { bytes }, 0, message);
    return bytes;
  }

  function decode(bytes: Uint8Array): MessageOf<T> | Malformed {
    if (bytes.length < headerSize) return malformed(protocol, bytes, 'short', { expected: headerSize });
    const type = getU32(bytes, 0);
    const compiled = byType.get(type);
    if (compiled === undefined) return malformed(protocol, bytes, 'unknown', { type });
    const length = lengthAt === 0 ? bytes.length : getU32(bytes, lengthAt);
    if (length < compiled.sizeMin || length > bytes.length) {
      return malformed(protocol, bytes, 'short', {
        type,
        expected: Math.max(length, compiled.sizeMin),
        what: compiled.name,
      });
    }
    const out: Record<string, unknown> = { name: compiled.name };
    const problem = decodeRow(compiled, bytes, out);
    if (problem !== undefined) return { ...malformed(protocol, bytes, problem.problem, { type }), ...problem };
    const least = lengthAt === 0 ? sizeFloor : length;
    const expected = Math.max(least, sizeOfFields(compiled.ends, compiled.row.size, out));
    if (bytes.length > expected + compiled.trailingMax) {
      return malformed(protocol, bytes, 'overlong', { type, expected, what: compiled.name });
    }
    return out as MessageOf<T>;
  }

  return { name: protocol, size, encode, decode };
}

interface CompiledRow {
  readonly name: string;
  readonly row: Row;
  readonly sizeMin: number;
  readonly trailingMax: number;
  readonly fields: FieldList;
  readonly ends: FieldEnds;
}

function decodeRow(row: CompiledRow, bytes: Uint8Array, out: Record<string, unknown>): Problem | undefined {
  const source = sourceOf(bytes.length < row.row.size ? padded(bytes, row.row.size) : bytes);
  readFields(row.fields, source, 0, out);
  return source.problem;
}

/** The bytes with zeros behind them. */
export function padded(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length > size) throw new InvariantError(`${bytes.length} bytes do not fit ${size}`);
  const out = new Uint8Array(size);
  out.set(bytes);
  return out;
}

export function malformed(
  protocol: string,
  bytes: Uint8Array,
  problem: Malformed['problem'],
  about: { readonly type?: number; readonly expected?: number | undefined; readonly what?: string } = {},
): Malformed {
  const { type, expected, what } = about;
  const base = { name: 'malformed', protocol, problem, type, size: bytes.length, expected } as const;
  return what === undefined ? base : { ...base, what };
}
