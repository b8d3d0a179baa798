import { expect, test } from 'vitest';
import { loadRecord, saveRecord } from '../../src/base/snapshot.ts';
import { Bus, type BusRecord } from '../../src/bus/bus.ts';
import { GuestMemory } from '../../src/bus/memory.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { onBus } from './on-bus.ts';

/** The bus over the memory of somebody else, who says where everything is. */

const PAGE = 4096;
const CHUNK = 2 ** 16;

function over(ram: Uint8Array) {
  const backing = (chunk: number) =>
    (chunk + 1) * CHUNK <= ram.length ? ram.subarray(chunk * CHUNK, (chunk + 1) * CHUNK) : undefined;
  const bus = new Bus(new Simulation(), 'bytes', new GuestMemory('bytes', backing));
  const signals: number[] = [];
  bus.flags.onRaise = (relid) => signals.push(relid);
  return { bus, signals, view: new DataView(ram.buffer) };
}

/** Two rings of two pages from a page on, the one to the guest behind. */
function adopt(bus: Bus, gpadl: number, first: number, relid = 1) {
  bus.gpadls.establish(gpadl, [{ at: 0, first, count: 4 }]);
  const pair = bus.ringsAt(gpadl, 2, relid);
  if (pair === undefined) throw new Error('there are no rings');
  return pair;
}

/** The guest fills its ring to the last 8 bytes with one packet, and says that it waits for room. */
function fill(view: DataView, first: number): void {
  const length = PAGE - 16;
  view.setUint32((first + 1) * PAGE, 6 | (2 << 16), true);
  view.setUint32((first + 1) * PAGE + 4, length / 8, true);
  view.setUint32(first * PAGE, length + 8, true);
  view.setUint32(first * PAGE + 12, 512, true);
  view.setUint32(first * PAGE + 64, 1, true);
}

test('what is saved has nothing of the memory in it', () => {
  const { bus } = over(new Uint8Array(4 * CHUNK).fill(7));
  adopt(bus, 1, 8);
  bus.memory.write(0x3000, Uint8Array.of(1, 2, 3));
  const text = saveRecord(bus.save());
  expect(bus.save().memory.chunks.size).toBe(0);
  expect(text.length).toBeLessThan(1000);
});

test.each([false, true])('a guest that waits for room gets a signal, with a bus that was saved: %s', (reborn) => {
  const ram = new Uint8Array(4 * CHUNK);
  const before = over(ram);
  adopt(before.bus, 1, 8);
  fill(before.view, 8);
  const { bus, signals } = reborn ? over(ram) : before;
  if (reborn) bus.load(loadRecord<BusRecord>(saveRecord(before.bus.save())));
  const ring = bus.pairAt(8)?.toHost;
  if (ring === undefined) throw new Error('there is no ring');
  ring.perform(ring.read(), undefined as never);
  expect(signals).toEqual([1]);
});

test('a channel that is opened anew, somewhere else, leaves no rings behind', () => {
  const { bus } = over(new Uint8Array(4 * CHUNK));
  adopt(bus, 1, 8);
  adopt(bus, 2, 20);
  adopt(bus, 3, 32, 2);
  expect([8, 20, 32].map((page) => bus.pairAt(page) !== undefined)).toEqual([false, true, true]);
});

test('memory that has moved is found again', () => {
  let ram = new Uint8Array(CHUNK);
  const bus = new Bus(new Simulation(), 'bytes', new GuestMemory('bytes', () => ram));
  bus.memory.write(16, Uint8Array.of(1));
  ram = Uint8Array.from(ram);
  bus.memory.refresh();
  bus.memory.write(17, Uint8Array.of(2));
  expect([...ram.subarray(16, 18)]).toEqual([1, 2]);
});

test('what a CPU does with a function comes to its owner', () => {
  const { bus, now } = onBus('bytes');
  const vf = bus.function('nic1.vf', 'host.nic1');
  const frame = new Uint8Array(60);
  bus.deliverFrame('nic1.vf', frame);
  bus.deliverEjected('nic1.vf');
  bus.deliverFrame('nic9.vf', frame);
  const mailbox = bus.mailbox('host.nic1');
  expect([now(mailbox.take()), now(mailbox.take()), mailbox.length]).toEqual([
    { what: 'frame', from: 'nic1.vf', frame },
    { what: 'ejected', from: 'nic1.vf' },
    0,
  ]);
  now(mailbox.refuse('nic1.vf', true));
  vf.deliverFrame(frame);
  expect(mailbox.length).toBe(0);
});
