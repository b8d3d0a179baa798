import { describe, expect, test } from 'vitest';
import { mac } from '../../src/base/mac.ts';
import { loadRecord, saveRecord } from '../../src/base/snapshot.ts';
import type { BusRecord } from '../../src/bus/bus.ts';
import { openPayload } from '../../src/bus/memory.ts';
import { ALL_ONES, PCI_REGISTER } from '../../src/bus/pci-function.ts';
import { Doorbell } from '../../src/sim/doorbell.ts';
import { RNDIS } from '../../src/wire/rndis.ts';
import { HV_STATUS } from '../../src/wire/synic.ts';
import { VMBUS } from '../../src/wire/vmbus.ts';
import { onBus, pages, TRANSPORTS } from './on-bus.ts';

const identity = {
  vendor: 0x15b3,
  device: 0x1016,
  revision: 0x80,
  classCode: 0x020000,
  barSizes: [0x10_0000],
  serial: 1,
  mac: mac('00:0d:3a:12:34:56'),
};

describe.each(TRANSPORTS)('the bus in %s', (transport) => {
  test('messages wait in line for the one slot', () => {
    const { bus, now, later, settled } = onBus(transport);
    later('reader', function* () {
      const first = yield* bus.synic.take();
      const second = yield* bus.synic.take();
      return [first.name, second.name];
    });
    now(bus.synic.deliver({ name: 'rescindChannelOffer', childRelid: 3 }));
    now(bus.synic.deliver({ name: 'allOffersDelivered' }));
    expect(settled.at(-1)).toEqual(['rescindChannelOffer', 'allOffersDelivered']);
  });

  test('a connection that nobody made is refused by the hypervisor', () => {
    const { bus, now } = onBus(transport);
    expect(now(bus.postMessage(4, { name: 'requestOffers' }))).toBe(HV_STATUS.invalidConnectionId);
    expect(bus.deliverPost(4, new Uint8Array(8))).toBe(HV_STATUS.invalidConnectionId);
    expect(now(bus.signalEvent(1))).toBe(HV_STATUS.invalidConnectionId);
    expect(bus.mailbox('host.vmbus').length).toBe(0);
  });

  test('a posted message comes to the server', () => {
    const { bus, now } = onBus(transport);
    bus.connect(1);
    expect(now(bus.postMessage(1, { name: 'relidReleased', childRelid: 7 }))).toBe(HV_STATUS.success);
    const item = now(bus.mailbox('host.vmbus').take());
    if (item.what !== 'message') throw new Error(item.what);
    expect(openPayload(VMBUS, item.message)).toEqual({ name: 'relidReleased', childRelid: 7 });
  });

  test('signals of a channel that come before the worker looks are one', () => {
    const { bus, now } = onBus(transport);
    bus.route(5, 'host.nic1');
    now(bus.signalEvent(5));
    now(bus.signalEvent(5));
    expect(bus.mailbox('host.nic1').length).toBe(1);
    now(bus.mailbox('host.nic1').take());
    now(bus.signalEvent(5));
    expect(bus.mailbox('host.nic1').length).toBe(1);
  });

  test('an interrupt that nobody listens to is kept for the next listener', () => {
    const { sim, bus, now, later, settled } = onBus(transport);
    now(bus.interrupt(2));
    const bell = new Doorbell(sim, 'bell');
    bus.listen(2, bell);
    later('driver', function* () {
      yield* bell.wait();
      return 'woken';
    });
    expect(settled.at(-1)).toBe('woken');
  });

  test('a GPADL shows messages at any offset, across pages that do not touch', () => {
    const { bus } = onBus(transport);
    expect(bus.gpadls.establish(1, pages(10, 20, 30))).toBe(true);
    const frame = { name: 'packet' as const, data: new Uint8Array(300).fill(9), perPacketInfo: [] };
    const length = bus.gpadls.store(1, 4000, RNDIS, frame);
    expect(length).toBe(344);
    expect(openPayload(RNDIS, bus.gpadls.load(1, 4000, 344) ?? new Uint8Array(0))).toEqual(frame);
    expect(bus.gpadls.gpaOf(1, 4096)).toBe(20 * 4096);
  });

  test.each([
    ['behind its end', 1, 3 * 4096 - 10, 344],
    ['before its start', 1, -4, 8],
    ['with a length that wraps', 1, 0xffff_fff0, 0x20],
    ['of an unknown handle', 2, 0, 8],
  ])('what lies %s is no part of a GPADL', (_, handle, offset, length) => {
    const { bus } = onBus(transport);
    bus.gpadls.establish(1, pages(10, 20, 30));
    expect(bus.gpadls.load(handle, offset, length)).toBeUndefined();
    expect(bus.gpadls.store(handle, offset, RNDIS, { name: 'halt', requestId: length })).toBeUndefined();
  });

  test('a handle that is taken and pages that cannot be are refused', () => {
    const { bus } = onBus(transport);
    expect(bus.gpadls.establish(1, pages(10))).toBe(true);
    expect(bus.gpadls.establish(1, pages(11))).toBe(false);
    expect(bus.gpadls.establish(2, pages(2 ** 51))).toBe(false);
    expect(bus.gpadls.establish(3, pages())).toBe(false);
    expect(bus.gpadls.teardown(9)).toBe(false);
  });

  test('a PCI function answers all ones until it is there, and after its death', () => {
    const { bus, now } = onBus(transport);
    const vf = bus.function('nic1.vf', 'host.nic1');
    const read = (register: number) => now(vf.configRead(register));
    expect(read(PCI_REGISTER.id)).toBe(ALL_ONES);
    now(vf.plugIn(identity));
    expect(read(PCI_REGISTER.id)).toBe(0x1016_15b3);
    now(vf.configWrite(PCI_REGISTER.bar0, ALL_ONES));
    expect(read(PCI_REGISTER.bar0)).toBe(0xfff0_0000);
    now(vf.fallSilent('dead'));
    expect([read(PCI_REGISTER.id), now(vf.barRead(0))]).toEqual([ALL_ONES, ALL_ONES]);
  });

  test('the frames of a function that is dead vanish', () => {
    const { bus, now } = onBus(transport);
    const vf = bus.function('nic1.vf', 'host.nic1');
    expect(now(vf.transmit(new Uint8Array(60)))).toBe(true);
    now(bus.mailbox('host.nic1').refuse('nic1.vf', true));
    expect(now(vf.transmit(new Uint8Array(60)))).toBe(false);
    expect(bus.mailbox('host.nic1').length).toBe(1);
  });

  test('all of it survives being saved as text', () => {
    const { bus, now } = onBus(transport);
    bus.connect(1);
    bus.route(5, 'host.nic1');
    now(bus.postMessage(1, { name: 'requestOffers' }));
    now(bus.synic.deliver({ name: 'allOffersDelivered' }));
    now(bus.synic.deliver({ name: 'rescindChannelOffer', childRelid: 3 }));
    now(bus.signalEvent(5));
    now(bus.interrupt(5));
    now(bus.function('nic1.vf', 'host.nic1').plugIn(identity));
    bus.createRings('nic1', 2);
    bus.gpadls.establish(1, pages(10, 20));
    const text = saveRecord(bus.save());
    const other = onBus(transport);
    other.bus.load(loadRecord<BusRecord>(text));
    expect(saveRecord(other.bus.save())).toBe(text);
    expect(other.now(other.bus.synic.take()).name).toBe('allOffersDelivered');
    expect(other.now(other.bus.synic.take()).name).toBe('rescindChannelOffer');
  });
});

test('a real guest fills, reads and clears the slot itself', () => {
  const { bus, now } = onBus('bytes');
  let interrupts = 0;
  bus.synic.onMessage = () => {
    interrupts++;
  };
  now(bus.synic.deliver({ name: 'allOffersDelivered' }));
  expect(interrupts).toBe(0);
  bus.synic.placeAt(0x5000);
  now(bus.synic.deliver({ name: 'rescindChannelOffer', childRelid: 3 }));
  const slot = 0x5000 + 2 * 256;
  // Type 1, 8 bytes of payload, "another one waits"; then message 4.
  expect(Buffer.from(bus.memory.read(slot, 6)).toString('hex')).toBe('010000000801');
  expect(bus.memory.readU32(slot + 16)).toBe(4);
  bus.memory.writeU32(slot, 0);
  bus.synic.endOfMessage();
  expect([bus.memory.readU32(slot + 16), bus.memory.readU32(slot + 24), interrupts]).toEqual([2, 3, 2]);
});
