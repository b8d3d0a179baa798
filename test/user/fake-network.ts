/** What lies behind a fake guest's devices: a DHCP server and a station, as functions from a frame to its answers. */
import { mac } from '../../src/base/mac.ts';
import { encodeArp, parseArp } from '../../src/wire/arp.ts';
import { type Dhcp, encodeDhcp, parseDhcp } from '../../src/wire/dhcp.ts';
import { ETHER_TYPE, encodeEthernet, parseEthernet } from '../../src/wire/ethernet.ts';
import { encodeFlowPayload, FLOW_ETHER_TYPE, flowOfFrame } from '../../src/wire/flow-payload.ts';
import { encodeIpv4, encodeUdp, ipv4Address, parseIpv4, parseUdp } from '../../src/wire/ipv4.ts';

export const STATION_MAC = mac('12:34:56:78:9a:bc');
export const STATION = ipv4Address('10.0.1.1');
const BROADCAST = ipv4Address('255.255.255.255');

/** The DHCP message in a client's frame. */
export function dhcpIn(frame: Uint8Array): Dhcp | undefined {
  const ethernet = parseEthernet(frame);
  const packet = ethernet?.etherType === ETHER_TYPE.ipv4 ? parseIpv4(ethernet.payload) : undefined;
  const datagram = packet === undefined ? undefined : parseUdp(packet.payload, packet);
  return datagram === undefined ? undefined : parseDhcp(datagram.payload);
}

export function dhcpFrame(message: Dhcp): Uint8Array {
  const between = { source: STATION, destination: BROADCAST };
  const payload = encodeUdp({ sourcePort: 67, destinationPort: 68, payload: encodeDhcp(message) }, between);
  const packet = encodeIpv4({ ...between, protocol: 17, ttl: 64, identification: 0, payload });
  const addresses = { destination: message.clientMac, source: STATION_MAC };
  return encodeEthernet({ ...addresses, etherType: ETHER_TYPE.ipv4, payload: packet });
}

/** A server that gives everybody the same address. */
export function serve({ kind, transactionId, clientMac }: Dhcp): Dhcp | undefined {
  const yourIp = ipv4Address('10.0.1.4');
  const common = { transactionId, clientMac, yourIp, serverId: STATION };
  if (kind === 'discover') return { ...common, kind: 'offer' };
  return kind === 'request' ? { ...common, kind: 'ack' } : undefined;
}

/** The ARP reply of the station to a request for it. */
export function arpReplyTo(frame: Uint8Array): Uint8Array | undefined {
  const ethernet = parseEthernet(frame);
  const arp = ethernet?.etherType === ETHER_TYPE.arp ? parseArp(ethernet.payload) : undefined;
  if (ethernet === undefined || arp?.targetIp !== STATION) return undefined;
  const payload = encodeArp({
    operation: 'reply',
    senderMac: STATION_MAC,
    senderIp: STATION,
    targetMac: arp.senderMac,
    targetIp: arp.senderIp,
  });
  return encodeEthernet({ destination: ethernet.source, source: STATION_MAC, etherType: ETHER_TYPE.arp, payload });
}

/** The station's answer to one frame of an echo flow. */
export function echoOf(frame: Uint8Array): Uint8Array | undefined {
  const payload = flowOfFrame(frame);
  const ethernet = parseEthernet(frame);
  if (payload === undefined || ethernet === undefined) return undefined;
  return encodeEthernet({
    destination: ethernet.source,
    source: STATION_MAC,
    etherType: FLOW_ETHER_TYPE,
    payload: encodeFlowPayload({ ...payload, direction: 'rx' }, frame.length - 14),
  });
}
