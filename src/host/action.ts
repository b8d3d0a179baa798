/** What an operator can make the host do: plain data, the same for scenarios, drills, tests and the API. */
import type { Nanoseconds } from '../base/time.ts';
import type { HostFault } from './fault-points.ts';

/**
 * The order in which a VF is taken away (reference C.9).
 * `eject-first`: EJECT, wait for the guest, rescind, then VF_ASSOCIATION(0), as Azure's logs show it.
 * `assoc-first`: data path back and VF_ASSOCIATION(0), then EJECT and rescind, as openvmm does it.
 * `surprise`: the device dies and its channel is rescinded without an EJECT.
 */
export type RevokeOrder = 'eject-first' | 'assoc-first' | 'surprise';
export const REVOKE_ORDERS: readonly RevokeOrder[] = ['eject-first', 'assoc-first', 'surprise'];

/** How a VF comes back: another family or serial number than before, where given. */
export interface VfChoice {
  readonly family?: string;
  readonly serial?: number;
}

/**
 * A frame that nobody in the guest has asked for: a datagram, the first fragment of one whose others never come, or a
 * router's question who is in which multicast group.
 */
export type Stray = 'frame' | 'fragment' | 'query';

export type HostAction =
  | { readonly do: 'offer'; readonly nic: string }
  | { readonly do: 'rescind'; readonly nic: string }
  /** VF_ASSOCIATION(1), then after the model's delay the PCI channel: the usual arrival. */
  | ({ readonly do: 'plug-vf'; readonly nic: string } & VfChoice)
  /** Only the message. */
  | { readonly do: 'associate'; readonly nic: string }
  | { readonly do: 'disassociate'; readonly nic: string }
  /** Only the PCI channel. */
  | ({ readonly do: 'offer-vf'; readonly nic: string } & VfChoice)
  | { readonly do: 'revoke-vf'; readonly nic: string; readonly order: RevokeOrder }
  | { readonly do: 'vf-link'; readonly nic: string; readonly up: boolean }
  | { readonly do: 'nic-link'; readonly nic: string; readonly up: boolean }
  | { readonly do: 'send-frame'; readonly nic: string; readonly what: Stray }
  | { readonly do: 'arm-fault'; readonly nic: string; readonly fault: HostFault }
  /** Ends a silence. */
  | { readonly do: 'answer-again'; readonly nic: string; readonly dev: string }
  | ({
      readonly do: 'update-firmware';
      readonly order: RevokeOrder;
      /** From the revoke until the VFs come back. */
      readonly gap: Nanoseconds;
      /** How often, one after the other. */
      readonly times: number;
      /** `different`: the VF comes back with the next free serial number. */
      readonly serial: 'same' | 'different';
    } & Pick<VfChoice, 'family'>);
