/**
 * The net epoch: readers enter and leave a section without a lock; whoever has unlinked something waits until all who
 * could have seen it have left, or has a callback run then. Source: kern/subr_epoch.c (epoch_enter_preempt(),
 * epoch_wait_preempt(), epoch_call(), epoch_drain_callbacks()); reference A.1, A.11.
 * What this leaves out: CPUs and their records (a grace period begins at once), and priorities of waiters.
 */
import { InvariantError } from '../../../base/assert.ts';
import type { Context } from '../../../sim/context.ts';
import { type Footprint, HEAD, itemPart } from '../../../sim/footprint.ts';
import { Operation, SharedObject, type Task } from '../../../sim/operation.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { LockClass, Witness } from './witness.ts';

/** A reader inside; nested sections are one. */
interface Section {
  readonly context: Context;
  /** The how-manieth of its context. */
  readonly nth: number;
  depth: number;
}

/** Sections that were open at a moment. */
type Sections = readonly Section[];

interface Callback {
  readonly name: string;
  readonly body: () => Task;
  readonly after: Sections;
}

/**
 * Who looks who is inside meets all who come and leave, and these do not meet each other, nor do those who look: so that
 * each context has a part of its own, of so many.
 */
const PRESENCE_PARTS = 8;
/**
 * That a section ends, for those who wait for it: they need the end of that one, and not of a later one of its context.
 * By what does not depend on the order in which contexts run.
 */
const endPart = ({ context, nth }: Section): number => itemPart(context.id * 13 + nth);

const EPOCH: LockClass = { name: 'net_epoch', kind: 'epoch' };

export class Epoch extends SharedObject {
  private readonly witness: Witness;
  private readonly callbacks: Callbacks;
  private readonly open = new Map<Context, Section>();
  /** How many sections each context has had. */
  private readonly counts = new Map<Context, number>();
  /** Of the ends of sections, for footprints. */
  private readonly ends: number;

  constructor(sim: Simulation, witness: Witness) {
    super(sim, 'net_epoch');
    this.witness = witness;
    this.ends = sim.newPlace();
    this.callbacks = new Callbacks(sim, this);
    sim.spawn('epoch callbacks', 'guest', this.callbacks.loop(), { daemon: true });
  }

  /** NET_EPOCH_ENTER(). Sections nest. */
  enter(): Operation<void> {
    return new Operation(this, 'enter');
  }

  exit(): Operation<void> {
    return new Operation(this, 'exit');
  }

  /** NET_EPOCH_WAIT(): until all sections that are open now have ended. */
  *wait(): Task {
    const open = yield* new Operation<Sections>(this, 'look');
    if (open.length > 0) yield* new Operation(this, 'wait', open);
  }

  /** NET_EPOCH_CALL(): `body` runs in a context of its own when all sections that are open now have ended. */
  *call(name: string, body: () => Task): Task {
    const after = yield* new Operation<Sections>(this, 'look');
    yield* this.callbacks.add({ name, body, after });
  }

  /** NET_EPOCH_DRAIN_CALLBACKS(): until every callback that waits now has run. */
  *drain(): Task {
    const last = yield* this.callbacks.last();
    if (last > 0) yield* this.callbacks.until(last);
  }

  /** Whether the context at hand is in a section. */
  get isInside(): boolean {
    const { current } = this.sim;
    return current !== undefined && this.open.has(current);
  }

  isOver(sections: Sections): boolean {
    return sections.every(({ depth }) => depth === 0);
  }

  /** For an operation that runs only when these have ended. */
  touchEndOf(sections: Sections, footprint: Footprint): void {
    for (const section of sections) footprint.need(this.ends, endPart(section));
  }

  override heldBy(): Context | undefined {
    return this.open.keys().next().value;
  }

  enabled({ kind, arg }: Operation): boolean {
    return kind !== 'wait' || this.isOver(arg as Sections);
  }

  perform({ kind }: Operation, context: Context): Sections | undefined {
    if (kind === 'enter') this.begin(context);
    else if (kind === 'exit') this.end(context);
    else if (kind === 'look') return [...this.open.values()];
    return undefined;
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { current } = this.sim;
    if (kind === 'look') {
      for (let part = 0; part < PRESENCE_PARTS; part++) footprint.read(this.place, itemPart(part));
    } else if (kind === 'wait') {
      this.touchEndOf(arg as Sections, footprint);
    } else if (current !== undefined) {
      footprint.write(this.place, itemPart(current.id % PRESENCE_PARTS));
      const section = this.open.get(current);
      if (kind === 'exit' && section?.depth === 1) this.touchEnd(section, footprint);
    }
  }

