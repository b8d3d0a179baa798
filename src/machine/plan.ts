/** What a machine is made from: plain data. The catalogue of devices and the profiles are looked up by name. */
import type { Nanoseconds } from '../base/time.ts';
import type { HostNic } from '../host/plan.ts';

/** One synthetic NIC of the virtual machine, and the VF that may stand beside it. */
export type NicPlan = HostNic;

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
