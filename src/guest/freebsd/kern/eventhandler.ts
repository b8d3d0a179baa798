/**
 * EVENTHANDLER lists: one list an event, for the whole machine. Handlers run one after the other in the thread that raises
 * the event and give nothing back: no veto, no error, no stop; nobody hears of what was there before him; two threads can
 * go through one list at once. Source: kern/subr_eventhandler.c, sys/eventhandler.h (reference A.3, A.4).
 */
import { OrderedList, type Prioritised } from '../../../base/ordered-list.ts';
import { type Footprint, HEAD } from '../../../sim/footprint.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { Ifnet } from '../net/ifnet.ts';
import type { LinkState } from '../net/ifnet-state.ts';
import type { Witness } from './witness.ts';

/** EVENTHANDLER_PRI_*: lower ones run first. */
export const PRIORITY = { FIRST: 0, ANY: 10_000, LAST: 20_000 } as const;

/** Codes of `ifnet_event` (net/if_var.h, IFNET_EVENT_*). */
export type IfnetEventCode = 'UP' | 'DOWN' | 'PCP' | 'UPDATE_BAUDRATE';

/** What the handlers of each event are given. */
export interface EventArguments {
  ifnet_arrival_event: [ifp: Ifnet];
  ether_ifattach_event: [ifp: Ifnet];
  ifnet_departure_event: [ifp: Ifnet];
  ifnet_event: [ifp: Ifnet, code: IfnetEventCode];
  ifnet_link_event: [ifp: Ifnet, state: LinkState];
  iflladdr_event: [ifp: Ifnet];
  ifaddr_event: [ifp: Ifnet];
  ifaddr_event_ext: [ifp: Ifnet, address: string, what: 'add' | 'delete'];
  group_attach_event: [group: string];
  group_detach_event: [group: string];
  group_change_event: [group: string];
  if_clone_event: [cloner: string];
}

export type EventName = keyof EventArguments;

export interface EventHandler<Name extends EventName> extends Prioritised {
  readonly handle: (...args: EventArguments[Name]) => Task;
  /** The kernel's own are left out of the trace: what they do shows in events of its own. */
  readonly builtIn?: true;
}

/** Locks that nobody may hold who raises an event: handlers may sleep, and take them themselves (INV-A9). */
const NEVER_HELD: readonly string[] = ['ifnet_sx', 'if_addr_lock'];

export class EventHandlers {
  private readonly sim: Simulation;
  private readonly lists = new Map<EventName, HandlerList>();
  /** Whether there is a list of an event: who raises it asks in the middle of another step. */
  private readonly known: Place;

  private readonly witness: Witness;

  constructor(sim: Simulation, witness: Witness) {
    this.sim = sim;
    this.witness = witness;
    this.known = new Place(sim);
  }

  /** EVENTHANDLER_REGISTER(). A dispatch that is under way calls it if it comes behind where that is. */
  *register<Name extends EventName>(event: Name, handler: EventHandler<Name>): Task {
    yield* this.list(event).add(handler as unknown as Handler);
  }

  /** For handlers of the kernel's own that are there before anything runs. */
  preset<Name extends EventName>(event: Name, handler: EventHandler<Name>): void {
    this.list(event).preset(handler as unknown as Handler);
  }

  /**
   * EVENTHANDLER_DEREGISTER(): from now on nobody calls it, and all dispatches of the list have ended when this returns.
   * From within a handler of the list it waits for itself.
   */
  *deregister<Name extends EventName>(event: Name, handler: EventHandler<Name>): Task {
    const list = this.list(event);
    yield* list.remove(handler as unknown as Handler);
    yield* list.whenIdle();
  }

  /** EVENTHANDLER_DEREGISTER_NOWAIT(): a dispatch can still be in the handler. */
  *deregisterNoWait<Name extends EventName>(event: Name, handler: EventHandler<Name>): Task {
    yield* this.list(event).remove(handler as unknown as Handler);
  }

  /** EVENTHANDLER_INVOKE(): calls the handlers in the context at hand, with whatever locks that holds. */
  *raise<Name extends EventName>(event: Name, ...args: EventArguments[Name]): Task {
    this.known.read();
    const list = this.lists.get(event);
    if (list === undefined) return;
    const held = this.witness.holdsAny(NEVER_HELD);
    if (held !== undefined) {
      this.sim.trace.emit({ kind: 'kernel.assert', dev: '', what: `${event} is raised with ${held}` });
    }
    yield* list.begin();
    let handler = yield* list.next(undefined);
    while (handler !== undefined) {
      if (handler.builtIn !== true) this.tell(event, handler.name, args);
      yield* handler.handle(...args);
      handler = yield* list.next(handler);
    }
    yield* list.end();
  }

  private list(event: EventName): HandlerList {
    this.known.read();
    let list = this.lists.get(event);
    if (list === undefined) {
      this.known.write();
      list = new HandlerList(this.sim, event);
      this.lists.set(event, list);
    }
    return list;
  }

  private tell(event: EventName, handler: string, args: readonly unknown[]): void {
    const [subject, detail = ''] = args as [Ifnet | string, string?];
    const dev = typeof subject === 'string' ? '' : subject.dev;
    const about = typeof subject === 'string' ? subject : detail;
    this.sim.trace.emit({ kind: 'eventhandler', event, dev, handler, detail: about });
  }
}

type Handler = Prioritised & { readonly handle: (...args: unknown[]) => Task; readonly builtIn?: true };

/** One event's list. Dispatches do not meet each other; who comes or goes meets them all. */
class HandlerList extends SharedObject {
  private readonly handlers = new OrderedList<Handler>('lowest');
  /** el_runcount: dispatches that are under way. */
  private running = 0;

  add(handler: Handler): Operation<void> {
    return new Operation(this, 'add', handler);
  }

  preset(handler: Handler): void {
    this.handlers.add(handler);
  }

  remove(handler: Handler): Operation<void> {
    return new Operation(this, 'remove', handler);
  }

  begin(): Operation<void> {
    return new Operation(this, 'begin dispatch');
  }

  next(after: Handler | undefined): Operation<Handler | undefined> {
    return new Operation(this, 'next', after);
  }

  end(): Operation<void> {
    return new Operation(this, 'end dispatch');
  }

  whenIdle(): Operation<void> {
    return new Operation(this, 'whenIdle');
  }

  enabled({ kind }: Operation): boolean {
    return kind !== 'whenIdle' || this.running === 0;
  }

  perform({ kind, arg }: Operation): Handler | undefined {
    switch (kind) {
      case 'add':
        this.handlers.add(arg as Handler);
        return undefined;
      case 'remove':
        this.handlers.remove(arg as Handler);
        return undefined;
      case 'begin dispatch':
        this.running++;
        return undefined;
      case 'end dispatch':
        this.running--;
        return undefined;
      case 'next':
        return this.handlers.after(arg as Handler | undefined);
      default:
        return undefined;
    }
  }

  override touch({ kind }: Operation, footprint: Footprint): void {
    const { place } = this;
    if (kind === 'add' || kind === 'remove') footprint.write(place);
    else if (kind === 'next') footprint.read(place);
    else if (kind === 'whenIdle') footprint.write(place, HEAD);
    else footprint.read(place, HEAD);
  }

  peek(): string {
    return `${this.handlers.size}, ${this.running} under way`;
  }
}
