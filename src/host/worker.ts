/**
 * A worker of the host: an actor with one mailbox and one record. It has no code of its own to be suspended in, so it
 * can be saved between any two steps. Its next step is a function of the record: deliver what it has decided to do,
 * else read on in a ring that was signalled, else take from the mailbox.
 * What this leaves out: more than one processor a worker.
 */
import { assert, known } from '../base/assert.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { Bus } from '../bus/bus.ts';
import type { Mailbox } from '../bus/mailbox.ts';
import type { AnyProtocol } from '../bus/memory.ts';
import type { ReadPacket, RingPacket } from '../bus/packet.ts';
import type { Written } from '../bus/ring.ts';
import type { Timer } from '../sim/clock.ts';
import type { Context, Runner } from '../sim/context.ts';
import type { Latency } from '../sim/latency.ts';
import type { Operation } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';
import type { WaitCell } from '../sim/wait-cell.ts';
import type { EventBody } from '../trace/event.ts';
import type { FaultRecord } from './faults.ts';
import { CODECS, type Delivery, type HostItem, type HostPacket, type OpenChannel } from './item.ts';

/** What somebody who asked for an action waits for. */
export type Tickets = Map<number, WaitCell<{ readonly refused?: string }>>;

/** What all workers of a host share; none of it is state of theirs. */
export interface Surroundings {
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly latency: Latency;
  readonly tickets: Tickets;
}

/** What a worker does with what comes to it. Each handler runs to its end, and acts by `worker.send`. */
export interface Behaviour {
  take(item: HostItem): void;
  /** A packet from a ring that the worker reads; Malformed when it was none. */
  packet?(channel: OpenChannel, packet: ReadPacket): void;
  /** A frame found its ring full and was dropped. */
  dropped?(delivery: Extract<Delivery, { to: 'ring' }>): void;
}

interface TimerRecord {
  readonly token: number;
  readonly at: Nanoseconds;
  /** Its place among timers of one moment. */
  readonly sequence: number;
  readonly item: HostItem;
  /** It has fired, and its item is on the way. */
  fired: boolean;
}

export interface WorkerRecord<S> {
  state: S;
  outbox: Delivery[];
  /** Channels whose rings may have something, in the order in which they were signalled. */
  reading: OpenChannel[];
  timers: TimerRecord[];
  nextToken: number;
  /** What goes wrong with its messages; undefined, as nearly always, when nothing does. */
  faults: FaultRecord | undefined;
}

export class Worker<S> implements Runner {
  readonly name: string;
  readonly around: Surroundings;
  readonly mailbox: Mailbox<HostItem>;
  record: WorkerRecord<S>;
  private readonly behaviour: Behaviour;
  private readonly context: Context;
  private readonly timers = new Map<number, Timer>();
  /** What the operation that is under way is for. */
  private doing: 'nothing' | 'deliver' | 'read' | 'take' = 'nothing';

  constructor(around: Surroundings, name: string, state: S, behave: (worker: Worker<S>) => Behaviour) {
    this.name = name;
    this.around = around;
    this.mailbox = around.bus.mailbox<HostItem>(name);
    this.record = { state, outbox: [], reading: [], timers: [], nextToken: 1, faults: undefined };
    this.behaviour = behave(this);
    this.context = around.sim.attach(name, 'host', this);
  }

  get state(): S {
    return this.record.state;
  }

  /** Decides to do something; it is done after what was decided before. */
  send(delivery: Delivery): void {
    this.record.outbox.push(delivery);
  }

  tell(worker: string, item: HostItem): void {
    this.send({ to: 'worker', worker, item });
  }

  emit(event: EventBody): void {
    this.around.sim.trace.emit(event);
  }

  /** Takes the item after a span of time; at once when the span is 0. */
  after(span: Nanoseconds, item: HostItem): number {
    if (span === 0) {
      this.behaviour.take(item);
      return 0;
    }
    const token = this.record.nextToken++;
    const timer = this.around.sim.after(span, () => this.fire(token));
    this.timers.set(token, timer);
    this.record.timers.push({ token, at: timer.at, sequence: timer.sequence, item, fired: false });
    return token;
  }

  /** Forgets a timer, fired or not; one that is not there is no mistake. */
  disarm(token: number): void {
    const timer = this.timers.get(token);
    if (timer !== undefined) this.around.sim.cancel(timer);
    this.timers.delete(token);
    this.record.timers = this.record.timers.filter((one) => one.token !== token);
  }

  /** Reads the channel's ring until it is empty. */
  read(channel: OpenChannel): void {
    if (!this.record.reading.some((one) => one.relid === channel.relid)) this.record.reading.push(channel);
  }

  stopReading(relid: number): void {
    this.record.reading = this.record.reading.filter((one) => one.relid !== relid);
  }

  next(result: unknown): IteratorResult<Operation, unknown> {
    this.finish(result);
    return { done: false, value: this.ask() };
  }

  /** Ends the worker; its record can go on elsewhere. */
  dispose(): void {
    for (const timer of this.timers.values()) this.around.sim.cancel(timer);
    this.timers.clear();
    this.around.sim.end(this.context);
  }

  /** Goes on from a saved record. */
  load(record: WorkerRecord<S>): void {
    for (const timer of this.timers.values()) this.around.sim.cancel(timer);
    this.timers.clear();
    this.record = record;
    for (const { token, at, sequence, fired } of record.timers) {
      if (!fired)
        this.timers.set(
          token,
          this.around.sim.clock.restore(at, sequence, () => this.fire(token)),
        );
    }
    this.around.sim.rearm(this.context, this.ask());
  }

