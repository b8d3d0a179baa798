import { expect, test } from 'vitest';
import { Bus, signalConnection } from '../../src/bus/bus.ts';
import { GuestMemory } from '../../src/bus/memory.ts';
import { Host } from '../../src/host/host.ts';
import { Latency } from '../../src/sim/latency.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { isMalformed } from '../../src/wire/message.ts';
import { NVSP_COMPLETION } from '../../src/wire/nvsp.ts';
import { PageList } from '../../src/wire/page-list.ts';
import { decodeRingPacket } from '../../src/wire/ring-packet.ts';
import { decodeHvMessage, HV_STATUS } from '../../src/wire/synic.ts';
import { VMBUS, type VmbusMessage } from '../../src/wire/vmbus.ts';
import { catalogue, nic1 } from './fake-guest.ts';

/** The same host under a guest that has a memory of its own and nothing but what a CPU can do. */

const SIMP = 0x3000;
const SLOT = SIMP + 2 * 256;
/** Two rings of two pages each, scattered, the host-to-guest one in front of the other in memory. */
const RING_PAGES = [40, 41, 20, 22];

function cpu() {
  const ram = new Uint8Array(64 * 4096);
  const view = new DataView(ram.buffer);
  const sim = new Simulation();
  const backing = (chunk: number) =>
    chunk * 65536 < ram.length ? ram.subarray(chunk * 65536, (chunk + 1) * 65536) : undefined;
  const bus = new Bus(sim, 'bytes', new GuestMemory('bytes', backing));
  const interrupts: string[] = [];
  bus.synic.onMessage = () => interrupts.push('message');
  bus.flags.onRaise = (relid) => interrupts.push(`channel ${relid}`);
  bus.synic.placeAt(SIMP);
  const host = new Host(sim, bus, { nics: [nic1] }, catalogue, new Latency());
  sim.spawn('operator', 'scenario', host.act({ do: 'offer', nic: 'nic1' }) as never);
  sim.run();
  const post = (message: VmbusMessage, connection = 4): number => {
    const status = bus.deliverPost(connection, VMBUS.encode(message));
    sim.run();
    return status;
  };
  /** Reads the slot, frees it and says end-of-message. */
  const take = (): VmbusMessage => {
    const slot = decodeHvMessage(ram.slice(SLOT, SLOT + 256));
    if ('problem' in slot) throw new Error('nonsense in the slot');
    const message = VMBUS.decode(slot.payload);
    if (isMalformed(message)) throw new Error('nonsense in the slot');
    view.setUint32(SLOT, 0, true);
    bus.synic.endOfMessage();
    return message;
  };
  return { ram, view, sim, bus, interrupts, post, take };
}

