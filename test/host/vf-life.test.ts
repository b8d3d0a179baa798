import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { ALL_ONES, PCI_REGISTER, type PciFunction } from '../../src/bus/pci-function.ts';
import { VPCI } from '../../src/wire/vpci.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { type FakeGuest, nic1, type Options } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

const ASSOCIATION = 0x8000_0000_0000_0000n;

const vfFunction = (guest: FakeGuest): PciFunction => {
  const fn = guest.bus.functions.get('nic1.vf');
  if (fn === undefined) throw new Error('there is no function');
  return fn;
};
const states = (guest: FakeGuest): string[] => guest.story('host.vf', (event) => event.state);

/** A guest whose NIC is ready, with a VF that is plugged and probed. */
function withVf(options: Options = {}) {
  const guest = connectedGuest(options);
  const nic = new FakeNic(guest).negotiated().rndisReady();
  guest.act({ do: 'plug-vf', nic: 'nic1' });
  guest.settle(ms(100));
  return { guest, nic, vf: new FakeVf(guest).probed(), fn: vfFunction(guest) };
}

function onVfPath(options: Options = {}) {
  const all = withVf(options);
  all.nic.switchTo(1);
  all.nic.said();
  return all;
}

describe.each(TRANSPORTS)('the life of a VF over %s', (transport) => {
  test('a VF that is assigned before is announced right behind the answer to RNDIS INITIALIZE', () => {
    const guest = connectedGuest({ transport, latency: { 'host.vf-offer': seconds(1) } });
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    expect(nic.said()).toEqual(['association 1 serial 2']);
    expect(nic.control[0]?.name).toBe('initializeComplete');
    expect(guest.host.vfStateOf('nic1')).toBe('due');
    guest.settle(seconds(1));
    expect(new FakeVf(guest).relid).toBe(2);
  });

  test('the association asks for a completion that Linux never sends', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    const [association] = nic.pull();
    expect(association).toMatchObject({ transactionId: ASSOCIATION, completionRequested: true });
  });

  test.each([
    ['without the SR-IOV bit', 0x60001, 0x8],
    ['before version 4', 0x30002, 0xc],
  ])('%s no VF is announced', (_, version, capabilities) => {
    const guest = connectedGuest({ transport });
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    const nic = new FakeNic(guest).negotiated(version, capabilities).rndisReady();
    guest.settle(seconds(5));
    expect([nic.said(), guest.messages]).toEqual([[], []]);
  });

  test('a switch before the offer brings the offer forward', () => {
    const guest = connectedGuest({ transport, latency: { 'host.vf-offer': seconds(1) } });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    expect(nic.switchTo(1)).toBe(0);
    expect(new FakeVf(guest).probed()).toBeDefined();
    expect(guest.host.pathOf('nic1')).toBe('vf');
  });

  test('every switch is completed with nothing, whether it makes sense or not', () => {
    const { guest, nic } = withVf({ transport });
    expect([nic.switchTo(1), nic.switchTo(1), nic.switchTo(0), nic.switchTo(0)]).toEqual([0, 0, 0, 0]);
    expect(nic.switchTo(7 as 1)).toBe(0);
    expect(guest.story('host.datapath', (event) => `${event.path}: ${event.why}`)).toEqual([
      'vf: the guest asked',
      'synthetic: the guest asked',
    ]);
    expect(guest.told('host.refused')).toHaveLength(3);
  });

  test('the data path outlives a close of the channel', () => {
    const { guest, nic } = onVfPath({ transport });
    nic.channel.close();
    guest.settle();
    expect(guest.host.pathOf('nic1')).toBe('vf');
  });

  test('a session that begins anew hears of the VF that is there, and no second function comes', () => {
    const guest = connectedGuest({ transport });
    const offer = guest.take('offerChannel');
    const first = new FakeNic(guest, offer).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(ms(100));
    const vf = new FakeVf(guest).probed();
    first.channel.close();
    const again = new FakeNic(guest, offer).negotiated().rndisReady();
    guest.settle(seconds(2));
    expect(again.said()).toEqual(['association 1 serial 2']);
    expect(guest.messages).toEqual([]);
    expect(vf.heard().map((message) => message.name)).toEqual([]);
  });

  test('vPCI: versions, relations, resources, power', () => {
    const guest = connectedGuest({ transport });
    new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'offer-vf', nic: 'nic1' });
    const vf = new FakeVf(guest);
    expect(vf.ask({ name: 'busD0Exit' })).toMatchObject({ status: 0xc000_0001 });
    expect(vf.ask({ name: 'queryProtocolVersion', version: 0x10006 })).toMatchObject({ status: 0xc000_0059 });
    expect(vf.ask({ name: 'queryProtocolVersion', version: 0x10002 })).toMatchObject({ status: 0, version: 0x10002 });
    vf.channel.send(VPCI, { name: 'queryBusRelations' });
    const [first] = vf.heard();
    expect(first).toMatchObject({
      name: 'busRelations',
      functions: [{ vendor: 0x15b3, device: 0x1016, slot: 2, serial: 2 }],
    });
    vf.ask({ name: 'queryProtocolVersion', version: 0x10004 });
    expect(vf.ask({ name: 'queryResourceRequirements', slot: 2 })).toMatchObject({
      status: 0,
      probedBars: [0xfff0_0000, 0, 0, 0, 0, 0],
    });
    expect(vf.ask({ name: 'queryResourceRequirements', slot: 5 })).toMatchObject({ status: 0xc000_0001 });
    expect(vf.ask({ name: 'busD0Entry', mmioBase: 0n })).toMatchObject({ status: 0 });
  });

  test('vPCI: fresh relations come before the answer to D0 entry', () => {
    const guest = connectedGuest({ transport });
    guest.act({ do: 'offer-vf', nic: 'nic1' });
    guest.take('offerChannel');
    const vf = new FakeVf(guest);
    vf.ask({ name: 'queryProtocolVersion', version: 0x10004 });
    vf.channel.send(VPCI, { name: 'busD0Entry', mmioBase: 0n } as { name: string }, 77n);
    expect(vf.channel.readAll().map((got) => `${got.type} ${got.transactionId}`)).toEqual([
      'inband 0',
      'completion 77',
    ]);
  });

  test('eject first: EJECT, rescind once it is complete, the association a while later', () => {
    const { guest, nic, vf, fn } = onVfPath({ transport });
    expect(guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' })).toBe('taken up');
    expect(vf.heard()).toMatchObject([{ name: 'eject', slot: 2 }]);
    expect(guest.now(fn.configRead(PCI_REGISTER.id))).toBe(0x1016_15b3);
    expect(guest.messages).toEqual([]);
    nic.switchTo(0);
    vf.letGo();
    expect(guest.take('rescindChannelOffer').childRelid).toBe(vf.relid);
    expect([fn.alive, fn.present.now, guest.now(fn.configRead(PCI_REGISTER.id))]).toEqual([false, false, ALL_ONES]);
    expect(nic.said()).toEqual([]);
    guest.settle(ms(1100));
    expect(nic.said()).toEqual(['association 0 serial 2']);
    vf.release();
    expect(states(guest).slice(-4)).toEqual(['ejecting', 'rescinded', 'gone', 'released']);
  });

  test('association first: path, message, and only then the EJECT', () => {
    const { guest, nic, vf } = onVfPath({ transport });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'assoc-first' });
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
    expect(nic.said()).toEqual(['path 0', 'association 0 serial 2']);
    expect(vf.heard()).toMatchObject([{ name: 'eject' }]);
    vf.letGo();
    guest.take('rescindChannelOffer');
    guest.settle(seconds(5));
    expect(nic.said()).toEqual([]);
  });

  test('surprise: it is dead, the path stands on it, and nobody was asked', () => {
    const { guest, nic, vf, fn } = onVfPath({ transport });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'surprise' });
    expect(guest.messages).toEqual([]); // its channel is there for a while longer
    guest.settle(ms(50));
    guest.take('rescindChannelOffer');
    expect([fn.alive, guest.now(fn.configRead(0)), guest.now(fn.transmit(new Uint8Array(60)))]).toEqual([
      false,
      ALL_ONES,
      false,
    ]);
    expect(guest.host.pathOf('nic1')).toBe('vf');
    expect([nic.said(), vf.channel.readAll()]).toEqual([[], []]);
    guest.settle(ms(1050));
    expect(nic.said()).toEqual(['association 0 serial 2']);
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
  });

  test('a guest that does not complete the eject loses the VF after 60 s', () => {
    const { guest, vf } = onVfPath({ transport });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' });
    guest.settle(seconds(59));
    expect(guest.messages).toEqual([]);
    guest.settle(seconds(1));
    expect(guest.take('rescindChannelOffer').childRelid).toBe(vf.relid);
    expect(guest.told('host.timeout')).toMatchObject([{ dev: 'nic1.vf', after: seconds(60) }]);
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
    vf.letGo();
  });

  test('a switch that is under way when the VF is revoked is answered first', () => {
    const { guest, nic } = withVf({ transport, latency: { 'host.switch-datapath': ms(50) } });
    nic.say({ name: 'switchDataPath', activeDataPath: 1 }, 500n);
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'assoc-first' });
    const all = nic.pull().map((got) => `${got.type} ${got.transactionId}`);
    expect(all).toContain('completion 500');
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
  });

  test('the return: same instance, another serial and family, once the guest has released the channel', () => {
    const { guest, nic, vf } = onVfPath({ transport });
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'assoc-first' });
    vf.letGo();
    guest.take('rescindChannelOffer');
    nic.said();
    expect(guest.act({ do: 'plug-vf', nic: 'nic1', family: 'mana', serial: 9 })).toBe('taken up');
    guest.settle(seconds(3));
    expect(nic.said()).toEqual(['association 1 serial 9']);
    expect(guest.messages).toEqual([]);
    vf.release();
    guest.settle(seconds(1));
    const again = new FakeVf(guest).probed();
    expect(again.relid).toBe(vf.relid);
    again.channel.send(VPCI, { name: 'queryBusRelations' });
    expect(again.heard().at(-1)).toMatchObject({ functions: [{ vendor: 0x1414, serial: 9 }] });
  });

  test('a channel that the PCI driver never opened is rescinded without an EJECT', () => {
    const guest = connectedGuest({ transport });
    new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(ms(100));
    guest.take('offerChannel');
    guest.act({ do: 'revoke-vf', nic: 'nic1', order: 'eject-first' });
    expect(guest.take('rescindChannelOffer')).toBeDefined();
  });

  test('only the message, only the channel', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'associate', nic: 'nic1' });
    guest.settle(seconds(3));
    expect([nic.said(), guest.messages]).toEqual([['association 1 serial 2'], []]);
    guest.act({ do: 'offer-vf', nic: 'nic1' });
    expect([nic.said(), guest.messages.length]).toEqual([[], 1]);
    guest.act({ do: 'disassociate', nic: 'nic1' });
    expect(nic.said()).toEqual(['association 0 serial 2']);
  });

  test('a NIC that is taken away leaves its VF with the guest', () => {
    const { guest, nic, vf } = onVfPath({ transport });
    guest.act({ do: 'rescind', nic: 'nic1' });
    expect(vf.heard()).toEqual([]);
    expect(guest.messages.map((message) => message.name)).toEqual(['rescindChannelOffer']);
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
    expect(nic.said()).toEqual([]);
  });

  test('the link of a VF goes down and up', () => {
    const { guest, fn } = withVf({ transport });
    guest.act({ do: 'vf-link', nic: 'nic1', up: false });
    expect(fn.link.now).toBe(false);
    expect(guest.told('vf.link')).toMatchObject([{ dev: 'nic1.vf', up: false }]);
  });
});