  private touchEnd(section: Section, footprint: Footprint): void {
    const part = endPart(section);
    const isShared = this.waitedFor().some((other) => other !== section && endPart(other) === part);
    footprint.giveAlone(this.ends, part, isShared);
  }

  private waitedFor(): readonly Section[] {
    const waits = this.pending.flatMap(({ operation }) =>
      operation?.kind === 'wait' ? (operation.arg as Sections) : [],
    );
    return [...waits, ...this.callbacks.waitedFor()];
  }

  peek(): number {
    return this.open.size;
  }

  /** Callbacks of which somebody waits for the end look again when a section ends. */
  private end(context: Context): void {
    const section = this.open.get(context);
    if (section === undefined) throw new InvariantError(`${context.name} leaves an epoch section that it is not in`);
    this.witness.released(context, EPOCH);
    if (--section.depth > 0) return;
    this.open.delete(context);
    this.callbacks.look();
  }

  private begin(context: Context): void {
    this.witness.taken(context, EPOCH);
    const section = this.open.get(context);
    if (section !== undefined) {
      section.depth++;
      return;
    }
    const nth = this.counts.get(context) ?? 0;
    this.counts.set(context, nth + 1);
    this.open.set(context, { context, nth, depth: 1 });
  }
}

/** Callbacks that wait for their grace period, first come first served. */
class Callbacks extends SharedObject {
  private readonly epoch: Epoch;
  private readonly waiting: Callback[] = [];
  private added = 0;
  private done = 0;
  /** Of the ends of callbacks, for footprints. */
  private readonly ends: number;

  constructor(sim: Simulation, epoch: Epoch) {
    super(sim, 'epoch callbacks');
    this.epoch = epoch;
    this.ends = sim.newPlace();
  }

  add(callback: Callback): Operation<void> {
    return new Operation(this, 'add', callback);
  }

  /** Number of the last one that was added. */
  last(): Operation<number> {
    return new Operation(this, 'last');
  }

  until(number: number): Operation<void> {
    return new Operation(this, 'until', number);
  }

  look(): void {
    this.changed();
  }

  /** Sections whose end a callback waits for, also one that is about to be added. */
  waitedFor(): readonly Section[] {
    const coming = this.pending.flatMap(({ operation }) =>
      operation?.kind === 'add' ? (operation.arg as Callback).after : [],
    );
    return [...coming, ...this.waiting.flatMap(({ after }) => after)];
  }

  enabled({ kind, arg }: Operation): boolean {
    if (kind === 'until') return this.done >= (arg as number);
    if (kind !== 'take') return true;
    const first = this.waiting[0];
    return first !== undefined && this.epoch.isOver(first.after);
  }

  perform({ kind, arg }: Operation): Callback | number | undefined {
    switch (kind) {
      case 'add':
        this.waiting.push(arg as Callback);
        this.added++;
        return undefined;
      case 'last':
        return this.done === this.added ? 0 : this.added;
      case 'take':
        return this.waiting.shift();
      case 'finish':
        this.done++;
        return undefined;
      default:
        return undefined;
    }
  }

  override touch({ kind, arg }: Operation, footprint: Footprint): void {
    const { place } = this;
    switch (kind) {
      case 'add':
        footprint.write(place);
        footprint.put(place, this.added, this.waiting.length);
        break;
      case 'take':
        footprint.need(place, itemPart(this.added - this.waiting.length));
        this.epoch.touchEndOf(this.waiting[0]?.after ?? [], footprint);
        break;
      case 'until':
        footprint.need(this.ends, itemPart(arg as number));
        break;
      case 'finish':
        footprint.write(place, HEAD);
        this.touchEnd(this.done + 1, footprint);
        break;
      default:
        // Who asks for the last one sees also how many are done.
        footprint.read(place);
        footprint.read(place, HEAD);
    }
  }

  peek(): number {
    return this.waiting.length;
  }

  private touchEnd(number: number, footprint: Footprint): void {
    const part = itemPart(number);
    const isAnother = ({ operation }: Context): boolean =>
      operation?.kind === 'until' && operation.arg !== number && itemPart(operation.arg as number) === part;
    footprint.giveAlone(this.ends, part, this.pending.some(isAnother));
  }

  *loop(): Task {
    for (;;) {
      const callback = yield* new Operation<Callback>(this, 'take');
      yield* callback.body();
      yield* new Operation<void>(this, 'finish');
    }
  }
}
