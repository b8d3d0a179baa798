/**
 * The VMBus server's half of GPADLs: gathers header and bodies, makes the pages known to the bus, answers once.
 * Source: drivers/hv/channel.c, create_gpadl_header(), __vmbus_establish_gpadl(); reference C.3. A GPADL on a channel
 * that is rescinded must succeed, because the guest has not yet seen the rescind (openvmm, anchors 1.6).
 * What this leaves out: lists of several ranges, and limits on what one guest may show.
 */
import { addPages } from '../bus/gpadl.ts';
import type { PageList } from '../wire/page-list.ts';
import type { VmbusMessage } from '../wire/vmbus.ts';
import type { RequestFault } from './fault-points.ts';
import type { HostItem } from './item.ts';
import { FAILURE_STATUS, type ServerChannel, type ServerGpadl, type VmbusState } from './vmbus-state.ts';
import type { Surroundings } from './worker.ts';

type Received<N extends VmbusMessage['name']> = Extract<VmbusMessage, { name: N }>;

const PAGE_SIZE = 4096;
/** struct gpa_range: byte count and offset before the page numbers, 8 bytes each of those. */
const RANGE_HEADER = 8;

/** What it needs of the server around it. */
export interface GpadlServer {
  readonly state: VmbusState;
  readonly around: Surroundings;
  say(message: VmbusMessage, dev?: string): void;
  refuse(dev: string, what: string, why: string): void;
  later(item: HostItem): void;
  failureOf(dev: string, request: string): RequestFault | undefined;
  devOf(relid: number): string;
  channelAt(relid: number): ServerChannel | undefined;
}

export class GpadlKeeper {
  private readonly server: GpadlServer;

  constructor(server: GpadlServer) {
    this.server = server;
  }

  gather(message: Received<'gpadlHeader'> | Received<'gpadlBody'>): void {
    if (this.server.state.connection.at === 'none') {
      this.server.refuse('vmbus', message.name, 'no version is agreed upon');
    } else if (message.name === 'gpadlHeader') {
      this.begin(message);
    } else {
      this.goOn(message);
    }
  }

  /** All pages are there, and the time that an answer takes is over. */
  answer(handle: number): void {
    const gpadl = this.find(handle);
    // Torn down, or its channel released, in the meantime.
    if (gpadl === undefined || gpadl.established) return;
    const { relid, pages } = gpadl;
    const failing = this.server.failureOf(this.server.devOf(relid), 'gpadlHeader');
    if (failing?.status !== undefined) {
      this.drop(handle);
      this.created(relid, handle, failing.status);
    } else if (this.server.around.bus.gpadls.establish(handle, pages)) {
      gpadl.established = true;
      gpadl.pages = [];
      this.created(relid, handle, 0);
    } else {
      this.drop(handle);
      this.refuse(relid, handle, 'the pages make no sense');
    }
  }

  teardown({ gpadl: handle, childRelid }: Received<'gpadlTeardown'>): void {
    const gpadl = this.find(handle);
    if (gpadl === undefined || gpadl.relid !== childRelid) {
      this.server.refuse(this.server.devOf(childRelid), 'gpadlTeardown', 'the channel has no such GPADL');
      return;
    }
    this.drop(handle);
    this.server.say({ name: 'gpadlTorndown', gpadl: handle }, this.server.devOf(childRelid));
  }

  isFor(handle: number, relid: number): boolean {
    const gpadl = this.find(handle);
    return gpadl?.established === true && gpadl.relid === relid;
  }

  /** A channel is gone, and with it what was shown for it. */
  forget(relid: number): void {
    for (const gpadl of [...this.server.state.gpadls.values()]) if (gpadl.relid === relid) this.drop(gpadl.handle);
  }

  private begin(header: Received<'gpadlHeader'>): void {
    const { childRelid: relid, gpadl: handle, byteCount, pfns } = header;
    const problem = this.problemWith(header);
    if (problem !== undefined) {
      this.refuse(relid, handle, problem);
      return;
    }
    const wanted = Math.ceil(byteCount / PAGE_SIZE);
    const gpadl: ServerGpadl = { handle, relid, wanted, received: 0, pages: [], established: false };
    this.server.state.gpadls.set(handle, gpadl);
    this.add(gpadl, pfns);
  }

  private problemWith(header: Received<'gpadlHeader'>): string | undefined {
    const { childRelid, gpadl, rangeBuflen, rangeCount, byteCount, byteOffset, pfns } = header;
    const channel = this.server.channelAt(childRelid);
    if (channel === undefined || channel.offer === 'kept') return 'no such channel is offered';
    if (this.find(gpadl) !== undefined) return 'the handle is taken';
    if (rangeCount !== 1 || byteOffset !== 0) return 'one range of whole pages is modelled';
    const wanted = Math.ceil(byteCount / PAGE_SIZE);
    const isConsistent = wanted > 0 && rangeBuflen === RANGE_HEADER + 8 * wanted && pfns.length <= wanted;
    return isConsistent ? undefined : `${rangeBuflen} bytes of list for ${byteCount} bytes of memory`;
  }

  private goOn({ gpadl: handle, pfns }: Received<'gpadlBody'>): void {
    const gpadl = this.find(handle);
    if (gpadl === undefined || gpadl.established || gpadl.received >= gpadl.wanted) {
      this.server.refuse('vmbus', 'gpadlBody', 'no GPADL waits for it');
      return;
    }
    this.add(gpadl, pfns);
  }

  private add(gpadl: ServerGpadl, pfns: PageList): void {
    const count = Math.min(pfns.length, gpadl.wanted - gpadl.received);
    addPages(gpadl.pages, pfns, count);
    gpadl.received += count;
    if (gpadl.received === gpadl.wanted) this.server.later({ what: 'gpadl-due', gpadl: gpadl.handle });
  }

  private created(childRelid: number, gpadl: number, status: number): void {
    this.server.say({ name: 'gpadlCreated', childRelid, gpadl, status }, this.server.devOf(childRelid));
  }

  private refuse(relid: number, handle: number, why: string): void {
    this.server.refuse(this.server.devOf(relid), 'gpadlHeader', why);
    this.created(relid, handle, FAILURE_STATUS);
  }

  private find(handle: number): ServerGpadl | undefined {
    return this.server.state.gpadls.get(handle);
  }

  private drop(handle: number): void {
    if (this.find(handle)?.established === true) this.server.around.bus.gpadls.teardown(handle);
    this.server.state.gpadls.delete(handle);
  }
}