test('a CPU brings the NIC up to its first answer by hypercalls and memory alone', () => {
  const { ram, view, sim, bus, interrupts, post, take } = cpu();
  const contact = { targetVcpu: 0, interruptPage: 2n, monitorPage1: 0n, monitorPage2: 0n };
  expect(post({ name: 'initiateContact', version: 0x50003, ...contact })).toBe(HV_STATUS.success);
  expect(take()).toMatchObject({ name: 'versionResponse', supported: 1, connectionId: 4 });
  post({ name: 'requestOffers' });
  const offer = take();
  if (offer.name !== 'offerChannel') throw new Error(offer.name);
  expect(take().name).toBe('allOffersDelivered');
  const { childRelid } = offer;
  expect(offer.connectionId).toBe(signalConnection(childRelid));

  const range = {
    rangeBuflen: 8 + 8 * 4,
    rangeCount: 1,
    byteCount: 4 * 4096,
    byteOffset: 0,
    pfns: PageList.of(RING_PAGES),
  };
  post({ name: 'gpadlHeader', childRelid, gpadl: 0xe1e10, ...range });
  expect(take()).toMatchObject({ name: 'gpadlCreated', status: 0 });
  const rings = { ringGpadl: 0xe1e10, targetVp: 0, downstreamPageOffset: 2, userData: new Uint8Array(120) };
  post({ name: 'openChannel', childRelid, openId: childRelid, ...rings });
  expect(take()).toMatchObject({ name: 'openChannelResult', status: 0 });

  // NVSP INIT for version 6.1 as transaction 9: descriptor, 40 bytes, trailer.
  const toHost = 40 * 4096;
  const packet = [6 | (2 << 16), 7 | (1 << 16), 9, 0, 1, 0x60001, 0x60001];
  for (const [i, word] of packet.entries()) view.setUint32(41 * 4096 + 4 * i, word, true);
  view.setUint32(toHost, 64, true);
  interrupts.length = 0;
  expect(bus.deliverSignal(signalConnection(childRelid))).toBe(HV_STATUS.success);
  sim.run();
  expect(view.getUint32(toHost + 4, true)).toBe(64);
  expect(interrupts).toEqual([`channel ${childRelid}`]);
  const answer = decodeRingPacket(ram.slice(22 * 4096, 22 * 4096 + 56));
  if ('problem' in answer) throw new Error('nonsense in the ring');
  expect(answer).toMatchObject({ type: 'completion', transactionId: 9n });
  expect(NVSP_COMPLETION.decode(answer.payload)).toMatchObject({ name: 'initComplete', status: 1, version: 0x60001 });

  expect(bus.deliverSignal(signalConnection(77))).toBe(HV_STATUS.invalidConnectionId);
  expect(bus.deliverPost(9, new Uint8Array(8))).toBe(HV_STATUS.invalidConnectionId);
});

test('a CPU that stops to read and goes on later gets everything', () => {
  const { view, sim, bus, post, take } = cpu();
  const contact = { targetVcpu: 0, interruptPage: 2n, monitorPage1: 0n, monitorPage2: 0n };
  post({ name: 'initiateContact', version: 0x50003, ...contact });
  post({ name: 'requestOffers' });
  const names = [take().name, take().name, take().name];
  expect(names).toEqual(['versionResponse', 'offerChannel', 'allOffersDelivered']);
  const range = {
    rangeBuflen: 8 + 8 * 4,
    rangeCount: 1,
    byteCount: 4 * 4096,
    byteOffset: 0,
    pfns: PageList.of(RING_PAGES),
  };
  post({ name: 'gpadlHeader', childRelid: 1, gpadl: 1, ...range });
  post({
    name: 'openChannel',
    childRelid: 1,
    openId: 1,
    ringGpadl: 1,
    targetVp: 0,
    downstreamPageOffset: 2,
    userData: new Uint8Array(120),
  });
  const [toHost, toGuest] = [40 * 4096, 20 * 4096];
  view.setUint32(toHost + 64, 1, true);
  view.setUint32(toGuest + 64, 1, true);
  // 63 requests at a time fill one ring, and their answers the other one.
  for (let round = 0; round < 2; round++) {
    const from = view.getUint32(toHost, true);
    for (let i = 0; i < 63; i++) {
      const at = 41 * 4096 + ((from + i * 64) % 4096);
      for (const [k, word] of [6 | (2 << 16), 7 | (1 << 16), 1 + i, 0, 1, 9, 9].entries())
        view.setUint32(at + 4 * k, word, true);
    }
    view.setUint32(toHost, (from + 63 * 64) % 4096, true);
    bus.deliverSignal(signalConnection(1));
    sim.run();
  }
  // The host waits for room, and has said for how much.
  expect(view.getUint32(toGuest + 12, true)).toBe(64);
  view.setUint32(toGuest + 4, view.getUint32(toGuest, true), true);
  bus.deliverSignal(signalConnection(1));
  sim.run();
  expect(view.getUint32(toGuest + 12, true)).toBe(0);
  expect(view.getUint32(toHost + 4, true)).toBe(view.getUint32(toHost, true));
});
