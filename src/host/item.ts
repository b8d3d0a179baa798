/**
 * What host workers tell each other and themselves, and what they do to the bus: plain records all, so that a worker
 * can be saved between any two of them.
 */
import type { Guid } from '../base/guid.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { BusItem } from '../bus/mailbox.ts';
import type { AnyProtocol, Payload } from '../bus/memory.ts';
import type { PciIdentity } from '../bus/pci-function.ts';
import type { EventBody, Path } from '../trace/event.ts';
import { NVSP, NVSP_COMPLETION, type NvspMessage } from '../wire/nvsp.ts';
import type { RingPacketHead } from '../wire/ring-packet.ts';
import type { RndisControl } from '../wire/rndis.ts';
import type { VmbusMessage } from '../wire/vmbus.ts';
import { VPCI, type VpciMessage } from '../wire/vpci.ts';
import type { HostAction, RevokeOrder, VfChoice } from './action.ts';
import { VPCI_ANSWER } from './vpci-answer.ts';

/** A channel of a device that the VMBus server shall offer. */
export interface ChannelOffer {
  readonly dev: string;
  readonly owner: string;
  readonly interfaceType: Guid;
  readonly instance: Guid;
}

/** A channel that the guest has opened; `session` tells this opening from earlier ones. */
export interface OpenChannel {
  readonly dev: string;
  readonly relid: number;
  readonly firstPfn: number;
  readonly session: number;
}

/** A stream that a station on the switch sends towards a NIC. */
export interface StreamPlan {
  readonly flow: string;
  readonly nic: string;
  readonly every: Nanoseconds;
  /** Bytes of a frame, Ethernet header included. */
  readonly bytes: number;
}

/** A flow whose frames are pings of the guest's own to the station on the switch. */
export interface PingPlan {
  readonly flow: string;
  readonly nic: string;
}

export type HostItem =
  | BusItem
  /** A timer of the worker's own has fired. */
  | { readonly what: 'timer'; readonly token: number }
  | { readonly what: 'action'; readonly action: HostAction; readonly ticket: number }
  // -- a worker to itself, after the time that an answer takes --
  | { readonly what: 'vmbus-due'; readonly message: VmbusMessage }
  | { readonly what: 'gpadl-due'; readonly gpadl: number }
  | { readonly what: 'nvsp-due'; readonly session: number; readonly head: RequestHead; readonly message: NvspMessage }
  | { readonly what: 'rndis-due'; readonly session: number; readonly message: RndisControl }
  | { readonly what: 'vpci-due'; readonly session: number; readonly head: RequestHead; readonly message: VpciMessage }
  /** A message to the guest that was held back. */
  | { readonly what: 'send-due'; readonly dev: string; readonly delivery: Delivery }
  | { readonly what: 'path-due' }
  | { readonly what: 'vf-offer-due' }
  | { readonly what: 'eject-limit' }
  | { readonly what: 'disassociate-due' }
  | { readonly what: 'rescind-due' }
  | { readonly what: 'gap-over' }
  | { readonly what: 'return-limit' }
  | { readonly what: 'stream-due'; readonly flow: string }
  // -- owner of a device to the VMBus server, and back --
  | { readonly what: 'offer'; readonly offer: ChannelOffer }
  | { readonly what: 'rescind'; readonly dev: string }
  | { readonly what: 'opened'; readonly channel: OpenChannel }
  | { readonly what: 'closed'; readonly dev: string }
  /** The guest has let go of the channel: it can be offered again. */
  | { readonly what: 'released'; readonly dev: string }
  // -- NIC and switch --
  | { readonly what: 'egress'; readonly port: string; readonly frames: readonly Uint8Array[] }
  | { readonly what: 'ingress'; readonly frame: Uint8Array }
  | { readonly what: 'path'; readonly port: string; readonly path: Path }
  | { readonly what: 'start-stream'; readonly stream: StreamPlan }
  | { readonly what: 'stop-stream'; readonly flow: string }
  | { readonly what: 'count-pings'; readonly pings: PingPlan }
  // -- servicing and NIC --
  | { readonly what: 'has-vf?' }
  | { readonly what: 'has-vf'; readonly nic: string; readonly has: boolean }
  | { readonly what: 'service-revoke'; readonly order: RevokeOrder }
  | ({ readonly what: 'service-return' } & VfChoice)
  | { readonly what: 'vf-gone'; readonly nic: string }
  | { readonly what: 'vf-carrying'; readonly nic: string };

/** What of a request decides how it is answered. */
export interface RequestHead {
  readonly transactionId: bigint;
  readonly completionRequested: boolean;
}

/** How the payload of a packet is encoded, by name: a record has no code in it. */
export const CODECS = {
  nvsp: NVSP,
  nvspCompletion: NVSP_COMPLETION,
  vpci: VPCI,
  vpciCompletion: VPCI_ANSWER,
} as const satisfies Readonly<Record<string, AnyProtocol>>;

export type HostPacket = RingPacketHead & { readonly payload: Payload; readonly codec?: keyof typeof CODECS };

type Act =
  | { readonly to: 'guest'; readonly message: VmbusMessage }
  | { readonly to: 'ring'; readonly channel: OpenChannel; readonly packet: HostPacket; readonly frame?: SentFrame }
  | { readonly to: 'interrupt'; readonly relid: number }
  | { readonly to: 'shut'; readonly firstPfn: number; readonly ring: 'toHost' | 'toGuest' }
  | { readonly to: 'worker'; readonly worker: string; readonly item: HostItem }
  | { readonly to: 'ticket'; readonly ticket: number; readonly refused?: string }
  | { readonly to: 'plug'; readonly fn: string; readonly identity: PciIdentity }
  | { readonly to: 'silence'; readonly fn: string; readonly state: 'dead' | 'absent' }
  | { readonly to: 'doorbell'; readonly fn: string; readonly open: boolean }
  | { readonly to: 'present'; readonly fn: string; readonly present: boolean }
  | { readonly to: 'ejecting'; readonly fn: string; readonly asked: boolean }
  | { readonly to: 'link'; readonly fn: string; readonly up: boolean }
  | { readonly to: 'rx'; readonly fn: string; readonly frame: Uint8Array };

/** A frame on its way into a ring: it is dropped, not kept, when the ring is full. */
export interface SentFrame {
  readonly section: number;
  readonly bytes: Uint8Array;
}

/** One thing that a worker does to one object of the bus, and what is told of it once it is done. */
export type Delivery = Act & { readonly tell?: EventBody };
