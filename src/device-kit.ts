/**
 * What a device model is: a record. Behaviour is written once, in the host and in the guests; a model says with which
 * numbers. `devices/README.md` is the recipe for a new one. The types here are all that a file in `devices/` imports.
 */
import { assert } from './base/assert.ts';
import type { Nanoseconds } from './base/time.ts';

export { ms, seconds, us } from './base/time.ts';
export type { Nanoseconds };

/** Where each number comes from: documents, source files, or the word `invented`. */
export type Sources = readonly [string, ...string[]];

/** An SR-IOV virtual function: one PCI function that the host hands to the guest beside a synthetic NIC. */
export interface VfModel {
  /** How scenarios call it: `mlx5`. Lower case, digits and dashes. */
  readonly name: string;
  /** One line for `netvsim list`. */
  readonly summary: string;
  readonly sources: Sources;
  /** What config space answers. Which driver takes the function is the guest's table, by vendor and device. */
  readonly pci: {
    readonly vendor: number;
    readonly device: number;
    readonly revision: number;
    /** Bytes of its memory windows; a power of two each, at most six. */
    readonly barSizes: readonly number[];
  };
  readonly msixVectors: number;
  /** Bytes that a frame may have above its Ethernet header. */
  readonly mtu: { readonly min: number; readonly max: number };
  readonly timing: {
    /** From the driver's first touch until it calls `register_netdev`: firmware and queue set-up. */
    readonly probe: Nanoseconds;
    /** From `ndo_open` until the link is up. */
    readonly link: Nanoseconds;
    /** What `ndo_stop` takes: queues drained and torn down. */
    readonly stop: Nanoseconds;
  };
}

/** A generation of the synthetic NIC: what the host side of netvsc offers and how quickly it answers. */
export interface SyntheticModel {
  readonly name: string;
  readonly summary: string;
  readonly sources: Sources;
  /** Highest versions the host accepts, as the wire has them. */
  readonly versions: { readonly vmbus: number; readonly nvsp: number; readonly vpci: number };
  readonly receiveBuffer: { readonly sectionBytes: number };
  readonly sendBuffer: { readonly sectionBytes: number };
  readonly mtuMax: number;
  /** What RNDIS reports, in units of 100 bit/s. */
  readonly linkSpeed100bps: number;
  readonly timing: {
    /** From the VF association until the VF's PCI channel is offered, when the guest does not ask for it earlier. */
    readonly vfOffer: Nanoseconds;
    /** What moving the host's filter to the other path takes. */
    readonly switchDatapath: Nanoseconds;
    /** From the VF's departure until `VF_ASSOCIATION(0)`, where the host sends it after the eject. */
    readonly disassociate: Nanoseconds;
  };
}

/** A VF model, checked where it is written. */
export function defineVf(model: VfModel): VfModel {
  checkName(model.name, model.sources);
  assert(model.pci.barSizes.length <= 6, `${model.name}: a PCI function has at most six BARs`);
  for (const size of model.pci.barSizes) {
    assert(size >= 16 && Number.isInteger(Math.log2(size)), `${model.name}: a BAR of ${size} bytes is no power of two`);
  }
  for (const [what, id] of Object.entries({ vendor: model.pci.vendor, device: model.pci.device })) {
    assert(Number.isInteger(id) && id > 0 && id < 0xffff, `${model.name}: ${what} ${id} is no PCI id`);
  }
  assert(
    model.mtu.min >= 68 && model.mtu.max >= model.mtu.min,
    `${model.name}: MTU ${model.mtu.min}..${model.mtu.max}`,
  );
  checkTiming(model.name, model.timing);
  return model;
}

/** A synthetic-NIC generation, checked where it is written. */
export function defineSynthetic(model: SyntheticModel): SyntheticModel {
  checkName(model.name, model.sources);
  checkTiming(model.name, model.timing);
  return model;
}

function checkName(name: string, sources: Sources): void {
  assert(/^[a-z][a-z0-9-]*$/.test(name), `"${name}" is no device name: lower case, digits and dashes`);
  assert(
    sources.every((source) => source.trim() !== ''),
    `${name}: a source is empty`,
  );
}

function checkTiming(name: string, timing: Readonly<Record<string, Nanoseconds>>): void {
  for (const [what, span] of Object.entries(timing)) {
    assert(Number.isSafeInteger(span) && span >= 0, `${name}: timing.${what} of ${span} is no span of time`);
  }
}