  private fire(token: number): void {
    this.timers.delete(token);
    const timer = this.record.timers.find((one) => one.token === token);
    if (timer !== undefined) timer.fired = true;
    this.mailbox.inject({ what: 'timer', token });
  }

  /** The next operation, from the record alone. */
  private ask(): Operation {
    const { outbox, reading } = this.record;
    const [delivery] = outbox;
    if (delivery !== undefined) {
      this.doing = 'deliver';
      const operation = this.operationFor(delivery);
      if (operation !== undefined) return operation;
      // What it was for is gone: a ring that was given back, somebody who no longer waits.
      outbox.shift();
      return this.ask();
    }
    const [channel] = reading;
    if (channel !== undefined) {
      this.doing = 'read';
      const ring = this.around.bus.pairAt(channel.firstPfn)?.toHost;
      if (ring !== undefined) return ring.read();
      reading.shift();
      return this.ask();
    }
    this.doing = 'take';
    return this.mailbox.take();
  }

  private finish(result: unknown): void {
    const { doing } = this;
    this.doing = 'nothing';
    if (doing === 'deliver') this.delivered(result);
    else if (doing === 'read') this.wasRead(result as ReadPacket | undefined);
    else if (doing === 'take') this.taken(result as HostItem);
  }

  private delivered(result: unknown): void {
    const delivery = known(this.record.outbox.shift(), 'what was delivered');
    if (delivery.to === 'ticket') this.around.tickets.delete(delivery.ticket);
    if (delivery.to === 'ring') {
      const written = result as Written;
      if (written === 'signal') this.record.outbox.unshift({ to: 'interrupt', relid: delivery.channel.relid });
      if (written === 'full') this.behaviour.dropped?.(delivery);
      if (written === 'full' || written === 'shut') return;
    }
    if (delivery.tell !== undefined) this.emit(delivery.tell);
  }

  private wasRead(packet: ReadPacket | undefined): void {
    const channel = known(this.record.reading[0], 'the channel that was read');
    if (packet === undefined) this.record.reading.shift();
    else this.behaviour.packet?.(channel, packet);
  }

  private taken(item: HostItem): void {
    if (item.what !== 'timer') {
      this.behaviour.take(item);
      return;
    }
    const timer = this.record.timers.find((one) => one.token === item.token);
    // One that was forgotten after it had fired.
    if (timer === undefined) return;
    this.record.timers = this.record.timers.filter((one) => one !== timer);
    this.behaviour.take(timer.item);
  }

  private operationFor(delivery: Delivery): Operation | undefined {
    const { bus, tickets } = this.around;
    switch (delivery.to) {
      case 'guest':
        return bus.synic.deliver(delivery.message);
      case 'ring': {
        const ring = bus.pairAt(delivery.channel.firstPfn)?.toGuest;
        const packet = withProtocol(delivery.packet);
        return delivery.frame === undefined ? ring?.writeWhenFree(packet) : ring?.write(packet);
      }
      case 'interrupt':
        return bus.interrupt(delivery.relid);
      case 'shut':
        return bus.pairAt(delivery.firstPfn)?.[delivery.ring].shut();
      case 'worker':
        return bus.mailbox<HostItem>(delivery.worker).put(delivery.item);
      case 'ticket': {
        const cell = tickets.get(delivery.ticket);
        return cell?.resolve(delivery.refused === undefined ? {} : { refused: delivery.refused });
      }
      case 'plug':
      case 'silence':
      case 'doorbell':
      case 'present':
      case 'ejecting':
      case 'link':
      case 'rx':
        return this.functionOperation(delivery);
    }
  }

  private functionOperation(
    delivery: Extract<Delivery, { to: 'plug' | 'silence' | 'doorbell' | 'present' | 'ejecting' | 'link' | 'rx' }>,
  ): Operation {
    const fn = this.around.bus.functions.get(delivery.fn);
    assert(fn !== undefined, `there is no PCI function ${delivery.fn}`);
    switch (delivery.to) {
      case 'plug':
        return fn.plugIn(delivery.identity);
      case 'silence':
        return fn.fallSilent(delivery.state);
      case 'doorbell':
        return this.mailbox.refuse(delivery.fn, !delivery.open);
      case 'present':
        return fn.present.set(delivery.present);
      case 'ejecting':
        return fn.ejecting.set(delivery.asked);
      case 'link':
        return fn.link.set(delivery.up);
      case 'rx':
        return fn.rx.put(delivery.frame);
    }
  }
}

/** Written out, because this is done for every frame and copying objects by spread costs more than all the rest. */
function withProtocol(packet: HostPacket): RingPacket {
  const { transactionId, completionRequested, payload, codec } = packet;
  const protocol = codec === undefined ? NO_PROTOCOL : CODECS[codec];
  switch (packet.type) {
    case 'inband':
    case 'completion':
      return { type: packet.type, transactionId, completionRequested, payload, protocol };
    case 'transferPages': {
      const { transferPages } = packet;
      return { type: 'transferPages', transactionId, completionRequested, payload, protocol, transferPages };
    }
    case 'gpaDirect':
      return { type: 'gpaDirect', transactionId, completionRequested, payload, protocol, pages: packet.pages };
  }
}

/** For a payload that is bytes already. */
const NO_PROTOCOL: AnyProtocol = CODECS.nvsp;
