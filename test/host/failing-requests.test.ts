import { describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/time.ts';
import { FAILURES, FAULT_POINTS, requestsOf } from '../../src/host/fault-points.ts';
import { OID } from '../../src/wire/oid.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { arm, fail, ofGuest, ofHost, struck } from './arming.ts';
import { nic1 } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

describe.each(TRANSPORTS)('requests that fail, over %s', (transport) => {
  test('NVSP: each with the status that was named, and with no effect', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest);
    const init = () => nic.ask({ name: 'init', minVersion: 0x60001, maxVersion: 0x60001 });
    arm(guest, fail('init', 7));
    expect(init()).toMatchObject({ name: 'initComplete', status: 7 });
    expect(init()).toMatchObject({ name: 'initComplete', status: 1 });
    arm(guest, fail('sendSendBuffer', 6));
    const { gpadl } = guest.buffer(nic.relid, 8);
    expect(nic.ask({ name: 'sendSendBuffer', gpadl, id: 0 })).toMatchObject({ status: 6, sectionSize: 0 });
    expect(nic.ask({ name: 'sendSendBuffer', gpadl, id: 0 })).toMatchObject({ status: 1 });
    expect(struck(guest)).toEqual(['fail init (status=0x7)', 'fail sendSendBuffer (status=0x6)']);
  });

  test('SWITCH_DATA_PATH: refused, and its answer looks like any other', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(seconds(2));
    arm(guest, fail('switchDataPath', undefined));
    expect(nic.switchTo(1)).toBe(0);
    expect(guest.host.pathOf('nic1')).toBe('synthetic');
  });

  test('RNDIS', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest).negotiated();
    const answers: readonly (readonly [string, () => number])[] = [
      ['initialize', () => nic.rndis({ name: 'initialize', requestId: 1, major: 1, minor: 0, maxTransferSize: 9 })],
      ['query', () => nic.rndis({ name: 'query', requestId: 2, oid: OID.permanentAddress, info: new Uint8Array(0) })],
      ['set', () => nic.rndis({ name: 'set', requestId: 3, oid: OID.currentPacketFilter, info: new Uint8Array(4) })],
      ['keepalive', () => nic.rndis({ name: 'keepalive', requestId: 4 })],
    ];
    for (const [request, ask] of answers) {
      arm(guest, fail(request, 0xc001_0015));
      nic.control.length = 0;
      ask();
      nic.pull();
      expect(nic.control).toMatchObject([{ name: `${request}Complete`, status: 0xc001_0015 }]);
    }
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(seconds(2));
    expect(nic.said()).toEqual([]); // INITIALIZE was refused: there is no session that could be told of a VF
  });

  test('vPCI: every request that is answered', () => {
    const guest = connectedGuest({ transport });
    new FakeNic(guest).negotiated().rndisReady();
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(seconds(2));
    const vf = new FakeVf(guest);
    const version = { name: 'queryProtocolVersion', version: 0x10004 } as const;
    arm(guest, fail(version.name, 0xc000_0001, 'nic1.vf'));
    expect(vf.ask(version)).toMatchObject({ status: 0xc000_0001 });
    vf.probed();
    const entry = { name: 'busD0Entry', mmioBase: 0n } as const;
    arm(guest, fail(entry.name, 0xc000_0059, 'nic1.vf'));
    expect(vf.ask(entry)).toMatchObject({ status: 0xc000_0059 });
    expect(vf.ask(entry)).toMatchObject({ status: 0 });
  });

  test('VMBus: a GPADL and an opening', () => {
    const guest = connectedGuest({ transport });
    const offer = guest.take('offerChannel');
    arm(guest, fail('gpadlHeader', 0xc000_0001));
    expect(() => guest.buffer(offer.childRelid, 2)).toThrow('the GPADL was refused');
    arm(guest, fail('openChannel', 0xc000_0001));
    expect(() => new FakeNic(guest, offer)).toThrow('the channel was not opened');
    expect(new FakeNic(guest, offer).negotiated().said()).toEqual([]);
  });
});

describe('what cannot go wrong is refused', () => {
  test.each([
    [ofHost('drop', 'sendVfAsociation'), 'sendVfAsociation is no message that can go wrong'],
    [ofHost('drop', 'eject'), 'eject is no message of nic1, but of nic1.vf'],
    [ofHost('drop', 'initComplete', { dev: 'nic1.vf' }), 'initComplete is no message of nic1.vf, but of nic1'],
    [ofGuest('drop', 'sendVfAssociation'), 'the guest does not send sendVfAssociation'],
    [ofHost('drop', 'initComplete', { times: 0 }), 'a fault that strikes 0 times'],
    [ofHost('drop', 'initComplete', { dev: 'nic2' }), 'nic2 is no device of nic1'],
    [fail('halt', 2), 'halt is no request that can go wrong'],
    [fail('busD0Entry', 2), 'busD0Entry is no request of nic1, but of nic1.vf'],
    [fail('switchDataPath', 2), 'the answer to switchDataPath is empty: it has no status'],
    [fail('openChannel', 5), 'an answer to openChannel that says no has one of unsuccessful'],
  ])('%o', (fault, why) => {
    expect(arm(connectedGuest(), fault)).toBe(why);
  });

  test('a VF that the plan does not have', () => {
    const guest = connectedGuest({ nics: [{ ...nic1, vf: undefined }] });
    expect(arm(guest, ofHost('drop', 'eject', { dev: 'nic1.vf' }))).toBe('nic1 has no VF in the plan');
  });
});

test('each message has one name, whatever protocol it belongs to', () => {
  for (const points of Object.values(FAULT_POINTS)) {
    const names = points.map(({ message, from }) => `${from} ${message}`);
    expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([]);
    expect(names.length).toBeGreaterThan(25);
  }
  expect(new Set([...requestsOf('nic'), ...requestsOf('vf')]).size).toBe(24);
  expect(Object.values(FAILURES).flatMap((statuses) => Object.keys(statuses))).not.toContain('success');
});
