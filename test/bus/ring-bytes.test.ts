import { expect, test } from 'vitest';
import { PAGE_SIZE } from '../../src/bus/memory.ts';
import { RING_INDICES } from '../../src/bus/packet.ts';
import { RING_HEADER } from '../../src/bus/ring-bytes.ts';
import { onBus, pages, switchTo } from './on-bus.ts';

/** Offsets and rules: linux/hyperv.h, struct hv_ring_buffer (reference C.2). */

function ringInMemory() {
  const on = onBus('bytes');
  const pair = on.bus.createRings('nic1', 2);
  const base = pair.firstPfn * PAGE_SIZE;
  const word = (offset: number): number => on.bus.memory.readU32(base + offset);
  const data = (offset: number, length: number): string =>
    Buffer.from(on.bus.memory.read(base + PAGE_SIZE + offset, length)).toString('hex');
  return { ...on, ...pair, base, word, data };
}

test('a fresh ring is empty, unmasked, and knows pending_send_sz', () => {
  const { word } = ringInMemory();
  expect([0, 4, 8, 12, 64].map(word)).toEqual([0, 0, 0, 0, 1]);
});

test('a packet is a descriptor, a payload and a trailer with the index at which it began', () => {
  const { now, toHost, word, data } = ringInMemory();
  now(toHost.write(switchTo(1, 0x0102n)));
  expect(word(RING_HEADER.writeIndex)).toBe(64);
  expect(data(0, 16)).toBe('0600' + '0200' + '0700' + '0100' + '0201000000000000');
  expect(data(16, 8)).toBe('81000000' + '01000000');
  expect(data(56, 8)).toBe('0000000000000000');
  now(toHost.write(switchTo(0)));
  expect(data(64 + 56, 8)).toBe('00000000' + '40000000');
});

test('the reader masks interrupts while it reads and unmasks them when it finds nothing', () => {
  const { now, toHost, word } = ringInMemory();
  now(toHost.write(switchTo(1)));
  now(toHost.read());
  expect([word(RING_HEADER.interruptMask), word(RING_HEADER.readIndex)]).toEqual([1, 64]);
  now(toHost.read());
  expect(word(RING_HEADER.interruptMask)).toBe(0);
});

test('a packet wraps around the end of the data, its trailer too', () => {
  const { now, toHost, word, data } = ringInMemory();
  const raw = (fill: number, length: number) => ({
    type: 'inband' as const,
    transactionId: 0n,
    completionRequested: false,
    payload: new Uint8Array(length).fill(fill),
  });
  now(toHost.write(raw(1, 4000)));
  now(toHost.read());
  expect(word(RING_HEADER.writeIndex)).toBe(4024);
  now(toHost.write(raw(2, 80)));
  expect(word(RING_HEADER.writeIndex)).toBe(4024 + 104 - 4096);
  expect(data(24, 8)).toBe('00000000' + 'b80f0000');
  expect(now(toHost.read())).toMatchObject({ payload: new Uint8Array(80).fill(2) });
});

test.each([
  ['a write index beyond the ring', RING_HEADER.writeIndex, 0x10000],
  ['a read index beyond the ring', RING_HEADER.readIndex, 0xffff_fff8],
  ['an index that is not a multiple of 8', RING_HEADER.writeIndex, 13],
])('%s reads as broken, and nothing is written over it', (_, offset, value) => {
  const { bus, now, toHost, base } = ringInMemory();
  bus.memory.writeU32(base + offset, value);
  expect(now(toHost.read())).toMatchObject({ name: 'malformed', protocol: RING_INDICES });
  expect(now(toHost.write(switchTo(1)))).toBe('full');
});

test('a packet that is longer than what is used reads as broken', () => {
  const { bus, now, toHost, base } = ringInMemory();
  now(toHost.write(switchTo(1)));
  bus.memory.write(base + PAGE_SIZE + 4, Uint8Array.of(0xff, 0xff));
  expect(now(toHost.read())).toMatchObject({ name: 'malformed', protocol: RING_INDICES });
});

test('a packet of an unknown type is skipped', () => {
  const { bus, now, toHost, base } = ringInMemory();
  now(toHost.write(switchTo(1)));
  now(toHost.write(switchTo(0, 2n)));
  bus.memory.write(base + PAGE_SIZE, Uint8Array.of(0x0a, 0));
  expect(now(toHost.read())).toMatchObject({ name: 'malformed', protocol: 'ring', problem: 'unknown' });
  expect(now(toHost.read())).toMatchObject({ type: 'inband', transactionId: 2n });
});

test('a writer outside of the simulation is called when the space that it waits for is there', () => {
  const { bus, now, toHost, base } = ringInMemory();
  let calls = 0;
  toHost.onSpace = () => {
    calls++;
  };
  while (now(toHost.write(switchTo(1))) !== 'full');
  bus.memory.writeU32(base + RING_HEADER.pendingSendSize, 64);
  now(toHost.read());
  expect(calls).toBe(1);
  now(toHost.read());
  expect(calls).toBe(1);
});

test('a ring over scattered pages of a real guest is the same ring', () => {
  const { bus, now } = onBus('bytes');
  bus.gpadls.establish(9, pages(700, 702, 704, 500, 502, 504));
  const pair = bus.ringsAt(9, 3);
  const toHost = pair?.toHost;
  if (toHost === undefined) throw new Error('no rings');
  for (const size of [3000, 3000, 3000, 3000]) {
    const payload = new Uint8Array(size).map((_, i) => i % 251);
    now(toHost.write({ type: 'inband', transactionId: 1n, completionRequested: false, payload }));
    expect(now(toHost.read())).toMatchObject({ payload });
  }
  expect(bus.memory.readU32(700 * PAGE_SIZE + RING_HEADER.writeIndex)).toBe((4 * 3024) % 8192);
});
