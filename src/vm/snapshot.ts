/**
 * A machine at rest, as bytes: what the emulator saves, and beside it everything of ours, compressed.
 * The file: a line that says what it is, the length of the header (32 bits, little-endian), the header as JSON, and the
 * body, deflated (RFC 1950): the length of our records (32 bits), the records as text, the emulator's state.
 * Level 1 of zlib: of 40 MB it leaves 12 to 17 MB in half a second; level 6 saves a tenth more in four times the time.
 */
import { createHash } from 'node:crypto';
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { err, ok, type Result } from '../base/result.ts';
import { loadRecord, saveRecord } from '../base/snapshot.ts';
import type { BusRecord } from '../bus/bus.ts';
import type { HostRecord } from '../host/host.ts';
import type { AgentRecord } from './agent.ts';
import type { ConsoleRecord } from './console.ts';
import type { HotplugRecord } from './processor/acpi-hotplug.ts';
import type { EnlightenmentRecord } from './processor/enlightenments.ts';
import type { ClockRecord } from './processor/processor.ts';
import type { SerialRecord } from './processor/serial-line.ts';
import type { VfNicRecord } from './processor/vf-nic.ts';

const MAGIC = 'netvsim machine\n';
/** Raised when what a snapshot holds changes its meaning: the file, or the records of host and bus in it. */
const FORMAT = 3;
const LENGTH_SIZE = 4;

/** Host and bus, and the NICs that they are for. A machine whose host has done nothing yet has none, and fits any NICs. */
export interface HostSideRecord {
  /** The plan's NICs, as text. */
  readonly nics: string;
  readonly host: HostRecord;
  readonly bus: BusRecord;
  readonly cards: readonly VfNicRecord[];
}

export interface MachineRecord {
  readonly clock: ClockRecord;
  readonly slices: number;
  readonly steps: number;
  readonly enlightenments: EnlightenmentRecord;
  readonly hotplug: HotplugRecord;
  readonly serials: readonly SerialRecord[];
  readonly console: ConsoleRecord;
  readonly agent: AgentRecord;
  readonly hostSide: HostSideRecord | undefined;
}

/** What a machine must be to take a snapshot over. */
export interface SnapshotHeader {
  readonly format: number;
  /** {@link MachineImages.id}. */
  readonly images: string;
  readonly memoryMb: number;
  readonly quantum: number;
  /** SHA-256 of what stands above, but for the format, and of the body. */
  readonly body: string;
}

export interface SnapshotProblem {
  readonly problem: 'corrupt' | 'another format' | 'other images' | 'other NICs' | 'no machine';
  /** One line for people. */
  readonly text: string;
}

/** A snapshot in memory, from which any number of machines can be made. */
export interface Snapshot {
  readonly header: SnapshotHeader;
  /** A {@link MachineRecord}, as text: each machine gets one of its own. */
  readonly record: string;
  /** As v86 saves it. A machine takes a copy over. */
  readonly state: ArrayBuffer;
}

export function encodeSnapshot(
  header: Omit<SnapshotHeader, 'format' | 'body'>,
  record: MachineRecord,
  state: ArrayBuffer,
): Uint8Array {
  const records = Buffer.from(saveRecord(record));
  const inside = Buffer.concat([lengthOf(records), records, new Uint8Array(state)]);
  const body = deflateSync(inside, { level: constants.Z_BEST_SPEED });
  const head = Buffer.from(JSON.stringify({ ...header, format: FORMAT, body: sealOf(header, body) }));
  return Buffer.concat([Buffer.from(MAGIC), lengthOf(head), head, body]);
}

/** What a snapshot says of itself, without what is in it. */
export function readHeader(bytes: Uint8Array): Result<SnapshotHeader, SnapshotProblem> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return corrupt('it does not begin as one');
  const [from, to] = headerSpan(file);
  if (to > file.length) return corrupt('it ends within its header');
  let header: SnapshotHeader | null;
  try {
    header = JSON.parse(file.subarray(from, to).toString()) as SnapshotHeader;
  } catch {
    return corrupt('its header is no JSON');
  }
  if (header?.format === FORMAT) return ok(header);
  return err({
    problem: 'another format',
    text: `the snapshot has format ${header?.format}, and this netvsim ${FORMAT}`,
  });
}

/** Errors: the bytes are damaged, or another netvsim wrote them. */
export function decodeSnapshot(bytes: Uint8Array): Result<Snapshot, SnapshotProblem> {
  const header = readHeader(bytes);
  if (!header.ok) return header;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = file.subarray(headerSpan(file)[1]);
  if (sealOf(header.value, body) !== header.value.body) return corrupt('its contents are not what its header says');
  try {
    const inside = inflateSync(body);
    const to = LENGTH_SIZE + inside.readUInt32LE(0);
    const record = inside.subarray(LENGTH_SIZE, to).toString();
    loadRecord(record);
    const state = inside.buffer.slice(inside.byteOffset + to, inside.byteOffset + inside.length) as ArrayBuffer;
    return ok({ header: header.value, record, state });
  } catch (error) {
    // The seal says only that nothing has happened to it since somebody wrote it.
    return corrupt(`its contents cannot be read (${(error as Error).message})`);
  }
}

/** Where the header lies in the file; beyond its end when there is not even a length. */
function headerSpan(file: Buffer): readonly [number, number] {
  const from = MAGIC.length + LENGTH_SIZE;
  return file.length < from ? [from, from] : [from, from + file.readUInt32LE(MAGIC.length)];
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  const out = Buffer.alloc(LENGTH_SIZE);
  out.writeUInt32LE(length);
  return out;
}

function sealOf({ images, memoryMb, quantum }: Omit<SnapshotHeader, 'format' | 'body'>, body: Uint8Array): string {
  const above = JSON.stringify([images, memoryMb, quantum]);
  return createHash('sha256').update(above).update(body).digest('hex');
}

/** What was given is no snapshot that netvsim has written, or something has happened to it. */
export const corrupt = (how: string): Result<never, SnapshotProblem> =>
  err({ problem: 'corrupt', text: `the snapshot is damaged: ${how}` });
