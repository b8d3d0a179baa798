/**
 * A channel from the guest's end: sending, requests that wait for their completion, and the loop that serves what
 * comes in. Source: drivers/hv/channel.c, ring_buffer.c (vmbus_sendpacket(), vmbus_requestor), reference C.2, C.4.
 * What this leaves out: sub-channels, CPUs, polling.
 */

import { assert } from '../../base/assert.ts';
import type { Guid } from '../../base/guid.ts';
import type { Nanoseconds } from '../../base/time.ts';
import type { Bus, RingPair } from '../../bus/bus.ts';
import type { AnyProtocol, Payload } from '../../bus/memory.ts';
import type { ReadPacket, RingPacket } from '../../bus/packet.ts';
import { Cell } from '../../sim/cell.ts';
import { Completion } from '../../sim/completion.ts';
import { Doorbell } from '../../sim/doorbell.ts';
import type { Operation, Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { WaitCell } from '../../sim/wait-cell.ts';
import type { PageRange } from '../../wire/ring-packet.ts';

/** What a host offers: one channel of a device. */
export interface Offer {
  readonly relid: number;
  readonly interfaceType: Guid;
  readonly instance: Guid;
  /** The scenario's name of the device behind it, for traces and context names; the guest does not know it. */
  readonly dev: string;
}

export type SendResult = 'sent' | 'full' | 'rescinded';

/** The answer to a request: the completion's payload, or that no answer can come any more. */
export type Answer = { readonly payload: Payload } | 'rescinded';

/** A completion as it came in. */
interface Answered {
  readonly transactionId: bigint;
  readonly payload: Payload;
}

export interface Outgoing {
  readonly protocol: AnyProtocol;
  readonly message: { readonly name: string };
  /** Guest pages that the packet refers to (GPA direct). */
  readonly pages?: readonly PageRange[];
}

/** One opening of a channel: its rings, and the bell of whoever serves them. */
interface Opening {
  readonly rings: RingPair;
  readonly gpadl: number;
  /** What the serving context waits for: the channel's interrupts, and the end of the opening. */
  readonly doorbell: Doorbell;
  /** Set when a context serves it; that one completes `over` when it ends. */
  served: boolean;
  readonly over: Completion;
}

export class Channel {
  readonly offer: Offer;
  /** Set when the host has taken the channel back: nothing is sent or delivered from then on. */
  readonly rescinded: Cell<boolean>;
  private current: Opening | undefined;
  private readonly sim: Simulation;
  private readonly bus: Bus;
  /** vmbus_requestor: ids from 1; 0 means that no answer is wanted. */
  private nextId = 1n;
  /** Answers whose waiters also look whether the channel was taken back. */
  private readonly polled = new Set<{ resolve(answer: 'rescinded'): Operation<boolean> }>();
  private readonly outstanding = new Map<bigint, WaitCell<Answer>>();
  /** For {@link opening}, for {@link polled} and for {@link outstanding}, which senders and the serving context share. */
  private readonly ends: Place;
  private readonly polls: Place;
  private readonly requests: Place;

  constructor(sim: Simulation, bus: Bus, offer: Offer) {
    this.sim = sim;
    this.bus = bus;
    this.offer = offer;
    this.ends = new Place(sim);
    this.polls = new Place(sim);
    this.requests = new Place(sim);
    this.rescinded = new Cell(sim, `${offer.dev}.rescinded`, false);
  }

  /** What is there while the channel is open. */
  get opening(): Opening | undefined {
    this.ends.read();
    return this.current;
  }

  set opening(opening: Opening | undefined) {
    this.ends.write();
    this.current = opening;
  }

  /** Rings, while the channel is open. */
  get rings(): RingPair | undefined {
    return this.opening?.rings;
  }

  prepare(rings: RingPair, gpadl: number): Opening {
    const { dev } = this.offer;
    const doorbell = new Doorbell(this.sim, `${dev}.interrupt`);
    return { rings, gpadl, doorbell, served: false, over: new Completion(this.sim, `${dev}.serving_over`) };
  }

  /** Sends a packet for which no completion is wanted. */
  send(out: Outgoing): Task<SendResult> {
    return this.write(out, 0n);
  }

  /** Sends a packet that the host shall complete; the cell gets the answer, if it comes within the limit. */
  *request(
    out: Outgoing,
    waitingFor: string,
    limit?: Nanoseconds,
  ): Task<{ readonly result: SendResult; readonly answer: WaitCell<Answer> }> {
    const id = this.takeId();
    const answer = new WaitCell<Answer>(this.sim, `${this.offer.dev} host's answer to ${waitingFor}`, limit);
    this.requests.writeEntry(Number(id));
    this.outstanding.set(id, answer);
    const result = yield* this.write(out, id);
    if (result !== 'sent') this.outstanding.delete(id);
    return { result, answer };
  }

  /** Waits for an answer, but no longer than the host lets us have the channel (wait_for_response()). */
  *untilRescinded<T>(answer: WaitCell<T | 'rescinded'>): Task<T | 'rescinded' | undefined> {
    this.polls.read(); // that of others does not matter, only who looks at all of them
    this.polled.add(answer);
    // Between the request and here, when nobody was there to be told.
    if (this.rescinded.now) yield* answer.resolve('rescinded');
    const got = yield* answer.wait();
    this.polls.read(); // that of others does not matter, only who looks at all of them
    this.polled.delete(answer);
    return got;
  }

  /** An id for a packet whose completion the caller keeps track of himself: a frame. */
  takeId(): bigint {
    return this.nextId++;
  }

  /** Sends a packet under an id; the host completes it unless the id is 0. */
  *write(out: Outgoing, transactionId: bigint): Task<SendResult> {
    const { message: payload, protocol, pages } = out;
    const completionRequested = transactionId !== 0n;
    if (this.rescinded.now || this.rings === undefined) return 'rescinded';
    const packet: RingPacket =
      pages === undefined
        ? { type: 'inband', transactionId, completionRequested, payload, protocol }
        : { type: 'gpaDirect', transactionId, completionRequested, payload, protocol, pages };
    const outcome = yield* this.rings.toHost.write(packet);
    if (outcome === 'full') return 'full';
    if (outcome === 'signal') yield* this.bus.signalEvent(this.offer.relid);
    return 'sent';
  }

  /** Answers a packet of the host's; waits for room. */
  *complete(transactionId: bigint, out: Outgoing): Task {
    if (this.rescinded.now || this.rings === undefined) return;
    const { message: payload, protocol } = out;
    const packet: RingPacket = { type: 'completion', transactionId, completionRequested: false, payload, protocol };
    const outcome = yield* this.rings.toHost.writeWhenFree(packet);
    if (outcome === 'signal') yield* this.bus.signalEvent(this.offer.relid);
  }

  /** Hands a completion to whoever asked; false when nobody did (or somebody was answered already). */
  *resolve(packet: Answered): Task<boolean> {
    this.requests.writeEntry(Number(packet.transactionId));
    const answer = this.outstanding.get(packet.transactionId);
    if (answer === undefined) return false;
    this.outstanding.delete(packet.transactionId);
    yield* answer.resolve({ payload: packet.payload });
    return true;
  }

  /** Serves what the host sends until the channel is closed: the body of its tasklet or NAPI context. */
  *serve(handle: (packet: ReadPacket) => Task | undefined): Task {
    const opening = this.opening;
    assert(opening !== undefined, `${this.offer.dev} is served before it is open`);
    const { doorbell, rings } = opening;
    opening.served = true;
    while (this.opening === opening) {
      yield* doorbell.wait();
      while (this.opening === opening && !this.rescinded.now) {
        const packet = yield* rings.toGuest.read();
        if (packet === undefined) break;
        const task = handle(packet);
        if (task !== undefined) yield* task;
      }
    }
    yield* opening.over.complete();
  }

  /** An interrupt that came before anybody listened is lost (before 9448ccd85336). */
  *loseEarlyInterrupt(): Task {
    if (this.opening !== undefined) yield* this.opening.doorbell.silence();
  }

  /** The host has taken the channel back: requests that only a packet could answer stay open, as in the kernel. */
  *markRescinded(): Task {
    yield* this.rescinded.set(true);
    this.polls.write();
    for (const answer of [...this.polled]) yield* answer.resolve('rescinded');
  }

  /** Gives up on all requests: their waiters were released by closing the channel. */
  forgetRequests(): void {
    this.requests.write();
    this.outstanding.clear();
  }
}
