import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../src/base/time.ts';
import { Flow, type FlowSpec } from '../../src/user/flows.ts';
import { flowOfFrame } from '../../src/wire/flow-payload.ts';
import { ipv4Address } from '../../src/wire/ipv4.ts';
import { type FakeDevice, FakeGuest, NIC_MAC, SYNTHETIC } from './fake-guest.ts';
import { arpReplyTo, echoOf, STATION, STATION_MAC } from './fake-network.ts';

const ECHO: FlowSpec = {
  name: 'ping',
  kind: 'echo',
  dev: 'nic1',
  mac: NIC_MAC,
  every: ms(100),
  bytes: 64,
  address: ipv4Address('10.0.1.10'),
  station: STATION,
};

/** A guest whose NIC is up, on a network with a station that answers ARP and echoes after a millisecond. */
function flowing(spec: FlowSpec = ECHO) {
  const guest = new FakeGuest();
  const sent: Uint8Array[] = [];
  const { tx, rx } = guest.sim.trace.frames.flow(spec.name);
  guest.network = (frame) => {
    sent.push(frame);
    const echo = echoOf(frame);
    const payload = flowOfFrame(frame);
    if (payload !== undefined) {
      const ledgers = guest.sim.trace.frames.flow(payload.flow);
      ledgers.tx.received(payload.id);
      ledgers.rx.sent(guest.sim.now, 'synthetic');
    }
    const answer = arpReplyTo(frame) ?? echo;
    return answer === undefined ? [] : [{ after: ms(1), frame: answer }];
  };
  const nic: { now: FakeDevice | undefined } = { now: guest.plug(SYNTHETIC, { flags: 0x1003, carrier: true }) };
  const around = { ifname: () => nic.now?.ifname, pathNow: () => 'synthetic' as const };
  const start = () => new Flow(guest.sim, guest, spec, around);
  const counts = () => ({ tx: tx.counts(0, seconds(100)), rx: rx.counts(0, seconds(100)) });
  return { guest, nic, sent, start, counts };
}

describe('an echo flow', () => {
  test('asks for the station by ARP, then sends at its pace, and counts both ways', () => {
    const { guest, sent, start, counts } = flowing();
    start();
    guest.run(ms(1050));
    expect(sent.map((frame) => frame.length)).toEqual([42, ...Array(11).fill(64)]);
    expect(counts().tx).toMatchObject({ sent: 11, received: 11, lost: 0 });
    expect(counts().rx).toMatchObject({ sent: 11, received: 11, lost: 0 });
    expect(guest.told('flow').map(({ state, detail }) => `${state} ${detail}`)).toEqual([
      'started echo to 10.0.1.1',
      `resolved ${STATION_MAC}`,
    ]);
  });

  test('ends at the turn of its next frame', () => {
    const { guest, start, counts } = flowing();
    const flow = start();
    guest.run(ms(250));
    guest.sim.spawn('scenario', 'scenario', flow.stop());
    guest.run();
    expect(counts().tx).toMatchObject({ sent: 3 });
    expect(guest.open).toEqual([]);
    expect(guest.told('flow').at(-1)).toMatchObject({ state: 'stopped', time: ms(301) });
  });

  test('can be stopped before the station was found', () => {
    const { guest, start } = flowing();
    guest.network = () => [];
    const flow = start();
    guest.run(ms(2500));
    guest.sim.spawn('scenario', 'scenario', flow.stop());
    guest.run();
    expect(guest.told('flow').map(({ state }) => state)).toEqual(['started', 'stopped']);
  });

  test('asks once a second until the station answers', () => {
    const { guest, sent, start } = flowing();
    const answering = guest.network;
    guest.network = (frame) => {
      const answer = answering(frame);
      return guest.sim.now < seconds(2) ? [] : answer;
    };
    start();
    guest.run(ms(2050));
    expect(sent.filter((frame) => frame.length === 42)).toHaveLength(3);
    expect(guest.told('flow').at(-1)).toMatchObject({ state: 'resolved', time: ms(2001) });
  });
});

describe('a flow goes on', () => {
  test('over a device that is down: what it cannot send is lost', () => {
    const { guest, nic, start, counts } = flowing();
    start();
    guest.run(ms(250));
    if (nic.now !== undefined) guest.change(nic.now, { flags: 0x1002 });
    guest.run(ms(300));
    if (nic.now !== undefined) guest.change(nic.now, { flags: 0x1003 });
    guest.run(ms(250));
    expect(counts().tx).toMatchObject({ sent: 8, received: 5, lost: 3 });
    expect(guest.told('frame.lost').map(({ id, where }) => `${id} ${where}`)).toEqual([
      '3 guest send: ENETDOWN',
      '4 guest send: ENETDOWN',
      '5 guest send: ENETDOWN',
    ]);
  });

  test('over a device that is gone, on the one that comes instead', () => {
    const { guest, nic, start, counts } = flowing();
    start();
    guest.run(ms(250));
    if (nic.now !== undefined) guest.unplug(nic.now);
    nic.now = undefined;
    guest.run(ms(300));
    nic.now = guest.plug(SYNTHETIC, { ifindex: 9, ifname: 'eth1', flags: 0x1003 });
    guest.run(ms(250));
    expect(counts().tx).toMatchObject({ sent: 8, received: 5 });
    expect(guest.open).toHaveLength(1);
  });
});

test('two flows on one NIC keep their frames apart', () => {
  const { guest, start, counts } = flowing({ ...ECHO, name: 'bulk', bytes: 1514, every: ms(50) });
  start();
  new Flow(guest.sim, guest, ECHO, { ifname: () => 'eth0', pathNow: () => 'synthetic' });
  guest.run(ms(1040));
  expect(counts().rx).toMatchObject({ sent: 21, received: 21, duplicated: 0 });
  expect(guest.sim.trace.frames.flow('ping').rx.counts(0, seconds(2))).toMatchObject({ received: 11, duplicated: 0 });
});
