import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BROADCAST_MAC, mac, macFromBytes } from '../../src/base/mac.ts';
import { type Arp, encodeArp, parseArp } from '../../src/wire/arp.ts';
import { type Dhcp, encodeDhcp, parseDhcp } from '../../src/wire/dhcp.ts';
import { ETHER_TYPE, encodeEthernet, isGroupAddress, parseEthernet } from '../../src/wire/ethernet.ts';
import {
  checksum,
  encodeIcmpEcho,
  encodeIpv4,
  encodeUdp,
  ipv4Address,
  ipv4Bytes,
  ipv4FromBytes,
  parseIcmpEcho,
  parseIpv4,
  parseIpv4Address,
  parseUdp,
} from '../../src/wire/ipv4.ts';
import { bytesArbitrary, damaged } from './arbitrary.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s+/g, ''), 'hex'));
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const macs = bytesArbitrary(6, 6).map((bytes) => macFromBytes(bytes));
const ips = bytesArbitrary(4, 4)
  .map((bytes) => ipv4FromBytes(bytes))
  .filter((address) => address !== '0.0.0.0');
const plain = { noNullPrototype: true } as const;
const pair = { source: ipv4Address('10.0.0.4'), destination: ipv4Address('10.0.0.1') };

const arps: fc.Arbitrary<Arp> = fc.record(
  {
    operation: fc.constantFrom('request' as const, 'reply' as const),
    senderMac: macs,
    senderIp: ips,
    targetMac: macs,
    targetIp: ips,
  },
  plain,
);

const dhcps: fc.Arbitrary<Dhcp> = fc.record(
  {
    kind: fc.constantFrom('discover' as const, 'offer' as const, 'request' as const, 'ack' as const, 'nak' as const),
    transactionId: u32,
    clientMac: macs,
    clientIp: ips,
    yourIp: ips,
    requestedIp: ips,
    serverId: ips,
    subnetMask: ips,
    router: ips,
    leaseSeconds: u32,
    hostName: fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
  },
  { ...plain, requiredKeys: ['kind', 'transactionId', 'clientMac'] },
);

function survives<T>(values: fc.Arbitrary<T>, roundTrip: (value: T) => unknown): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(roundTrip(value)).toEqual(value);
    }),
  );
}

describe('round trips', () => {
  test('Ethernet', () => {
    const frames = fc.record(
      {
        destination: macs,
        source: macs,
        etherType: fc.integer({ min: 0x600, max: 0xffff }),
        payload: bytesArbitrary(0, 100),
      },
      plain,
    );
    survives(frames, (frame) => parseEthernet(encodeEthernet(frame)));
  });

  test('IPv4, and what follows its length is cut off', () => {
    const packets = fc.record(
      {
        source: ips,
        destination: ips,
        protocol: fc.integer({ min: 0, max: 255 }),
        ttl: fc.integer({ min: 0, max: 255 }),
        identification: u16,
        payload: bytesArbitrary(0, 100),
      },
      plain,
    );
    fc.assert(
      fc.property(packets, bytesArbitrary(0, 26), (packet, padding) => {
        expect(parseIpv4(Uint8Array.of(...encodeIpv4(packet), ...padding))).toEqual(packet);
      }),
    );
  });

  test('ICMP echo', () => {
    const echoes = fc.record(
      {
        kind: fc.constantFrom('request' as const, 'reply' as const),
        identifier: u16,
        sequence: u16,
        data: bytesArbitrary(0, 60),
      },
      plain,
    );
    survives(echoes, (echo) => parseIcmpEcho(encodeIcmpEcho(echo)));
  });

  test('UDP', () => {
    const datagrams = fc.record({ sourcePort: u16, destinationPort: u16, payload: bytesArbitrary(0, 60) }, plain);
    survives(datagrams, (datagram) => parseUdp(encodeUdp(datagram, pair), pair));
  });

  test('ARP', () => {
    survives(arps, (arp) => parseArp(encodeArp(arp)));
  });

  test('DHCP', () => {
    survives(dhcps, (message) => parseDhcp(encodeDhcp(message)));
  });
});

