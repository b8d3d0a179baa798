/**
 * Measured traffic in the guest: frames at a fixed pace from one NIC to a station on the host's switch, each with its
 * number, noted in the run's ledgers. An `echo` flow is answered frame by frame; in a `stream` the station sends on its
 * own. The station's address is asked for by ARP first, as any program's first packet makes the kernel do.
 * Source: RFC 826; net/ipv4/arp.c (retrans_time 1 s); the payload is ours (`wire/flow-payload.ts`).
 * What this leaves out: sockets, routes and congestion: a flow sends on whatever happens to the link, because what is
 * measured is what gets lost.
 */
import { BROADCAST_MAC, type MacAddress, ZERO_MAC } from '../base/mac.ts';
import { type Nanoseconds, seconds } from '../base/time.ts';
import type { Errno } from '../guest/uapi/errno.ts';
import type { GuestUapi, PacketSocket } from '../guest/uapi/uapi.ts';
import { Cell } from '../sim/cell.ts';
import type { Context } from '../sim/context.ts';
import type { Task } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import type { Path } from '../trace/event.ts';
import { encodeArp, parseArp } from '../wire/arp.ts';
import { ETHER_TYPE, ETHERNET_HEADER_SIZE, encodeEthernet, parseEthernet } from '../wire/ethernet.ts';
import { encodeFlowPayload, FLOW_ETHER_TYPE, flowOfFrame } from '../wire/flow-payload.ts';
import type { Ipv4Address } from '../wire/ipv4.ts';

export interface FlowSpec {
  readonly name: string;
  readonly kind: 'echo' | 'stream';
  /** The scenario's name of the NIC, for the trace. */
  readonly dev: string;
  readonly mac: MacAddress;
  readonly every: Nanoseconds;
  /** Bytes of a frame, Ethernet header included. */
  readonly bytes: number;
  /** The guest's own address: its lease, or one that was given to it by hand. */
  readonly address: Ipv4Address;
  /** The station that the frames go to. */
  readonly station: Ipv4Address;
}

/** What only the machine knows: the NIC's interface name now (undefined while it is gone), and the path of its frames. */
export interface FlowSurroundings {
  readonly ifname: () => string | undefined;
  readonly pathNow: () => Path;
}

const ARP_RETRY = seconds(1);

export class Flow {
  private readonly sim: Simulation;
  private readonly uapi: GuestUapi;
  private readonly spec: FlowSpec;
  private readonly around: FlowSurroundings;
  /** What the flow waits for before its first frame. */
  private readonly neighbour: Queue<MacAddress | 'ask-again' | 'stop'>;
  private readonly stopped: Cell<boolean>;
  private socket: PacketSocket | undefined;
  private listener: Context | undefined;

  constructor(sim: Simulation, uapi: GuestUapi, spec: FlowSpec, around: FlowSurroundings) {
    this.sim = sim;
    this.uapi = uapi;
    this.spec = spec;
    this.around = around;
    this.neighbour = new Queue(sim, `flow ${spec.name} neighbour`);
    this.stopped = new Cell(sim, `flow ${spec.name} stopped`, false);
    sim.spawn(`flow ${spec.name}`, 'user', this.run());
  }

  /** The flow ends at the turn of its next frame; until then what is on its way is still received. */
  *stop(): Task {
    yield* this.stopped.set(true);
    yield* this.neighbour.put('stop');
  }

  private *run(): Task {
    this.tell('started', `${this.spec.kind} to ${this.spec.station}`);
    const station = yield* this.resolve();
    if (station !== undefined) {
      this.tell('resolved', station);
      yield* this.send(station);
    }
    this.close();
    this.tell('stopped', '');
  }

  /** Asks for the station's address until it is known or the flow is stopped. */
  private *resolve(): Task<MacAddress | undefined> {
    const { mac, address: senderIp, station: targetIp } = this.spec;
    const payload = encodeArp({ operation: 'request', senderMac: mac, senderIp, targetMac: ZERO_MAC, targetIp });
    const frame = encodeEthernet({ destination: BROADCAST_MAC, source: mac, etherType: ETHER_TYPE.arp, payload });
    for (;;) {
      yield* this.put(frame);
      const timer = this.sim.after(ARP_RETRY, () => this.neighbour.inject('ask-again'));
      const found = yield* this.neighbour.take();
      this.sim.cancel(timer);
      if (found !== 'ask-again') return found === 'stop' ? undefined : found;
    }
  }

  /** One frame each turn, whether the last one got out or not. */
  private *send(destination: MacAddress): Task {
    const { name: flow, kind, mac: source, every, bytes } = this.spec;
    const ledger = this.sim.trace.frames.flow(flow).tx;
    let turn = this.sim.now;
    while (!(yield* this.stopped.get())) {
      const path = this.around.pathNow();
      const id = ledger.sent(this.sim.now, path);
      const payload = encodeFlowPayload({ flow, kind, direction: 'tx', id }, bytes - ETHERNET_HEADER_SIZE);
      const failed = yield* this.put(encodeEthernet({ destination, source, etherType: FLOW_ETHER_TYPE, payload }));
      if (failed !== undefined) {
        this.sim.trace.emit({ kind: 'frame.lost', flow, direction: 'tx', id, path, where: `guest send: ${failed}` });
      }
      turn = Math.max(turn + every, this.sim.now);
      yield* this.sim.sleep(turn - this.sim.now, 'the next frame');
    }
  }

  /** Sends a frame, on a new socket when the device of the old one is gone; the errno when it did not get out. */
  private *put(frame: Uint8Array): Task<Errno | undefined> {
    const socket = this.socket ?? (yield* this.open());
    if (socket === undefined) return 'ENODEV';
    const sent = yield* socket.send(frame);
    if (sent.ok) return undefined;
    if (sent.error === 'ENODEV' || sent.error === 'ENXIO') this.close(); // as Linux says it, and FreeBSD
    return sent.error;
  }

  private *open(): Task<PacketSocket | undefined> {
    const ifname = this.around.ifname();
    if (ifname === undefined) return undefined;
    const opened = yield* this.uapi.openPacket(ifname, `flow ${this.spec.name}`);
    if (!opened.ok) return undefined;
    this.socket = opened.value;
    const listener = `flow ${this.spec.name} listener`;
    this.listener = this.sim.spawn(listener, 'user', this.listen(opened.value), { daemon: true });
    return opened.value;
  }

  private close(): void {
    if (this.listener !== undefined) this.sim.end(this.listener);
    this.socket?.close();
    this.listener = undefined;
    this.socket = undefined;
  }

  private *listen(socket: PacketSocket): Task {
    const ledger = this.sim.trace.frames.flow(this.spec.name).rx;
    for (;;) {
      const bytes = yield* socket.received.take();
      const payload = flowOfFrame(bytes);
      if (payload?.flow === this.spec.name && payload.direction === 'rx') ledger.received(payload.id);
      const station = payload === undefined ? this.stationIn(bytes) : undefined;
      if (station !== undefined) yield* this.neighbour.put(station);
    }
  }

  /** The station's address, when the frame is its ARP reply. */
  private stationIn(bytes: Uint8Array): MacAddress | undefined {
    const frame = parseEthernet(bytes);
    const arp = frame?.etherType === ETHER_TYPE.arp ? parseArp(frame.payload) : undefined;
    return arp?.operation === 'reply' && arp.senderIp === this.spec.station ? arp.senderMac : undefined;
  }

  private tell(state: string, detail: string): void {
    this.sim.trace.emit({ kind: 'flow', flow: this.spec.name, dev: this.spec.dev, state, detail });
  }
}
