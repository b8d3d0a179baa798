import { expect, test } from 'vitest';
import { mac } from '../../src/base/mac.ts';
import { strayFrame } from '../../src/host/stations.ts';
import { parseEthernet } from '../../src/wire/ethernet.ts';
import { encodeIgmpQuery, IGMP_PROTOCOL, isIgmpQuery } from '../../src/wire/igmp.ts';
import { encodeIpv4, ipv4Address, isIpv4Fragment, parseIpv4 } from '../../src/wire/ipv4.ts';

test("a router's general query (RFC 2236), and what is none", () => {
  expect(Buffer.from(encodeIgmpQuery(100)).toString('hex')).toBe('1164ee9b00000000');
  expect(isIgmpQuery(encodeIgmpQuery(100))).toBe(true);
  expect(isIgmpQuery(Uint8Array.of(0x16, 0, 0, 0, 0, 0, 0, 0))).toBe(false);
  expect(isIgmpQuery(Uint8Array.of(0x11))).toBe(false);
});

test('a fragment is told by its header, and is no packet to whoever reads one', () => {
  const packet = {
    source: ipv4Address('10.0.1.2'),
    destination: ipv4Address('10.0.1.4'),
    protocol: 17,
    ttl: 64,
    identification: 1,
    payload: new Uint8Array(8),
  };
  const fragment = encodeIpv4({ ...packet, moreFragments: true });
  expect([isIpv4Fragment(fragment), parseIpv4(fragment)]).toEqual([true, undefined]);
  expect([isIpv4Fragment(encodeIpv4(packet)), parseIpv4(encodeIpv4(packet))?.protocol]).toEqual([false, 17]);
});

test('what a station sends unasked', () => {
  const nic = mac('00:0d:3a:12:34:56');
  const sent = (what: 'frame' | 'fragment' | 'query') => {
    const frame = parseEthernet(strayFrame(nic, 2, what));
    const packet = frame && parseIpv4(frame.payload);
    return [frame?.destination, packet?.protocol, packet?.destination];
  };
  expect(sent('frame')).toEqual([nic, 17, '10.0.2.4']);
  expect(sent('fragment')).toEqual([nic, undefined, undefined]);
  expect(sent('query')).toEqual(['01:00:5e:00:00:01', IGMP_PROTOCOL, '224.0.0.1']);
});
