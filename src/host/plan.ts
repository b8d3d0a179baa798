/** What a host is made from: plain data, and the device models that it names. */
import { assert } from '../base/assert.ts';
import { type Guid, guid } from '../base/guid.ts';
import type { MacAddress } from '../base/mac.ts';
import type { SyntheticModel, VfModel } from '../device-kit.ts';

/** One synthetic NIC and the VF that may stand beside it. */
export interface HostNic {
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

/**
 * The slots of the machine's own PCI bus that VFs come into, as hypervisors with an ACPI hot-plug controller do it: of
 * serial number 1 first. There the guest is told the slot's number in the place of the serial number, for it finds a VF
 * by comparing the two.
 */
export type VfSlots = readonly number[];

export interface HostPlan {
  readonly nics: readonly HostNic[];
  /** Without them a VF comes as a channel of VMBus with a PCI bus behind it. */
  readonly vfSlots?: VfSlots;
}

/** Why no VF can have that serial number; undefined when one can. */
export function whyNoSerial(serial: number, slots: VfSlots | undefined): string | undefined {
  if (serial === 0) return 'a serial number is never 0';
  const isFar = slots !== undefined && serial > slots.length;
  return isFar ? `there is no slot for serial number ${serial}, but for 1 to ${slots.length}` : undefined;
}

/** The devices that there are; `devices/` is known to the edge only, which hands it down. */
export interface Catalogue {
  readonly vfs: readonly VfModel[];
  readonly synthetics: readonly SyntheticModel[];
}

/** The VF of a NIC, as scenarios call it. */
export const vfOf = (nic: string): string => `${nic}.vf`;
/** The worker that owns a NIC, its VF and their channels. */
export const workerOf = (nic: string): string => `host.${nic}`;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Stable for a NIC's place in the plan, as a real instance GUID is stable over servicing. The pattern is invented. */
export const nicInstance = (index: number): Guid => guid(`6e657473-${hex(index + 1, 4)}-4e49-8000-000000000001`);

/**
 * The second group is what a Linux guest makes the PCI domain from (bytes 5 and 4; pci-hyperv.c,
 * hv_pci_probe()): 1, 2, 3... here, never 0. The rest is invented.
 */
export const vfInstance = (index: number): Guid => guid(`70636976-${hex(index + 1, 4)}-4e49-8000-000000000002`);

export function findVf(catalogue: Catalogue, name: string): VfModel {
  const model = catalogue.vfs.find((one) => one.name === name);
  assert(model !== undefined, `no VF model is called ${name}`);
  return model;
}

export function findSynthetic(catalogue: Catalogue, name: string): SyntheticModel {
  const model = catalogue.synthetics.find((one) => one.name === name);
  assert(model !== undefined, `no synthetic NIC is called ${name}`);
  return model;
}

/** Workers that there is one of. */
export const VMBUS = 'host.vmbus';
export const SWITCH = 'host.switch';
export const SERVICING = 'host.servicing';