test('what cannot be done is refused with the reason', () => {
  const guest = connectedGuest({ nics: [{ ...nic1, vf: undefined }] });
  expect(guest.act({ do: 'plug-vf', nic: 'nic1' })).toBe('nic1 has no VF in the plan');
  expect(guest.act({ do: 'plug-vf', nic: 'nic9' })).toBe('there is no NIC nic9');
  expect(guest.act({ do: 'offer', nic: 'nic1' })).toBe('nic1 is offered already');
  guest.act({ do: 'rescind', nic: 'nic1' });
  expect(guest.act({ do: 'nic-link', nic: 'nic1', up: false })).toBe('nic1 is not offered');
  const other = connectedGuest();
  expect(other.act({ do: 'plug-vf', nic: 'nic1', family: 'e1000' })).toBe('there is no VF model e1000');
  expect(other.act({ do: 'associate', nic: 'nic1' })).toBe('nic1 has no session that VF_ASSOCIATION can be sent in');
  expect(other.act({ do: 'revoke-vf', nic: 'nic1', order: 'surprise' })).toBe('nic1 has no VF now');
  expect(other.act({ do: 'vf-link', nic: 'nic1', up: true })).toBe('nic1.vf is not there');
  other.act({ do: 'plug-vf', nic: 'nic1' });
  expect(other.act({ do: 'plug-vf', nic: 'nic1' })).toBe('nic1 has a VF already');
  expect(other.told('host.refused').map((event) => event.what)).toEqual([
    'plug-vf',
    'associate',
    'revoke-vf',
    'vf-link',
    'plug-vf',
  ]);
});
