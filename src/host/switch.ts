/**
 * The virtual switch: a port per NIC, a table of addresses, and the stations behind it.
 * Source: IEEE 802.1D, learning and flooding; what Hyper-V's switch does beyond that is not modelled.
 * What this leaves out: ageing of addresses, VLANs, policies, bandwidth, loops.
 */
import type { MacAddress } from '../base/mac.ts';
import type { Path } from '../trace/event.ts';
import { type EthernetFrame, encodeEthernet, isGroupAddress, parseEthernet } from '../wire/ethernet.ts';
import { encodeFlowPayload, FLOW_ETHER_TYPE, type FlowPayload, parseFlowPayload } from '../wire/flow-payload.ts';
import type { HostItem, PingPlan, StreamPlan } from './item.ts';
import { type HostPlan, workerOf } from './plan.ts';
import {
  FLOW_STATION_MAC,
  flowStationIp,
  GATEWAY_MAC,
  gatewayAnswer,
  type Leases,
  type Ping,
  pingIn,
  pongOf,
} from './stations.ts';
import type { Behaviour, Worker } from './worker.ts';

const ETHERNET_HEADER_SIZE = 14;

export interface SwitchState {
  /** Behind which port an address was seen last. */
  readonly addresses: Map<MacAddress, string>;
  readonly leases: Leases;
  /** The path that each port's frames take, for the ledgers. */
  readonly paths: Map<string, Path>;
  readonly streams: Map<string, StreamPlan & { token: number }>;
  /** Flows that are pings, by port. */
  readonly pings: Map<string, CountedPings>;
}

/** `answered`: the sequence numbers of the pings that were answered, in that order; so the answers are numbered too. */
export type CountedPings = PingPlan & { readonly answered: number[] };

export const emptySwitch = (): SwitchState => ({
  addresses: new Map(),
  leases: new Map(),
  paths: new Map(),
  streams: new Map(),
  pings: new Map(),
});

export class VirtualSwitch implements Behaviour {
  private readonly worker: Worker<SwitchState>;
  private readonly plan: HostPlan;

  constructor(worker: Worker<SwitchState>, plan: HostPlan) {
    this.worker = worker;
    this.plan = plan;
  }

  take(item: HostItem): void {
    switch (item.what) {
      case 'egress':
        for (const frame of item.frames) this.forward(item.port, frame);
        break;
      case 'path':
        this.worker.state.paths.set(item.port, item.path);
        break;
      case 'start-stream':
        this.startStream(item.stream);
        break;
      case 'stop-stream':
        this.stopStream(item.flow);
        break;
      case 'count-pings':
        this.worker.state.pings.set(item.pings.nic, { ...item.pings, answered: [] });
        break;
      case 'stream-due':
        this.sendStream(item.flow);
        break;
      default:
    }
  }

  private forward(port: string, bytes: Uint8Array): void {
    const frame = parseEthernet(bytes);
    // A frame that is too short or of another kind than Ethernet II has no address to go by.
    if (frame === undefined) return;
    if (!isGroupAddress(frame.source)) this.worker.state.addresses.set(frame.source, port);
    this.toStations(port, frame);
    const to = this.worker.state.addresses.get(frame.destination);
    if (isStation(frame.destination) || to === port) return;
    const isKnown = to !== undefined && !isGroupAddress(frame.destination);
    for (const { name } of this.plan.nics) {
      if (isKnown ? name === to : name !== port) this.toPort(name, bytes);
    }
  }

  private toPort(port: string, frame: Uint8Array): void {
    this.worker.tell(workerOf(port), { what: 'ingress', frame });
  }

  private toStations(port: string, frame: EthernetFrame): void {
    const isForGateway = frame.destination === GATEWAY_MAC || isGroupAddress(frame.destination);
    const subnet = this.plan.nics.findIndex((nic) => nic.name === port) + 1;
    if (frame.destination === FLOW_STATION_MAC) {
      const ping = pingIn(frame);
      if (ping?.packet.destination === flowStationIp(subnet)) this.answerPing(port, ping, frame.source);
      else this.toFlowStation(port, frame);
    } else if (isForGateway) {
      const answer = gatewayAnswer(frame, subnet, this.worker.state.leases);
      if (answer !== undefined) this.toPort(port, answer);
    }
  }

  /** Notes the frame, and answers it when it is an echo's request. */
  private toFlowStation(port: string, frame: EthernetFrame): void {
    const payload = frame.etherType === FLOW_ETHER_TYPE ? parseFlowPayload(frame.payload) : undefined;
    if (payload?.direction !== 'tx') return;
    const { tx, rx } = this.worker.around.sim.trace.frames.flow(payload.flow);
    // A made-up id is nobody's frame.
    if (!tx.received(payload.id) || payload.kind !== 'echo') return;
    const id = rx.sent(this.worker.around.sim.now, this.pathOf(port));
    const answer = { ...payload, direction: 'rx', id } as const;
    this.toPort(port, flowFrame(frame.source, answer, frame.payload.length));
  }

  /** Notes the ping, where it belongs to a flow: those before it that never came were sent all the same. */
  private answerPing(port: string, ping: Ping, from: MacAddress): void {
    const counted = this.worker.state.pings.get(port);
    if (counted !== undefined) {
      const { now, trace } = this.worker.around.sim;
      const { tx, rx } = trace.frames.flow(counted.flow);
      const { sequence } = ping.echo;
      while (tx.length <= sequence) tx.sent(now, this.pathOf(port));
      tx.received(sequence);
      rx.sent(now, this.pathOf(port));
      counted.answered.push(sequence);
    }
    this.toPort(port, pongOf(ping, FLOW_STATION_MAC, from));
  }

  private startStream(stream: StreamPlan): void {
    this.stopStream(stream.flow);
    this.worker.state.streams.set(stream.flow, { ...stream, token: 0 });
    this.sendStream(stream.flow);
  }

  private stopStream(flow: string): void {
    const stream = this.worker.state.streams.get(flow);
    if (stream !== undefined) this.worker.disarm(stream.token);
    this.worker.state.streams.delete(flow);
  }

  private sendStream(flow: string): void {
    const stream = this.worker.state.streams.get(flow);
    const nic = this.plan.nics.find((one) => one.name === stream?.nic);
    if (stream === undefined || nic === undefined) return;
    const { rx } = this.worker.around.sim.trace.frames.flow(flow);
    const id = rx.sent(this.worker.around.sim.now, this.pathOf(nic.name));
    const payload = { flow, kind: 'stream', direction: 'rx', id } as const;
    this.toPort(nic.name, flowFrame(nic.mac, payload, stream.bytes - ETHERNET_HEADER_SIZE));
    stream.token = this.worker.after(stream.every, { what: 'stream-due', flow });
  }

  private pathOf(port: string): Path {
    return this.worker.state.paths.get(port) ?? 'synthetic';
  }
}

const isStation = (address: MacAddress): boolean => address === GATEWAY_MAC || address === FLOW_STATION_MAC;

const flowFrame = (destination: MacAddress, payload: FlowPayload, size: number): Uint8Array =>
  encodeEthernet({
    destination,
    source: FLOW_STATION_MAC,
    etherType: FLOW_ETHER_TYPE,
    payload: encodeFlowPayload(payload, size),
  });
