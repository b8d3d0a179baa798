/**
 * Who else is on the switch: a gateway that answers ARP, ping and DHCP, and a station that flows are measured against.
 * Source: RFC 826, 792, 2131; the gateway's MAC is the one that every Azure guest sees (from memory); the rest is
 * invented.
 * What this leaves out: routing to anywhere, lease times that run out, DHCP relays, answers to other protocols.
 */
import { BROADCAST_MAC, type MacAddress, mac, macFromBytes } from '../base/mac.ts';
import { encodeArp, parseArp } from '../wire/arp.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type Dhcp, encodeDhcp, parseDhcp } from '../wire/dhcp.ts';
import { ETHER_TYPE, type EthernetFrame, encodeEthernet } from '../wire/ethernet.ts';
import { encodeIgmpQuery, IGMP_PROTOCOL } from '../wire/igmp.ts';
import {
  encodeIcmpEcho,
  encodeIpv4,
  encodeUdp,
  type IcmpEcho,
  IP_PROTOCOL,
  type Ipv4Address,
  type Ipv4Packet,
  ipv4Address,
  ipv4Of,
  parseIcmpEcho,
  parseIpv4,
  parseUdp,
} from '../wire/ipv4.ts';
import type { Stray } from './action.ts';

export const GATEWAY_MAC = mac('12:34:56:78:9a:bc');
/** Where flows go, and where streams come from. */
export const FLOW_STATION_MAC = mac('12:34:56:78:9a:bd');

const MASK = ipv4Address('255.255.255.0');
const BROADCAST_IP = ipv4Address('255.255.255.255');
const LEASE_SECONDS = 86_400;
const TTL = 64;
/** The first address that is given out in a subnet: Azure keeps .1 to .3. */
const FIRST_HOST = 4;
const LAST_HOST = 250;

export const gatewayIp = (subnet: number): Ipv4Address => ipv4Of(10, 0, subnet, 1);
/** Azure keeps this address, and no lease has it. */
export const flowStationIp = (subnet: number): Ipv4Address => ipv4Of(10, 0, subnet, 2);

/** Addresses that were given out, by client. */
export type Leases = Map<MacAddress, Ipv4Address>;

/** What the gateway answers to a frame from a port; undefined when it keeps silent. Subnets are those of ports. */
export function gatewayAnswer(frame: EthernetFrame, subnet: number, leases: Leases): Uint8Array | undefined {
  switch (frame.etherType) {
    case ETHER_TYPE.arp:
      return answerArp(frame, subnet);
    case ETHER_TYPE.ipv4:
      return answerIpv4(frame, subnet, leases);
    default:
      return undefined;
  }
}

/** A ping, as a station gets it; undefined for any other frame. */
export function pingIn(frame: EthernetFrame): Ping | undefined {
  const packet = frame.etherType === ETHER_TYPE.ipv4 ? parseIpv4(frame.payload) : undefined;
  if (packet?.protocol !== IP_PROTOCOL.icmp) return undefined;
  const echo = parseIcmpEcho(packet.payload);
  return echo?.kind === 'request' ? { packet, echo } : undefined;
}

export interface Ping {
  readonly packet: Ipv4Packet;
  readonly echo: IcmpEcho;
}

/** The discard service (RFC 863). */
const DISCARD_PORT = 9;
/** Bytes of data; so many that a fragment's offset can follow. Invented. */
const STRAY_BYTES = 64;

/** What 224.0.0.1, the group of all hosts, has as its address (RFC 1112). */
const ALL_HOSTS_MAC = macFromBytes(Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0x01), 0);
/** 10 s (RFC 2236, 8.3). */
const QUERY_TENTHS = 100;

/** For the first address of a subnet, or for all hosts. */
export function strayFrame(nic: MacAddress, subnet: number, what: Stray): Uint8Array {
  const head = { ttl: TTL, identification: 1 };
  if (what === 'query') {
    const between = { source: gatewayIp(subnet), destination: ipv4Address('224.0.0.1') };
    const query = encodeIpv4({
      ...head,
      ttl: 1,
      protocol: IGMP_PROTOCOL,
      payload: encodeIgmpQuery(QUERY_TENTHS),
      ...between,
    });
    return fromGateway(ALL_HOSTS_MAC, ETHER_TYPE.ipv4, query);
  }
  const between = { source: flowStationIp(subnet), destination: ipv4Of(10, 0, subnet, FIRST_HOST) };
  const ports = { sourcePort: DISCARD_PORT, destinationPort: DISCARD_PORT };
  const payload = encodeUdp({ payload: new Uint8Array(STRAY_BYTES), ...ports }, between);
  const packet = { ...head, protocol: IP_PROTOCOL.udp, payload, ...between };
  const bytes = encodeIpv4(what === 'fragment' ? { ...packet, moreFragments: true } : packet);
  return encodeEthernet({ destination: nic, source: FLOW_STATION_MAC, etherType: ETHER_TYPE.ipv4, payload: bytes });
}

