import { describe, expect, test } from 'vitest';
import { BROADCAST_MAC, type MacAddress, mac } from '../../src/base/mac.ts';
import { ms } from '../../src/base/time.ts';
import { FLOW_STATION_MAC, GATEWAY_MAC } from '../../src/host/stations.ts';
import { encodeArp, parseArp } from '../../src/wire/arp.ts';
import { type Dhcp, encodeDhcp, parseDhcp } from '../../src/wire/dhcp.ts';
import { ETHER_TYPE, encodeEthernet, parseEthernet } from '../../src/wire/ethernet.ts';
import { encodeFlowPayload, FLOW_ETHER_TYPE, flowOfFrame } from '../../src/wire/flow-payload.ts';
import {
  encodeIcmpEcho,
  encodeIpv4,
  encodeUdp,
  IP_PROTOCOL,
  ipv4Address,
  parseIcmpEcho,
  parseIpv4,
  parseUdp,
} from '../../src/wire/ipv4.ts';
import { NVSP, type NvspMessage } from '../../src/wire/nvsp.ts';
import { PACKET_FILTER } from '../../src/wire/oid.ts';
import { RNDIS } from '../../src/wire/rndis.ts';
import { TRANSPORTS } from '../bus/on-bus.ts';
import { nic1, nic2, type Options } from './fake-guest.ts';
import { connectedGuest, FakeNic, FakeVf } from './fake-nic.ts';

const ANY = ipv4Address('0.0.0.0');
const GATEWAY_IP = ipv4Address('10.0.1.1');

function ready(options: Options) {
  const guest = connectedGuest(options);
  const nic = new FakeNic(guest).negotiated().rndisReady();
  const take = (): Uint8Array[] => {
    nic.pull();
    return nic.frames.splice(0);
  };
  return { guest, nic, take };
}

const frame = (destination: MacAddress, source = nic1.mac, etherType = 0x1234): Uint8Array =>
  encodeEthernet({ destination, source, etherType, payload: new Uint8Array(50) });

const flowFrame = (id: number, kind: 'echo' | 'stream'): Uint8Array => {
  const payload = encodeFlowPayload({ flow: 'ping', kind, direction: 'tx', id }, 50);
  return encodeEthernet({ destination: FLOW_STATION_MAC, source: nic1.mac, etherType: FLOW_ETHER_TYPE, payload });
};

