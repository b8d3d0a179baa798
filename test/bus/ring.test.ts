import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openPayload, type Transport } from '../../src/bus/memory.ts';
import { isPacket, type RingPacket } from '../../src/bus/packet.ts';
import type { Ring } from '../../src/bus/ring.ts';
import type { Operation, Task } from '../../src/sim/operation.ts';
import { NVSP } from '../../src/wire/nvsp.ts';
import { inband, onBus, PACKET_SIZE, switchTo, TRANSPORTS } from './on-bus.ts';

/** The data of a ring of two pages. */
const DATA_SIZE = 4096;

describe.each(TRANSPORTS)('a ring in %s', (transport) => {
  test('gives packets back in order, and says when there is none', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    now(toHost.write(switchTo(1, 7n)));
    now(toHost.write(switchTo(0, 8n)));
    expect(readAll(now, toHost)).toEqual(['switchDataPath 1 as 7', 'switchDataPath 0 as 8']);
  });

  test('wants a signal for the first packet only, and again once the reader found it empty', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    expect(now(toHost.write(switchTo(1)))).toBe('signal');
    expect(now(toHost.write(switchTo(0)))).toBe('quiet');
    now(toHost.read());
    expect(now(toHost.write(switchTo(1)))).toBe('quiet');
    readAll(now, toHost);
    expect(now(toHost.write(switchTo(1)))).toBe('signal');
  });

  test('wants no signal while the reader is awake, even when it has caught up', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    now(toHost.write(switchTo(1)));
    now(toHost.read());
    expect(toHost.isEmpty).toBe(true);
    expect(now(toHost.write(switchTo(0)))).toBe('quiet');
  });

  test('never fills to the last byte', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    const room = DATA_SIZE / PACKET_SIZE;
    const results = Array.from({ length: room }, () => now(toHost.write(switchTo(1))));
    expect(results.filter((result) => result === 'full')).toHaveLength(1);
    expect(toHost.free).toBe(PACKET_SIZE);
  });

  test('lets a blocked writer go on when a reader has made room', () => {
    const { bus, now, later, settled } = onBus(transport);
    const { toGuest } = bus.createRings('nic1', 2);
    while (now(toGuest.write(switchTo(1))) !== 'full');
    const before = settled.length;
    later('writer', () => one(toGuest.writeWhenFree(switchTo(0, 99n))));
    expect(settled).toHaveLength(before);
    expect(toGuest.store.pendingSize).toBe(PACKET_SIZE);
    now(toGuest.read());
    expect(settled).toContain('quiet');
    expect(toGuest.store.pendingSize).toBe(0);
    expect(readAll(now, toGuest).at(-1)).toBe('switchDataPath 0 as 99');
  });

  test('lets a blocked writer go when the channel is closed, and takes nothing from then on', () => {
    const { bus, now, later, settled } = onBus(transport);
    const { toGuest } = bus.createRings('nic1', 2);
    while (now(toGuest.write(switchTo(1))) !== 'full');
    later('writer', () => one(toGuest.writeWhenFree(switchTo(0))));
    now(toGuest.shut());
    expect(settled.filter((result) => result === 'shut')).toHaveLength(1);
    expect(now(toGuest.write(switchTo(0)))).toBe('shut');
    toGuest.reset();
    expect(now(toGuest.write(switchTo(0)))).toBe('signal');
  });

  test('keeps its packets through a save, with the reader awake or asleep as before', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    now(toHost.write(switchTo(1, 5n)));
    now(toHost.write(switchTo(0, 6n)));
    now(toHost.read());
    const record = bus.save();
    readAll(now, toHost);
    bus.load(record);
    expect(now(toHost.write(switchTo(1)))).toBe('quiet');
    expect(readAll(now, toHost)).toEqual(['switchDataPath 0 as 6', 'switchDataPath 1 as 0']);
  });

  test('carries the head of every type of packet', () => {
    const { bus, now } = onBus(transport);
    const { toHost } = bus.createRings('nic1', 2);
    const head = { transactionId: 3n, completionRequested: true, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    const packets: RingPacket[] = [
      { ...head, type: 'inband' },
      { ...head, type: 'completion' },
      { ...head, type: 'gpaDirect', pages: [{ len: 100, offset: 96, pfn: 0x1234 }] },
      {
        ...head,
        type: 'transferPages',
        transferPages: { setId: 0xcafe, ranges: [{ byteCount: 60, byteOffset: 1728 }] },
      },
    ];
    for (const packet of packets) {
      now(toHost.write(packet));
      expect(now(toHost.read())).toEqual(packet);
    }
  });
});

test('both transports answer every sequence of operations alike', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), bytes: fc.integer({ min: 0, max: 1500 }) }),
    fc.record({ do: fc.constant('message' as const), bytes: fc.constant(0) }),
    fc.record({ do: fc.constant('read' as const), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [first, second] = TRANSPORTS.map((transport) => {
        const { bus, now } = onBus(transport);
        const { toHost } = bus.createRings('nic1', 2);
        return steps.map(({ do: what, bytes }, i) => {
          if (what === 'read') return describeRead(now(toHost.read()), transport);
          const raw: RingPacket = {
            type: 'inband',
            transactionId: BigInt(i),
            completionRequested: false,
            payload: new Uint8Array(bytes).fill(i),
          };
          return `${now(toHost.write(what === 'write' ? raw : switchTo(1)))} ${toHost.free}`;
        });
      });
      expect(first).toEqual(second);
    }),
  );
});

function* one<T>(operation: Operation<T>): Task<T> {
  return yield* operation;
}

function readAll(now: ReturnType<typeof onBus>['now'], ring: Ring): string[] {
  const all: string[] = [];
  for (let read = now(ring.read()); read !== undefined; read = now(ring.read())) {
    if (!isPacket(read)) throw new Error(`malformed: ${read.what}`);
    const message = openPayload(NVSP, read.payload);
    const path = message.name === 'switchDataPath' ? ` ${message.activeDataPath}` : '';
    all.push(`${message.name}${path} as ${read.transactionId}`);
  }
  return all;
}

/** Bytes come back padded to 8; what both transports share is the head and the padded length. */
function describeRead(read: ReturnType<Ring['read']>['result'], transport: Transport): string {
  if (read === undefined) return 'empty';
  if (!isPacket(read)) return `malformed ${read.what}`;
  const size = read.payload instanceof Uint8Array ? read.payload.length : NVSP.size(read.payload as never);
  const padded = transport === 'bytes' ? size : Math.ceil(size / 8) * 8;
  return `${read.type} ${read.transactionId} ${padded}`;
}

test('the sizes that the tests count with are those of the wire', () => {
  const { bus, now } = onBus('direct');
  const { toHost } = bus.createRings('nic1', 2);
  now(toHost.write(inband({ name: 'switchDataPath', activeDataPath: 1 })));
  expect(DATA_SIZE - toHost.free).toBe(PACKET_SIZE);
});
