/**
 * Channel interrupts, host to guest: by relid, to whichever bell the guest's driver has hung up for it. A signal that
 * finds no bell is kept, as the bit in the event-flag page would be.
 * Source: Hypervisor Top Level Functional Specification, "SynIC event flags"; drivers/hv/connection.c.
 */
import type { Doorbell } from '../sim/doorbell.ts';
import { type Footprint, itemPart } from '../sim/footprint.ts';
import { Operation, SharedObject } from '../sim/operation.ts';
import type { Simulation } from '../sim/simulation.ts';

/** The flags of channels to which nobody listens yet. */
export class EventFlags extends SharedObject {
  private readonly raised = new Set<number>();
  private readonly bells = new Map<number, Doorbell>();

  constructor(sim: Simulation) {
    super(sim, 'event flags');
  }

  /** Where a real CPU is told of a channel's signal; it then has bits and vectors of its own. */
  onRaise: ((relid: number) => void) | undefined;

  listen(relid: number, bell: Doorbell): void {
    this.sim.footprint?.write(this.place, itemPart(relid));
    this.bells.set(relid, bell);
    if (this.raised.delete(relid)) bell.inject();
  }

  unlisten(relid: number): void {
    this.sim.footprint?.write(this.place, itemPart(relid));
    this.bells.delete(relid);
  }

  interrupt(relid: number): Operation<void> {
    this.sim.footprint?.read(this.place, itemPart(relid));
    return this.bells.get(relid)?.ring() ?? new Operation<void>(this, 'raise', relid);
  }

  enabled(): boolean {
    return true;
  }

  perform(operation: Operation): void {
    const relid = operation.arg as number;
    const bell = this.bells.get(relid);
    if (this.onRaise !== undefined) this.onRaise(relid);
    // A bell that was hung up between the making of the operation and its turn.
    else if (bell !== undefined) bell.inject();
    else this.raised.add(relid);
  }

  override touch(operation: Operation, footprint: Footprint): void {
    footprint.write(this.place, itemPart(operation.arg as number));
  }

  peek(): number {
    return this.raised.size;
  }

  save(): readonly number[] {
    return [...this.raised];
  }

  restore(record: readonly number[]): void {
    this.raised.clear();
    for (const relid of record) this.raised.add(relid);
  }
}
