import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { saveRecord } from '../../src/base/snapshot.ts';
import { NVSP, NVSP_MESSAGES, type NvspMessage } from '../../src/wire/nvsp.ts';
import { RNDIS, RNDIS_CONTROL_MESSAGES } from '../../src/wire/rndis.ts';
import { VMBUS_MESSAGES } from '../../src/wire/vmbus.ts';
import { VPCI_MESSAGES } from '../../src/wire/vpci.ts';
import type { FakeGuest } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

/** A guest's nonsense is an event and a sane answer or none; the host lives on. What throws here is a bug of ours. */

interface NumberedRow {
  readonly type: number;
  readonly size: number;
}

/** Messages of a protocol as somebody would send them who means harm: real numbers, wrong lengths, wild fields. */
function nonsenseOf(table: Readonly<Record<string, NumberedRow>>, lengthAt = 0): fc.Arbitrary<Uint8Array> {
  const rows = Object.values(table);
  const known = fc.constantFrom(...rows).chain((row) =>
    fc
      .tuple(
        fc.integer({ min: 0, max: row.size + 24 }),
        fc.uint8Array({ minLength: row.size + 24, maxLength: row.size + 24 }),
      )
      .map(([length, bytes]) => {
        const view = new DataView(bytes.buffer);
        view.setUint32(0, row.type, true);
        if (lengthAt > 0 && length % 3 > 0) view.setUint32(lengthAt, length, true);
        return bytes.slice(0, length);
      }),
  );
  return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) });
}

/** The host still answers a guest that behaves. */
function expectAlive(guest: FakeGuest): void {
  guest.messages.length = 0;
  guest.connect();
  new FakeNic(guest).negotiated().rndisReady();
}

const RUNS = { numRuns: 60, endOnFailure: true };

test('VMBus messages of every kind, whole and cut', () => {
  fc.assert(
    fc.property(fc.array(nonsenseOf(VMBUS_MESSAGES), { minLength: 1, maxLength: 12 }), (messages) => {
      const guest = connectedGuest();
      const nic = new FakeNic(guest);
      for (const message of messages) guest.post(message.subarray(0, 240));
      expect(nic.relid).toBeGreaterThan(0);
      expectAlive(guest);
    }),
    RUNS,
  );
});

test('NVSP messages of every kind, in any order, with and without a session', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(nonsenseOf(NVSP_MESSAGES), { minLength: 1, maxLength: 12 }),
      (early, messages) => {
        const guest = connectedGuest();
        const nic = new FakeNic(guest);
        if (!early) nic.negotiated().rndisReady();
        for (const [i, message] of messages.entries()) nic.channel.sendRaw(message, BigInt(i));
        expectAlive(guest);
      },
    ),
    RUNS,
  );
});

test('RNDIS messages of every kind, in sections and in pages', () => {
  const packet = { packet: { type: 1, size: 44 } };
  const message = nonsenseOf({ ...RNDIS_CONTROL_MESSAGES, ...packet }, 4);
  const pages = fc.array(
    fc.record({
      len: fc.integer({ min: 1, max: 96 }),
      offset: fc.integer({ min: 0, max: 4000 }),
      pfn: fc.nat(2 ** 30),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(message, pages, fc.nat(9)), { minLength: 1, maxLength: 8 }), (all) => {
      const guest = connectedGuest();
      const nic = new FakeNic(guest).negotiated().rndisReady();
      for (const [bytes, ranges, sendSectionIndex] of all) {
        guest.bus.memory.write(nic.sendGpa + sendSectionIndex * 6144, bytes);
        nic.sendSection(bytes.length * (sendSectionIndex === 7 ? 999 : 1), 0, sendSectionIndex);
        const named = { channelType: 0, sendSectionIndex: 0xffff_ffff, sendSectionSize: 0 };
        const payload: NvspMessage = { name: 'sendRndisPacket', ...named };
        const head = { type: 'gpaDirect', transactionId: 0n, completionRequested: false, protocol: NVSP } as const;
        guest.now(nic.channel.rings.toHost.write({ ...head, payload, pages: ranges }));
        nic.channel.signal();
      }
      expectAlive(guest);
    }),
    RUNS,
  );
});

test('vPCI messages of every kind, before and after the version', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(nonsenseOf(VPCI_MESSAGES), { minLength: 1, maxLength: 12 }),
      (early, messages) => {
        const guest = connectedGuest();
        guest.act({ do: 'offer-vf', nic: 'nic1' });
        const offer = guest.take('offerChannel');
        const vf = new FakeVf(guest);
        if (!early) vf.probed();
        for (const [i, message] of messages.entries()) vf.channel.sendRaw(message, BigInt(i));
        expect(offer.childRelid).not.toBe(vf.relid);
        expectAlive(guest);
      },
    ),
    RUNS,
  );
});

test('the direct transport bears values that are no messages of the channel', () => {
  const guest = connectedGuest({ transport: 'direct' });
  const nic = new FakeNic(guest).negotiated().rndisReady();
  nic.channel.sendRaw({ name: 'malformed', protocol: 'nvsp', problem: 'short' } as { name: string }, 1n, NVSP_LIKE);
  nic.channel.sendRaw({ name: 'eject', slot: 1 } as { name: string }, 2n, NVSP_LIKE);
  nic.channel.sendRaw(new Uint8Array(3), 3n);
  expect(guest.told('wire.malformed').length).toBeGreaterThan(0);
  expectAlive(guest);
});

describe('broken rings', () => {
  test('are noticed once, and the channel is alive again after it was opened anew', () => {
    const guest = connectedGuest();
    const offer = guest.take('offerChannel');
    const nic = new FakeNic(guest, offer);
    guest.bus.memory.writeU32(nic.channel.rings.firstPfn * 4096, 0xffff_fff8);
    nic.channel.signal();
    expect(guest.told('wire.malformed')).toHaveLength(1);
    guest.post({ name: 'closeChannel', childRelid: nic.relid });
    expect(new FakeNic(guest, offer).negotiated()).toBeDefined();
  });

  test('that are freed while the channel is open bother nobody', () => {
    const guest = connectedGuest();
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.bus.freeRings(nic.channel.rings);
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    nic.channel.signal();
    expectAlive(guest);
  });
});

test('completions that nobody waits for are noticed and ignored', () => {
  const guest = connectedGuest();
  const nic = new FakeNic(guest).negotiated().rndisReady();
  nic.channel.complete(4711n, { name: 'sendRndisPacketComplete', status: 1 } as { name: string }, NVSP);
  nic.channel.complete(0x8000_0000_0000_0000n, new Uint8Array(0), RNDIS);
  expect(guest.story('host.refused', (event) => event.why)).toEqual(['nothing waits for 4711']);
});

test('a guest that wants 32 channels of nothing gets them refused, and the host stays small', () => {
  const guest = connectedGuest();
  for (let relid = 10; relid < 42; relid++) guest.gpadl(relid, [1, 2, 3]);
  expect(guest.messages.filter((message) => message.name === 'gpadlCreated' && message.status !== 0)).toHaveLength(32);
  expect(saveRecord(guest.host.save()).length).toBeLessThan(5000);
});

const NVSP_LIKE = { ...NVSP, size: () => 40 };
