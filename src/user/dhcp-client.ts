/**
 * A DHCP client on one link: discover, offer, request, ack, and again when nothing comes.
 * Source: RFC 2131, 3.1 (the exchange), 4.1 (the pause doubles: 4, 8, 16, 32 s), 4.4.1.
 * What this leaves out: renewal and expiry (runs are shorter than leases), the random second in each pause, address
 * conflict detection, INIT-REBOOT, and what the address is then used for.
 */
import { BROADCAST_MAC, type MacAddress } from '../base/mac.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { PacketSocket } from '../guest/uapi/uapi.ts';
import type { Operation, Task } from '../sim/operation.ts';
import { Queue } from '../sim/queue.ts';
import type { Simulation } from '../sim/simulation.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type Dhcp, encodeDhcp, parseDhcp } from '../wire/dhcp.ts';
import { ETHER_TYPE, encodeEthernet, parseEthernet } from '../wire/ethernet.ts';
import {
  encodeIpv4,
  encodeUdp,
  IP_PROTOCOL,
  type Ipv4Address,
  ipv4Address,
  parseIpv4,
  parseUdp,
} from '../wire/ipv4.ts';

/** The link that the client works on. */
export interface DhcpLink {
  /** The scenario's name, for the trace. */
  readonly dev: string;
  readonly mac: MacAddress;
  readonly socket: PacketSocket;
}

/** Messages of one kind that are sent before the client gives up: 4 + 8 + 16 + 32 s is dhclient.conf's `timeout 60`. */
const TRIES = 4;

/** What the client waits for, all in one queue: a message, the end of a pause, or the order to stop. */
type Wakeup =
  | { readonly is: 'message'; readonly message: Dhcp }
  | { readonly is: 'pause-over'; readonly of: number }
  | { readonly is: 'stop' };

const ANY = ipv4Address('0.0.0.0');
const BROADCAST = ipv4Address('255.255.255.255');

export class DhcpClient {
  private readonly sim: Simulation;
  private readonly link: DhcpLink;
  private readonly firstPause: Nanoseconds;
  private readonly transactionId: number;
  private readonly wakeups: Queue<Wakeup>;
  private pauses = 0;

  constructor(
    sim: Simulation,
    link: DhcpLink,
    options: { readonly retry: Nanoseconds; readonly transactionId: number },
  ) {
    this.sim = sim;
    this.link = link;
    this.firstPause = options.retry;
    this.transactionId = options.transactionId;
    this.wakeups = new Queue(sim, `dhcp ${link.dev}`);
    sim.spawn(`dhcp ${link.dev}`, 'user', this.run(), { daemon: true });
  }

  /** Ends the client; a lease that it holds is given up. */
  stop(): Operation<void> {
    return this.wakeups.put({ is: 'stop' });
  }

  private *run(): Task {
    const listener = this.sim.spawn(`dhcp ${this.link.dev} listener`, 'user', this.listen(), { daemon: true });
    const address = yield* this.acquire();
    if (address !== undefined) {
      this.tellLease(address, true);
      while ((yield* this.wakeups.take()).is !== 'stop');
      this.tellLease(address, false);
    }
    this.sim.end(listener);
    this.link.socket.close();
  }

  private *listen(): Task {
    for (;;) {
      const message = this.messageIn(yield* this.link.socket.received.take());
      if (message !== undefined) yield* this.wakeups.put({ is: 'message', message });
    }
  }

  /** The address, or undefined when the client was stopped. One that gave up only waits for that. */
  private *acquire(): Task<Ipv4Address | undefined> {
    for (let rounds = 0; rounds < TRIES; rounds++) {
      const offer = yield* this.ask({ kind: 'discover' }, ['offer']);
      if (offer === 'stopped') return undefined;
      if (offer === 'no-answer') break;
      const { yourIp = ANY, serverId = ANY } = offer;
      const answer = yield* this.ask({ kind: 'request', requestedIp: yourIp, serverId }, ['ack', 'nak']);
      if (answer === 'stopped') return undefined;
      if (answer !== 'no-answer' && answer.kind === 'ack') return answer.yourIp ?? yourIp;
    }
    this.tell('GAVE-UP', undefined);
    while ((yield* this.wakeups.take()).is !== 'stop');
    return undefined;
  }

  /** Sends a message until one of the answers comes, with a pause that doubles. */
  private *ask(
    question: Pick<Dhcp, 'kind' | 'requestedIp' | 'serverId'>,
    answers: readonly Dhcp['kind'][],
  ): Task<Dhcp | 'stopped' | 'no-answer'> {
    for (let tries = 0; tries < TRIES; tries++) {
      yield* this.send({ transactionId: this.transactionId, clientMac: this.link.mac, ...question });
      const answer = yield* this.answerWithin(this.firstPause * 2 ** tries, answers);
      if (answer !== 'no-answer') return answer;
    }
    return 'no-answer';
  }

  private *answerWithin(pause: Nanoseconds, answers: readonly Dhcp['kind'][]): Task<Dhcp | 'stopped' | 'no-answer'> {
    const of = ++this.pauses;
    const timer = this.sim.after(pause, () => this.wakeups.inject({ is: 'pause-over', of }));
    for (;;) {
      const wakeup = yield* this.wakeups.take();
      if (wakeup.is === 'pause-over' && wakeup.of === of) return 'no-answer';
      if (wakeup.is === 'message' && !answers.includes(wakeup.message.kind)) continue;
      if (wakeup.is === 'pause-over') continue;
      this.sim.cancel(timer);
      if (wakeup.is === 'stop') return 'stopped';
      this.tell(wakeup.message.kind.toUpperCase(), wakeup.message.yourIp);
      return wakeup.message;
    }
  }

  /** A frame that the link does not take is lost like any other. */
  private *send(message: Dhcp): Task {
    this.tell(message.kind.toUpperCase(), message.requestedIp);
    const between = { source: ANY, destination: BROADCAST };
    const ports = { sourcePort: DHCP_CLIENT_PORT, destinationPort: DHCP_SERVER_PORT };
    const udp = encodeUdp({ payload: encodeDhcp(message), ...ports }, between);
    const ip = encodeIpv4({ protocol: IP_PROTOCOL.udp, ttl: 64, identification: 0, payload: udp, ...between });
    const addresses = { destination: BROADCAST_MAC, source: this.link.mac };
    yield* this.link.socket.send(encodeEthernet({ etherType: ETHER_TYPE.ipv4, payload: ip, ...addresses }));
  }

  /** The server's message to this client in a frame, if that is what it holds. */
  private messageIn(bytes: Uint8Array): Dhcp | undefined {
    const frame = parseEthernet(bytes);
    if (frame?.etherType !== ETHER_TYPE.ipv4) return undefined;
    const packet = parseIpv4(frame.payload);
    if (packet?.protocol !== IP_PROTOCOL.udp) return undefined;
    const datagram = parseUdp(packet.payload, packet);
    if (datagram?.destinationPort !== DHCP_CLIENT_PORT) return undefined;
    const message = parseDhcp(datagram.payload);
    const isMine = message?.transactionId === this.transactionId && message.clientMac === this.link.mac;
    return isMine ? message : undefined;
  }

  private tell(message: string, address: Ipv4Address | undefined): void {
    const { dev, mac } = this.link;
    this.sim.trace.emit({ kind: 'dhcp', dev, message, mac, address: address ?? '' });
  }

  private tellLease(address: Ipv4Address, held: boolean): void {
    const { dev, mac } = this.link;
    this.sim.trace.emit({ kind: 'lease', dev, mac, address, held });
  }
}
