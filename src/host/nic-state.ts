/** What the owner of a NIC knows: plain data. */
import type { Path } from '../trace/event.ts';
import type { OpenChannel, RequestHead } from './item.ts';
import type { HostNic } from './plan.ts';

/** Whether the synthetic NIC is there for the guest. */
export type Presence =
  | 'absent'
  | 'offered'
  /** Taken back; the guest has still to release the channel. */
  | 'leaving'
  /** As before, and it is to be offered again at once then. */
  | 'returning';

export interface ReceiveBuffer {
  readonly gpadl: number;
  readonly id: number;
  readonly sections: number;
  /** Sections with numbers from here on were never used. */
  untouched: number;
  /** Sections that the guest has given back, the last one first to be used again. */
  readonly returned: number[];
  /** Which section a packet that the guest has not completed yet lies in, by transaction id. */
  readonly busy: Map<number, number>;
}

export interface NvspSession {
  /** 0 until a version is agreed upon. */
  version: number;
  capabilities: number;
  /** MTU and Ethernet header, as NDIS_CONFIG says. */
  frameMax: number;
  receive: ReceiveBuffer | undefined;
  send: { readonly gpadl: number; readonly bytes: number } | undefined;
  /** RNDIS INITIALIZE was answered, and no HALT has come since. */
  operational: boolean;
  /** OID_GEN_CURRENT_PACKET_FILTER; 0 lets nothing through. */
  filter: number;
  nextTransaction: number;
}

/** A path switch that the guest has asked for and that takes its time. */
export interface Switching {
  readonly token: number;
  readonly to: Path;
  readonly head: RequestHead;
  readonly session: number;
}

/** The PCI side of a VF. */
export type PciPhase =
  /** The guest has no function. */
  | { readonly at: 'none' }
  /** The association is sent; the function is offered when the timer fires. */
  | { readonly at: 'due'; readonly token: number }
  /** Its channel is offered, or will be as soon as the guest asks for offers; or it stands in its slot. */
  | { readonly at: 'offered' }
  /** The guest's PCI driver has opened the channel. */
  | ({ readonly at: 'open' } & VpciSession)
  /** EJECT is sent and EJECTION_COMPLETE is awaited. */
  | ({ readonly at: 'ejecting'; readonly token: number } & VpciSession)
  /** The guest is asked to let go of the slot. */
  | { readonly at: 'unplugging'; readonly token: number }
  /** The channel is taken back and the guest has still to release it; or what is dead stands in its slot. */
  | { readonly at: 'rescinded' };

export interface VpciSession {
  readonly channel: OpenChannel;
  /** 0 until a version is agreed upon. */
  readonly version: number;
  /** The guest was told which functions there are. */
  readonly listed: boolean;
  readonly power: 'd3' | 'd0';
}

/** On its way out: what comes after the function is gone depends on the order. */
export type Leaving =
  /** VF_ASSOCIATION(0) is still to be sent. */
  | 'disassociate-after'
  /** VF_ASSOCIATION(0) was sent before. */
  | 'disassociated-before';

export interface VfState {
  /** The host means the guest to have it: VF_ASSOCIATION is sent to each new session. */
  associated: boolean;
  /** The serial number in the association that the guest was told last; 0 when it was told that there is none. */
  told: number;
  /** The PCI function is to be offered as well. */
  wanted: boolean;
  family: string;
  serial: number;
  pciSerial: number;
  pci: PciPhase;
  leaving: Leaving | undefined;
  /** Servicing wants to hear when the VF is gone or carries. */
  reporting: boolean;
}

/** Frames that came through, for reports. What was lost on the way is not among them. */
export interface Carried {
  fromGuest: number;
  toGuest: number;
}

export interface NicState {
  presence: Presence;
  channel: OpenChannel | undefined;
  nvsp: NvspSession;
  path: Path;
  switching: Switching | undefined;
  link: boolean;
  vf: VfState;
  /** By the path that they took. */
  readonly carried: Readonly<Record<Path, Carried>>;
}

export const newNvsp = (): NvspSession => ({
  version: 0,
  capabilities: 0,
  frameMax: 0,
  receive: undefined,
  send: undefined,
  operational: false,
  filter: 0,
  nextTransaction: 1,
});

export const newNic = (plan: HostNic): NicState => ({
  presence: 'absent',
  channel: undefined,
  nvsp: newNvsp(),
  path: 'synthetic',
  switching: undefined,
  link: true,
  vf: {
    associated: false,
    told: 0,
    wanted: false,
    family: plan.vf ?? '',
    serial: plan.serial,
    pciSerial: plan.pciSerial,
    pci: { at: 'none' },
    leaving: undefined,
    reporting: false,
  },
  carried: { synthetic: { fromGuest: 0, toGuest: 0 }, vf: { fromGuest: 0, toGuest: 0 } },
});
