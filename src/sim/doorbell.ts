import type { Footprint } from './footprint.ts';
import { Operation, SharedObject } from './operation.ts';

/** One bell a worker: all that the worker serves ring it, and many rings before it wakes are one. */
export class Doorbell extends SharedObject {
  private rung = false;

  ring(): Operation<void> {
    return new Operation(this, 'ring');
  }

  /** Waits until it rings, and takes the ring away. */
  wait(): Operation<void> {
    return new Operation(this, 'heed');
  }

  /** Takes a ring away, if there is one, without waiting. */
  silence(): Operation<void> {
    return new Operation(this, 'silence');
  }

  /** Rings from outside of all contexts, or as a part of another object's operation. */
  inject(): void {
    if (this.sim.footprint !== undefined) this.touchRing(this.sim.footprint);
    this.rung = true;
    this.changed();
  }

  enabled(operation: Operation): boolean {
    return operation.kind !== 'heed' || this.rung;
  }

  perform(operation: Operation): void {
    this.rung = operation.kind === 'ring';
  }

  override touch(operation: Operation, footprint: Footprint): void {
    if (operation.kind === 'heed') footprint.need(this.place);
    else if (operation.kind === 'ring') this.touchRing(footprint);
    else footprint.write(this.place);
  }

  peek(): boolean {
    return this.rung;
  }

  private touchRing(footprint: Footprint): void {
    if (this.rung) footprint.write(this.place);
    else footprint.give(this.place);
  }
}
