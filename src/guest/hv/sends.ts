/**
 * A NIC's frames on their way to the host by the synthetic path, and the send sections that they lie in: send_section_map,
 * queue_sends and wait_drain of Linux's struct netvsc_device, hn_chim_bmap of FreeBSD's, as one object.
 * Source: Linux drivers/net/hyperv/netvsc.c (netvsc_get_next_send_section(), netvsc_send_tx_complete()), rndis_filter.c
 * (rndis_filter_halt_device()); FreeBSD sys/dev/hyperv/netvsc/if_hn.c (hn_chim_alloc(), hn_txeof_task()).
 * While a frame is out its session stays, so whoever has begun a send may look at the session as it is.
 */
import { LowestFree } from '../../base/index-table.ts';
import { Operation, SharedObject } from '../../sim/operation.ts';

export class Sends extends SharedObject {
  private sections = new LowestFree();
  /** The section of each frame, by its transaction. */
  private readonly inFlight = new Map<bigint, number>();
  /** How many sections there are: none without a session, or when it is about to end (nvdev->destroy). */
  private count = 0;

  /** A session begins that has so many sections. */
  open(count: number): Operation<void> {
    return new Operation(this, 'open', count);
  }

  /** A section for the frame that goes out as this transaction; undefined when all are in use, or at the end. */
  begin(transaction: bigint): Operation<number | undefined> {
    return new Operation(this, 'beginSend', transaction);
  }

  /** The host has the frame, or it never went; false when there is no such frame. */
  end(transaction: bigint): Operation<boolean> {
    return new Operation(this, 'endSend', transaction);
  }

  /** Nothing more is sent. */
  destroy(): Operation<void> {
    return new Operation(this, 'destroy');
  }

  /** How many frames are on their way: for whoever polls, because he waits for something else too. */
  get onTheirWay(): number {
    this.sim.footprint?.read(this.place);
    return this.inFlight.size;
  }

  /** wait_drain: until no frame is on its way, without a limit. */
  drained(): Operation<void> {
    return new Operation(this, 'drained');
  }

  enabled(operation: Operation): boolean {
    return operation.kind !== 'drained' || this.inFlight.size === 0;
  }

  perform(operation: Operation): number | boolean | undefined {
    switch (operation.kind) {
      case 'beginSend': {
        const section = this.sections.take(this.count);
        if (section !== undefined) this.inFlight.set(operation.arg as bigint, section);
        return section;
      }
      case 'endSend': {
        const section = this.inFlight.get(operation.arg as bigint);
        if (section === undefined) return false;
        this.inFlight.delete(operation.arg as bigint);
        this.sections.free(section);
        return true;
      }
      case 'destroy':
        this.count = 0;
        return undefined;
      case 'open':
        this.sections = new LowestFree();
        this.count = operation.arg as number;
        return undefined;
      default:
        return undefined;
    }
  }

  peek(): string {
    return `${this.inFlight.size} on their way${this.count === 0 ? ', the last ones' : ''}`;
  }
}
