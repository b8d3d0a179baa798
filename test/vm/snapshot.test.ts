import { expect, test } from 'vitest';
import { loadRecord } from '../../src/base/snapshot.ts';
import { decodeSnapshot, encodeSnapshot, type MachineRecord, readHeader } from '../../src/vm/snapshot.ts';

const record: MachineRecord = {
  clock: { skipped: 5, wraps: 1, counter: 7, seed: 9 },
  slices: 3,
  steps: 4,
  enlightenments: { msrs: new Map([[0x4000_0000, 0x8100_0006_01b0_0000n]]), crash: undefined },
  hotplug: { status: 0, enable: 2, up: 0, down: 0 },
  serials: [{ unread: [1], waiting: [] }],
  console: { lines: [{ at: 1, text: 'Linux' }], partial: [] },
  agent: { sequence: 2, isReady: true },
  hostSide: undefined,
};
const state = Uint8Array.from({ length: 10_000 }, (_, i) => i % 7).buffer;
const encode = () => encodeSnapshot({ images: 'abc', memoryMb: 192, quantum: 1000 }, record, state);
const bytes = encode();
const problemWith = (file: Uint8Array): string => {
  const decoded = decodeSnapshot(file);
  return decoded.ok ? 'none' : `${decoded.error.problem}: ${decoded.error.text}`;
};
const withByte = (at: number, change: (byte: number) => number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = change(copy[at] as number);
  return copy;
};

test('what goes in comes out, smaller in between', () => {
  const decoded = decodeSnapshot(bytes);
  if (!decoded.ok) throw new Error(decoded.error.text);
  expect(loadRecord(decoded.value.record)).toEqual(record);
  expect(Buffer.from(decoded.value.state).equals(Buffer.from(state))).toBe(true);
  expect(decoded.value.header).toMatchObject({ images: 'abc', memoryMb: 192, quantum: 1000 });
  expect(bytes.length).toBeLessThan(2000);
  expect(encode()).toEqual(bytes);
});

test('its header can be read alone', () => {
  const header = readHeader(bytes.subarray(0, 300));
  expect(header.ok && header.value.images).toBe('abc');
});

test('a damaged one is said to be so', () => {
  const contents = 'corrupt: the snapshot is damaged: its contents are not what its header says';
  expect(problemWith(withByte(bytes.length - 20, (byte) => byte ^ 1))).toBe(contents);
  expect(problemWith(bytes.subarray(0, bytes.length - 1))).toBe(contents);
  const memory = Buffer.from(bytes).indexOf('192');
  expect(problemWith(withByte(memory, () => 0x32))).toBe(contents);
  expect(problemWith(withByte(0, () => 0x4e))).toBe('corrupt: the snapshot is damaged: it does not begin as one');
  expect(problemWith(new Uint8Array(0))).toBe('corrupt: the snapshot is damaged: it does not begin as one');
  expect(problemWith(bytes.subarray(0, 18))).toBe('corrupt: the snapshot is damaged: it ends within its header');
  expect(problemWith(withByte(20, () => 0x5b))).toBe('corrupt: the snapshot is damaged: its header is no JSON');
});

test('one of another netvsim is said to be so', () => {
  const none = Buffer.concat([bytes.subarray(0, 16), Uint8Array.of(4, 0, 0, 0), Buffer.from('null')]);
  expect(problemWith(none)).toMatch(/^another format: /);
  const other = Buffer.from(bytes);
  other.write('"format":9', other.indexOf('"format":3'), 'latin1');
  expect(problemWith(other)).toBe('another format: the snapshot has format 9, and this netvsim 3');
});
