/** What a machine is made from: plain data. The catalogue of devices and the profiles are looked up by name. */
import type { MacAddress } from '../base/mac.ts';
import type { Nanoseconds } from '../base/time.ts';

/** One synthetic NIC of the virtual machine, and the VF that may stand beside it. */
export interface NicPlan {
  /** The scenario's name: `nic1`. Its VF is `nic1.vf`. */
  readonly name: string;
  readonly mac: MacAddress;
  /** Model of the VF, when the host has one for this NIC. */
  readonly vf: string | undefined;
  /** Generation of the synthetic NIC. */
  readonly synthetic: string;
  /** Serial number in VF_ASSOCIATION, and in the VF's PCI description unless {@link pciSerial} differs. Never 0. */
  readonly serial: number;
  /** Serial number in the PCI description, where the host crosses or garbles them. */
  readonly pciSerial: number;
}

export interface Plan {
  /** Guest profile: `linux-6.12`. */
  readonly guest: string;
  /** Fixes (reference B.12) switched on or off against the profile, by name. */
  readonly fixes: Readonly<Record<string, boolean>>;
  readonly nics: readonly NicPlan[];
  /** Modelled observers by name: `udev`, `manager`, `cloud-init-22.4`. */
  readonly user: readonly string[];
  /** Modules that are loaded before the first step, in this order. */
  readonly modules: readonly string[];
  /** Rows of the latency table that this run changes. */
  readonly latency: Readonly<Record<string, Nanoseconds>>;
  readonly transport: 'direct' | 'bytes';
}
