/**
 * A ring that keeps the messages themselves: what `direct` puts in the place of bytes. Sizes are counted as if they
 * were encoded, so that it is full when the other one is.
 */
import { assert } from '../base/assert.ts';
import { PAGE_SIZE } from './memory.ts';
import type { ReadPacket, RingPacket } from './packet.ts';
import type { RingStore } from './ring.ts';

interface Stored {
  readonly packet: ReadPacket;
  readonly size: number;
}

interface RingValuesRecord {
  readonly packets: readonly Stored[];
  readonly masked: boolean;
  readonly pendingSize: number;
}

export class RingValues implements RingStore {
  readonly dataSize: number;
  readonly featurePending = true;
  masked = false;
  pendingSize = 0;
  private packets: Stored[] = [];
  private bytes = 0;

  constructor(pages: number) {
    this.dataSize = (pages - 1) * PAGE_SIZE;
  }

  reset(): void {
    this.restore({ packets: [], masked: false, pendingSize: 0 });
  }

  used(): number {
    return this.bytes;
  }

  push(packet: RingPacket, size: number): void {
    this.packets.push({ packet: packet as ReadPacket, size });
    this.bytes += size;
  }

  pop(): ReadPacket {
    const first = this.packets.shift();
    assert(first !== undefined, 'an empty ring is read');
    this.bytes -= first.size;
    return first.packet;
  }

  save(): RingValuesRecord {
    return { packets: this.packets.map(withoutProtocol), masked: this.masked, pendingSize: this.pendingSize };
  }

  restore(record: unknown): void {
    const { packets, masked, pendingSize } = record as RingValuesRecord;
    this.packets = [...packets];
    this.bytes = packets.reduce((sum, { size }) => sum + size, 0);
    this.masked = masked;
    this.pendingSize = pendingSize;
  }
}

/** The protocol is code, and what is saved must be a record; who reads the packet knows it anyway. */
function withoutProtocol({ packet, size }: Stored): Stored {
  const { protocol: _, ...record } = packet as RingPacket;
  return { packet: record as ReadPacket, size };
}
