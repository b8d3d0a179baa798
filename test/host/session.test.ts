import { describe, expect, test } from 'vitest';
import { NVSP } from '../../src/wire/nvsp.ts';
import { OID } from '../../src/wire/oid.ts';
import { MESSAGE_CONNECTION } from '../../src/wire/synic.ts';
import { VMBUS_VERSIONS } from '../../src/wire/vmbus.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { FakeGuest } from './fake-guest.ts';
import { connectedGuest, FakeNic } from './fake-nic.ts';

describe.each(TRANSPORTS)('a session over %s', (transport) => {
  test('a version that is too new or unknown is refused, every known one below is taken', () => {
    const guest = new FakeGuest({ transport });
    expect(guest.contact(0x60000)).toBe(false);
    expect(guest.contact(0x50004)).toBe(false);
    for (const version of Object.values(VMBUS_VERSIONS)) expect(guest.contact(version)).toBe(true);
  });

  test('from version 5.0 on the response says where later messages go', () => {
    const guest = new FakeGuest({ transport });
    const connectionFor = (version: number) => {
      guest.post(
        { name: 'initiateContact', version, targetVcpu: 0, interruptPage: 0n, monitorPage1: 0n, monitorPage2: 0n },
        1,
      );
      return guest.take('versionResponse').connectionId;
    };
    expect(connectionFor(VMBUS_VERSIONS['5.0'])).toBe(MESSAGE_CONNECTION.version5);
    expect(connectionFor(VMBUS_VERSIONS['4.1'])).toBe(0);
  });

  test('nothing is offered before the guest asks, and later ones come alone', () => {
    const guest = new FakeGuest({ transport });
    guest.act({ do: 'offer', nic: 'nic1' });
    expect(guest.messages).toEqual([]);
    guest.connect();
    expect(guest.messages.map((message) => message.name)).toEqual(['offerChannel']);
    guest.act({ do: 'rescind', nic: 'nic1' });
    expect(guest.take('rescindChannelOffer').childRelid).toBe(guest.take('offerChannel').childRelid);
  });

  test('NVSP: unknown versions are refused with a status, then one is taken', () => {
    const nic = new FakeNic(connectedGuest({ transport }));
    const init = (version: number) => nic.ask({ name: 'init', minVersion: version, maxVersion: version });
    expect(init(0x70000)).toMatchObject({ name: 'initComplete', status: 3 });
    expect(init(0x50001)).toMatchObject({ name: 'initComplete', status: 7 });
    expect(init(0x60001)).toMatchObject({ name: 'initComplete', status: 1, version: 0x60001 });
    expect(init(0x60000)).toMatchObject({ name: 'initComplete', status: 2 });
  });

  test('NVSP: the receive buffer comes back as one section at 0', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest);
    nic.ask({ name: 'init', minVersion: 0x60001, maxVersion: 0x60001 });
    const { gpadl } = guest.buffer(nic.relid, 64);
    expect(nic.ask({ name: 'sendReceiveBuffer', gpadl, id: 0xcafe })).toEqual({
      name: 'sendReceiveBufferComplete',
      status: 1,
      sectionCount: 1,
      sectionOffset: 0,
      subAllocSize: 1728,
      subAllocCount: 151,
      endOffset: 151 * 1728,
    });
    expect(nic.ask({ name: 'sendReceiveBuffer', gpadl: 999, id: 0xcafe })).toMatchObject({ status: 2 });
  });

  test('NVSP: what needs a session is refused before there is one', () => {
    const nic = new FakeNic(connectedGuest({ transport }));
    expect(nic.ask({ name: 'sendSendBuffer', gpadl: 1, id: 0 })).toMatchObject({ status: 2 });
    expect(nic.switchTo(1)).toBe(0);
    expect(nic.guest.story('host.refused', (event) => event.what)).toEqual(['sendSendBuffer', 'switchDataPath']);
  });

  test('NVSP: sub-channels are granted, none', () => {
    const nic = new FakeNic(connectedGuest({ transport })).negotiated();
    expect(nic.ask({ name: 'subchannelRequest', op: 1, count: 7 })).toMatchObject({
      name: 'subchannelComplete',
      status: 1,
      count: 0,
    });
  });

  test('RNDIS: the queries of a probe are answered', () => {
    const nic = new FakeNic(connectedGuest({ transport })).negotiated().rndisReady();
    const query = (oid: number, info = new Uint8Array(0)): string => {
      nic.control.length = 0;
      nic.rndis({ name: 'query', requestId: 9, oid, info });
      const [answer] = nic.control;
      if (answer?.name !== 'queryComplete') throw new Error(`${answer?.name}`);
      return `${answer.status.toString(16)} ${Buffer.from(answer.info).toString('hex')}`;
    };
    expect(query(OID.permanentAddress)).toBe('0 000d3a123456');
    expect(query(OID.mediaConnectStatus)).toBe('0 00000000');
    expect(query(OID.linkSpeed)).toBe('0 0084d717');
    expect(query(OID.tcpOffloadHardwareCapabilities, Uint8Array.of(0, 3, 8, 0, 0, 0, 0, 0))).toBe('0 a703080000000000');
    expect(query(0x1234)).toBe('c00000bb ');
    nic.guest.act({ do: 'nic-link', nic: 'nic1', up: false });
    nic.pull();
    expect(query(OID.mediaConnectStatus)).toBe('0 01000000');
  });

  test('RNDIS: link changes are indicated', () => {
    const nic = new FakeNic(connectedGuest({ transport })).negotiated().rndisReady();
    nic.control.length = 0;
    expect(nic.guest.act({ do: 'nic-link', nic: 'nic1', up: true })).toBe('the link of nic1 is up already');
    nic.guest.act({ do: 'nic-link', nic: 'nic1', up: false });
    nic.guest.act({ do: 'nic-link', nic: 'nic1', up: true });
    nic.pull();
    expect(nic.control).toMatchObject([{ status: 0x4001000c }, { status: 0x4001000b }]);
  });

  test('a channel that was closed can be opened again, and its session begins anew', () => {
    const guest = connectedGuest({ transport });
    const offer = guest.take('offerChannel');
    const first = new FakeNic(guest, offer).negotiated();
    first.channel.close();
    guest.bus.freeRings(first.channel.rings);
    const second = new FakeNic(guest, offer);
    expect(second.ask({ name: 'init', minVersion: 2, maxVersion: 2 })).toMatchObject({ status: 1, version: 2 });
  });

  test('after UNLOAD the offers come again', () => {
    const guest = connectedGuest({ transport });
    new FakeNic(guest).negotiated();
    guest.post({ name: 'unload' });
    guest.take('unloadResponse');
    guest.connect();
    expect(new FakeNic(guest).negotiated().guest.told('host.refused')).toEqual([]);
  });

  test('a relid is used again once the guest has released it, and not before', () => {
    const guest = connectedGuest({ transport });
    const first = guest.take('offerChannel').childRelid;
    guest.act({ do: 'rescind', nic: 'nic1' });
    expect(guest.act({ do: 'offer', nic: 'nic1' })).toBe('taken up');
    expect(guest.messages.map((message) => message.name)).toEqual(['rescindChannelOffer']);
    guest.post({ name: 'relidReleased', childRelid: first });
    expect(guest.take('offerChannel').childRelid).toBe(first);
  });

  test('a guest whose bus driver goes releases what it was offered, and is offered it again when it asks', () => {
    const guest = connectedGuest({ transport });
    const childRelid = guest.take('offerChannel').childRelid;
    const other = connectedGuest({ transport });
    const { relid } = new FakeNic(other);
    guest.post({ name: 'relidReleased', childRelid });
    guest.connect();
    expect(guest.take('offerChannel').childRelid).toBe(childRelid);
    expect(guest.told('host.refused')).toEqual([]);
    other.post({ name: 'relidReleased', childRelid: relid });
    expect(other.story('host.refused', ({ why }) => why)).toEqual(['the channel is neither rescinded nor closed']);
  });

  test('a GPADL on a channel that is rescinded already succeeds, opening it does not', () => {
    const guest = connectedGuest({ transport });
    const relid = guest.take('offerChannel').childRelid;
    guest.act({ do: 'rescind', nic: 'nic1' });
    const { gpadl } = guest.buffer(relid, 8);
    guest.post({
      name: 'openChannel',
      childRelid: relid,
      openId: 1,
      ringGpadl: gpadl,
      targetVp: 0,
      downstreamPageOffset: 4,
      userData: new Uint8Array(120),
    });
    expect(guest.take('openChannelResult').status).not.toBe(0);
  });

  test('a guest that does not read blocks the NIC only until it closes the channel', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest);
    for (let i = 1; i <= 300; i++)
      nic.channel.send(NVSP, { name: 'init', minVersion: 9, maxVersion: 9 } as { name: string }, BigInt(i));
    expect(nic.channel.rings.toGuest.free).toBeLessThan(200);
    nic.channel.close();
    expect(guest.act({ do: 'nic-link', nic: 'nic1', up: false })).toBe('taken up');
  });
});