test('random, damaged and cut bytes never throw', () => {
  const whole = fc.oneof(
    arps.map(encodeArp),
    dhcps.map(encodeDhcp),
    bytesArbitrary(0, 60).map((payload) => encodeIpv4({ ...pair, protocol: 17, ttl: 1, identification: 0, payload })),
    bytesArbitrary(0, 60).map((payload) => encodeUdp({ sourcePort: 1, destinationPort: 2, payload }, pair)),
  );
  const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length));
  fc.assert(
    fc.property(fc.oneof(bytesArbitrary(0, 400), damaged(whole), cut), (bytes) => {
      const parsers = [parseEthernet, parseArp, parseIpv4, parseIcmpEcho, parseDhcp];
      for (const parse of parsers) expect(['object', 'undefined']).toContain(typeof parse(bytes));
      expect(['object', 'undefined']).toContain(typeof parseUdp(bytes, pair));
    }),
    { numRuns: 1000 },
  );
});

describe('golden frames', () => {
  test('the IPv4 header of RFC 1071-style worked examples has checksum b861', () => {
    const header = hex('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7');
    expect(checksum(header)).toBe(0xb861);
    const bytes = encodeIpv4({
      source: ipv4Address('192.168.0.1'),
      destination: ipv4Address('192.168.0.199'),
      protocol: 17,
      ttl: 64,
      identification: 0,
      payload: new Uint8Array(95),
    });
    expect(bytes.subarray(0, 20)).toEqual(hex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7'));
  });

  test('an ARP request, RFC 826', () => {
    const frame = encodeEthernet({
      destination: BROADCAST_MAC,
      source: mac('00:0d:3a:12:34:56'),
      etherType: ETHER_TYPE.arp,
      payload: encodeArp({
        operation: 'request',
        senderMac: mac('00:0d:3a:12:34:56'),
        senderIp: ipv4Address('10.0.0.4'),
        targetMac: macFromBytes(new Uint8Array(6)),
        targetIp: ipv4Address('10.0.0.1'),
      }),
    });
    expect(frame).toEqual(
      hex('ffffffffffff 000d3a123456 0806 0001 0800 06 04 0001 000d3a123456 0a000004 000000000000 0a000001'),
    );
  });

  test('an echo request, RFC 792', () => {
    const bytes = encodeIcmpEcho({ kind: 'request', identifier: 1, sequence: 2, data: hex('0304') });
    expect(bytes).toEqual(hex('08 00 f4f8 0001 0002 0304'));
  });

  test('a DHCP discover, RFC 2131: fixed part of 236 bytes, cookie, options', () => {
    const bytes = encodeDhcp({ kind: 'discover', transactionId: 0x3903_f326, clientMac: mac('00:0d:3a:12:34:56') });
    expect(bytes.subarray(0, 8)).toEqual(hex('01 01 06 00 3903f326'));
    expect(bytes.subarray(28, 34)).toEqual(hex('000d3a123456'));
    expect(bytes.subarray(236)).toEqual(hex('63825363 350101 ff'));
  });
});

describe('what is refused', () => {
  const datagram = encodeUdp({ sourcePort: 68, destinationPort: 67, payload: hex('01') }, pair);

  test('a datagram between other addresses has the wrong checksum; none at all is allowed', () => {
    expect(parseUdp(datagram, { ...pair, source: ipv4Address('10.0.0.5') })).toBeUndefined();
    const bare = Uint8Array.from(datagram);
    bare.set([0, 0], 6);
    expect(parseUdp(bare, { ...pair, source: ipv4Address('10.0.0.5') })).toMatchObject({ sourcePort: 68 });
  });

  test('fragments, other versions and wrong checksums are no packets', () => {
    const bytes = encodeIpv4({ ...pair, protocol: 1, ttl: 1, identification: 0, payload: hex('') });
    for (const [at, value] of [
      [0, 0x65],
      [0, 0x44],
      [6, 0x20],
      [11, 0],
      [3, 0xff],
    ] as const) {
      const changed = Uint8Array.from(bytes);
      changed[at] = value;
      expect(parseIpv4(changed), `${value} at ${at}`).toBeUndefined();
    }
  });

  test('texts that are no addresses', () => {
    expect(['10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.1.2', ''].map(parseIpv4Address)).toEqual(
      Array(5).fill(undefined),
    );
    expect(ipv4Bytes(ipv4Address('10.0.0.255'))).toEqual(hex('0a0000ff'));
    expect(() => ipv4Address('nonsense')).toThrow('no IPv4 address');
  });

  test('802.3 length frames', () => {
    const frame = encodeEthernet({
      destination: BROADCAST_MAC,
      source: BROADCAST_MAC,
      etherType: 0x5ff,
      payload: hex(''),
    });
    expect(parseEthernet(frame)).toBeUndefined();
  });

  test('group addresses are told from others', () => {
    expect([isGroupAddress(BROADCAST_MAC), isGroupAddress(mac('00:0d:3a:12:34:56'))]).toEqual([true, false]);
  });
});