/** The answer to a ping, from the station that has this address. */
export function pongOf({ packet, echo }: Ping, station: MacAddress, destination: MacAddress): Uint8Array {
  const payload = encodeIpv4({
    source: packet.destination,
    destination: packet.source,
    protocol: IP_PROTOCOL.icmp,
    ttl: TTL,
    identification: packet.identification,
    payload: encodeIcmpEcho({ ...echo, kind: 'reply' }),
  });
  return encodeEthernet({ destination, source: station, etherType: ETHER_TYPE.ipv4, payload });
}

function answerArp(frame: EthernetFrame, subnet: number): Uint8Array | undefined {
  const asked = parseArp(frame.payload);
  if (asked?.operation !== 'request') return undefined;
  const { senderMac: targetMac, senderIp: targetIp, targetIp: senderIp } = asked;
  const senderMac = whoHas(senderIp, subnet);
  if (senderMac === undefined) return undefined;
  const payload = encodeArp({ operation: 'reply', senderMac, senderIp, targetMac, targetIp });
  return encodeEthernet({ destination: targetMac, source: senderMac, etherType: ETHER_TYPE.arp, payload });
}

function whoHas(address: Ipv4Address, subnet: number): MacAddress | undefined {
  if (address === gatewayIp(subnet)) return GATEWAY_MAC;
  return address === flowStationIp(subnet) ? FLOW_STATION_MAC : undefined;
}

function answerIpv4(frame: EthernetFrame, subnet: number, leases: Leases): Uint8Array | undefined {
  const packet = parseIpv4(frame.payload);
  if (packet === undefined) return undefined;
  const ping = pingIn(frame);
  if (ping !== undefined && packet.destination === gatewayIp(subnet)) return pongOf(ping, GATEWAY_MAC, frame.source);
  if (packet.protocol !== IP_PROTOCOL.udp) return undefined;
  const datagram = parseUdp(packet.payload, packet);
  if (datagram?.destinationPort !== DHCP_SERVER_PORT) return undefined;
  const asked = parseDhcp(datagram.payload);
  const answer = asked === undefined ? undefined : answerDhcp(asked, subnet, leases);
  return answer === undefined ? undefined : dhcpFrame(answer, gatewayIp(subnet));
}

function answerDhcp(asked: Dhcp, subnet: number, leases: Leases): Dhcp | undefined {
  const { transactionId, clientMac } = asked;
  const serverId = gatewayIp(subnet);
  const head = { transactionId, clientMac, serverId } as const;
  if (asked.kind === 'release') leases.delete(clientMac);
  if (asked.kind !== 'discover' && asked.kind !== 'request') return undefined;
  if (asked.serverId !== undefined && asked.serverId !== serverId) return undefined;
  const yourIp = leases.get(clientMac) ?? freeAddress(subnet, leases);
  const wanted = asked.requestedIp ?? asked.clientIp ?? yourIp;
  if (yourIp === undefined || (asked.kind === 'request' && wanted !== yourIp)) return { kind: 'nak', ...head };
  leases.set(clientMac, yourIp);
  const kind = asked.kind === 'discover' ? 'offer' : 'ack';
  return { kind, yourIp, subnetMask: MASK, router: serverId, leaseSeconds: LEASE_SECONDS, ...head };
}

function freeAddress(subnet: number, leases: Leases): Ipv4Address | undefined {
  const taken = new Set(leases.values());
  for (let host = FIRST_HOST; host <= LAST_HOST; host++) {
    const address = ipv4Of(10, 0, subnet, host);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

function dhcpFrame(answer: Dhcp, source: Ipv4Address): Uint8Array {
  const between = { source, destination: BROADCAST_IP };
  const ports = { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT };
  const payload = encodeUdp({ payload: encodeDhcp(answer), ...ports }, between);
  const packet = encodeIpv4({ protocol: IP_PROTOCOL.udp, ttl: TTL, identification: 0, payload, ...between });
  // To the client itself: a broadcast would reach the other NICs too, and no client here needs it.
  return fromGateway(answer.kind === 'nak' ? BROADCAST_MAC : answer.clientMac, ETHER_TYPE.ipv4, packet);
}

const fromGateway = (destination: MacAddress, etherType: number, payload: Uint8Array): Uint8Array =>
  encodeEthernet({ destination, source: GATEWAY_MAC, etherType, payload });
