/** What the VMBus server knows: plain data. */
import type { Run } from '../bus/gpadl.ts';
import type { ChannelOffer, OpenChannel } from './item.ts';

/** STATUS_UNSUCCESSFUL. A guest looks whether it is zero, and no further (reference C.1, error mapping). */
export const FAILURE_STATUS = 0xc000_0001;

export type Connection =
  /** Nobody has made contact, or the guest has unloaded. */
  | { readonly at: 'none' }
  /** A version is agreed upon; `offersAsked` once the guest wants to know what there is. */
  | { readonly at: 'made'; readonly version: number; readonly offersAsked: boolean };

/** How far a channel's offer has come. */
export type OfferState =
  /** The guest has not asked yet. */
  | 'kept'
  | 'told'
  /** Taken back; the guest has still to release the relid. */
  | 'rescinded';

export interface ServerChannel extends ChannelOffer {
  readonly relid: number;
  offer: OfferState;
  open: OpenChannel | undefined;
}

/** A GPADL from its header on. */
export interface ServerGpadl {
  readonly handle: number;
  readonly relid: number;
  /** All pages that the header has announced. */
  readonly wanted: number;
  /** Those that have come: how many, and which; none any more once it is established, for then the bus knows them. */
  received: number;
  pages: Run[];
  /** All pages are known and the answer is given. */
  established: boolean;
}

export interface VmbusState {
  connection: Connection;
  /** By relid, in the order of the offers. */
  readonly channels: Map<number, ServerChannel>;
  /** Numbers that were given out once and are free again, the lowest last; all from `nextRelid` on were never used. */
  readonly freeRelids: number[];
  nextRelid: number;
  /** By handle. */
  readonly gpadls: Map<number, ServerGpadl>;
  nextSession: number;
}

export const emptyVmbus = (): VmbusState => ({
  connection: { at: 'none' },
  channels: new Map(),
  freeRelids: [],
  nextRelid: 1,
  gpadls: new Map(),
  nextSession: 1,
});