describe.each(TRANSPORTS)('the switch over %s', (transport) => {
  test('the gateway answers ARP for itself and for nobody else', () => {
    const { nic, take } = ready({ transport });
    const ask = (targetIp: string): unknown => {
      const operation = 'request';
      const arp = {
        operation,
        senderMac: nic1.mac,
        senderIp: ANY,
        targetMac: mac('00:00:00:00:00:02'),
        targetIp: ipv4Address(targetIp),
      } as const;
      nic.transmit(
        encodeEthernet({
          destination: BROADCAST_MAC,
          source: nic1.mac,
          etherType: ETHER_TYPE.arp,
          payload: encodeArp(arp),
        }),
      );
      return take().map((bytes) => parseArp(parseEthernet(bytes)?.payload ?? bytes)?.senderMac);
    };
    expect(ask('10.0.1.1')).toEqual([GATEWAY_MAC]);
    expect(ask('10.0.1.9')).toEqual([]);
  });

  test('the station answers pings, and counts those of a flow: of what never came it is known that it was sent', () => {
    const { guest, nic, take } = ready({ transport });
    const ping = (sequence: number): number | undefined => {
      const payload = encodeIcmpEcho({ kind: 'request', identifier: 7, sequence, data: Uint8Array.of(1) });
      const [source, destination] = [ipv4Address('10.0.1.251'), ipv4Address('10.0.1.2')];
      const head = { source, destination, protocol: IP_PROTOCOL.icmp, ttl: 64, identification: 1 };
      const ip = { destination: FLOW_STATION_MAC, source: nic1.mac, etherType: ETHER_TYPE.ipv4 };
      nic.transmit(encodeEthernet({ ...ip, payload: encodeIpv4({ ...head, payload }) }));
      const answers = take().map((bytes) => parseIpv4(parseEthernet(bytes)?.payload ?? bytes));
      expect(answers.map((answer) => answer?.source)).toEqual([destination]);
      return parseIcmpEcho(answers[0]?.payload ?? new Uint8Array())?.sequence;
    };
    expect(ping(5)).toBe(5);
    guest.sim.spawn('flow', 'scenario', guest.host.countPings({ flow: 'echo', nic: 'nic1' }));
    guest.sim.run({ until: guest.sim.now });
    expect([ping(0), ping(3)]).toEqual([0, 3]);
    const { tx, rx } = guest.sim.trace.frames.flow('echo');
    expect(tx.lost().map(({ id }) => id)).toEqual([1, 2]);
    expect([tx.length, rx.length]).toEqual([4, 2]);
    expect(guest.host.answeredPings('nic1')).toEqual([0, 3]);
  });

  test('the gateway answers pings', () => {
    const { nic, take } = ready({ transport });
    const data = Uint8Array.of(1, 2, 3);
    const payload = encodeIcmpEcho({ kind: 'request', identifier: 7, sequence: 1, data });
    const packet = encodeIpv4({
      source: ipv4Address('10.0.1.4'),
      destination: GATEWAY_IP,
      protocol: IP_PROTOCOL.icmp,
      ttl: 64,
      identification: 1,
      payload,
    });
    nic.transmit(
      encodeEthernet({ destination: GATEWAY_MAC, source: nic1.mac, etherType: ETHER_TYPE.ipv4, payload: packet }),
    );
    const [answer] = take();
    const reply = parseIpv4(parseEthernet(answer ?? data)?.payload ?? data);
    expect(parseIcmpEcho(reply?.payload ?? data)).toMatchObject({ kind: 'reply', identifier: 7, sequence: 1 });
  });

  test('one MAC has one lease, asked for as often as it likes', () => {
    const { nic, take } = ready({ transport });
    nic.filter(PACKET_FILTER.promiscuous);
    const ask = (message: Dhcp): Dhcp | undefined => {
      const between = { source: ANY, destination: ipv4Address('255.255.255.255') };
      const datagram = encodeUdp({ sourcePort: 68, destinationPort: 67, payload: encodeDhcp(message) }, between);
      const packet = encodeIpv4({
        ...between,
        protocol: IP_PROTOCOL.udp,
        ttl: 64,
        identification: 1,
        payload: datagram,
      });
      nic.transmit(
        encodeEthernet({ destination: BROADCAST_MAC, source: nic1.mac, etherType: ETHER_TYPE.ipv4, payload: packet }),
      );
      const [answer] = take();
      const reply = parseIpv4(parseEthernet(answer ?? packet)?.payload ?? packet);
      return reply === undefined ? undefined : parseDhcp(parseUdp(reply.payload, reply)?.payload ?? packet);
    };
    const from = { transactionId: 5, clientMac: nic1.mac } as const;
    expect(ask({ ...from, kind: 'discover' })).toMatchObject({ kind: 'offer', yourIp: '10.0.1.4', router: '10.0.1.1' });
    expect(ask({ ...from, kind: 'request', requestedIp: ipv4Address('10.0.1.4') })).toMatchObject({
      kind: 'ack',
      yourIp: '10.0.1.4',
    });
    expect(ask({ ...from, kind: 'request', requestedIp: ipv4Address('10.0.1.77') })).toMatchObject({ kind: 'nak' });
    expect(ask({ ...from, kind: 'discover', clientMac: mac('00:0d:3a:00:00:01') })).toMatchObject({
      yourIp: '10.0.1.5',
    });
    expect(ask({ ...from, kind: 'discover' })).toMatchObject({ yourIp: '10.0.1.4' });
  });

  test('frames go to the port of their address, and everywhere while it is unknown', () => {
    const guest = connectedGuest({ transport, nics: [nic1, nic2] });
    const one = new FakeNic(guest).negotiated().rndisReady();
    const two = new FakeNic(guest).negotiated().rndisReady();
    const got = (nic: FakeNic): number => {
      nic.pull();
      return nic.frames.splice(0).length;
    };
    one.transmit(frame(nic2.mac));
    expect([got(one), got(two)]).toEqual([0, 1]);
    one.transmit(frame(mac('02:00:00:00:00:99')));
    expect([got(one), got(two)]).toEqual([0, 0]);
    one.transmit(frame(BROADCAST_MAC));
    expect([got(one), got(two)]).toEqual([0, 1]);
    two.filter(PACKET_FILTER.directed);
    one.transmit(frame(BROADCAST_MAC));
    expect(got(two)).toBe(0);
    two.filter(PACKET_FILTER.promiscuous);
    one.transmit(frame(mac('02:00:00:00:00:99')));
    expect(got(two)).toBe(1);
  });

  test('an echo comes back once, with the next number of its own direction', () => {
    const { guest, nic, take } = ready({ transport });
    const { tx, rx } = guest.sim.trace.frames.flow('ping');
    nic.transmit(flowFrame(tx.sent(0, 'synthetic'), 'echo'));
    expect(take().map(flowOfFrame)).toEqual([{ flow: 'ping', kind: 'echo', direction: 'rx', id: 0 }]);
    expect([tx.lost().length, rx.lost().length]).toEqual([0, 1]);
    nic.transmit(flowFrame(99, 'echo'));
    expect(take()).toEqual([]);
  });

  test('a stream comes as often as was asked for, until it is stopped', () => {
    const { guest, take } = ready({ transport });
    guest.soon(guest.host.startStream({ flow: 'ping', nic: 'nic1', every: ms(10), bytes: 100 }));
    guest.settle(ms(46));
    guest.soon(guest.host.stopStream('ping'));
    guest.settle(ms(100));
    const frames = take();
    expect(frames.map((bytes) => flowOfFrame(bytes)?.id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(frames.every((bytes) => bytes.length === 100)).toBe(true);
  });

  test('frames take the path that the host has, group frames always the synthetic one', () => {
    const { guest, nic, take } = ready({ transport });
    guest.act({ do: 'plug-vf', nic: 'nic1' });
    guest.settle(ms(100));
    new FakeVf(guest).probed();
    const fn = guest.bus.functions.get('nic1.vf');
    if (fn === undefined) throw new Error('there is no function');
    const { tx } = guest.sim.trace.frames.flow('ping');
    guest.now(fn.transmit(flowFrame(tx.sent(0, 'vf'), 'echo')));
    expect(guest.told('frame.lost')).toMatchObject([{ flow: 'ping', direction: 'tx', path: 'vf', where: 'VF filter' }]);
    nic.switchTo(1);
    guest.now(fn.transmit(flowFrame(tx.sent(0, 'vf'), 'echo')));
    expect([take().length, fn.rx.length]).toEqual([0, 1]);
    nic.transmit(flowFrame(tx.sent(0, 'synthetic'), 'echo'));
    expect(fn.rx.length).toBe(2);
    guest.act({ do: 'vf-link', nic: 'nic1', up: false });
    nic.transmit(flowFrame(tx.sent(0, 'synthetic'), 'echo'));
    expect(guest.told('frame.lost').at(-1)).toMatchObject({ direction: 'rx', where: 'VF link is down' });
  });

  test('a frame that finds no room in the ring, or a closed filter, is lost and said to be', () => {
    const guest = connectedGuest({ transport });
    const nic = new FakeNic(guest, guest.take('offerChannel'), 2).negotiated().rndisReady();
    const { tx } = guest.sim.trace.frames.flow('ping');
    for (let i = 0; i < 60; i++) nic.channel.send(NVSP, rndisPacket(nic, flowFrame(tx.sent(0, 'synthetic'), 'echo')));
    // 51 packets of 80 bytes leave 16 of the 4096 bytes free.
    expect(guest.story('frame.lost', (event) => event.where)).toEqual(Array.from({ length: 9 }, () => 'ring full'));
    nic.pull();
    nic.filter(0);
    nic.transmit(flowFrame(tx.sent(0, 'synthetic'), 'echo'));
    expect(guest.told('frame.lost').at(-1)).toMatchObject({ direction: 'tx', where: 'packet filter' });
  });

  test('sections that the guest keeps are missing, down to those for control messages', () => {
    const { guest, nic } = ready({ transport });
    const { tx } = guest.sim.trace.frames.flow('ping');
    for (let i = 0; i < 200; i++) {
      nic.channel.send(NVSP, rndisPacket(nic, flowFrame(tx.sent(0, 'synthetic'), 'echo')));
      nic.channel.readAll();
    }
    expect(guest.story('frame.lost', (event) => event.where)[0]).toBe('receive buffer full');
    expect(guest.told('frame.lost')).toHaveLength(200 - (151 - 16));
  });
});

function rndisPacket(nic: FakeNic, data: Uint8Array): NvspMessage {
  const sendSectionSize = nic.guest.bus.memory.store(nic.sendGpa, RNDIS, { name: 'packet', data, perPacketInfo: [] });
  return { name: 'sendRndisPacket', channelType: 0, sendSectionIndex: 0, sendSectionSize };
}
