/** The drivers of Hyper-V's devices put together: the bus, the synthetic NIC, the PCI bridge and what stands behind it. */
import type { Guid } from '../../../base/guid.ts';
import type { VfTraits } from '../../hv/vf-traits.ts';
import type { Module } from '../kern/modules.ts';
import type { FreebsdKernel } from '../kernel.ts';
import { type HnModule, hnModule } from './hn/hn.ts';
import { Newbus } from './newbus.ts';
import type { PciDevice } from './pci.ts';
import { vfDrivers } from './vf-driver.ts';
import { Vmbus } from './vmbus.ts';
import { vmbusPcib } from './vmbus-pcib.ts';

export interface HypervOptions {
  readonly vfTraits: readonly VfTraits[];
  /** The scenario's name of an offered device, for traces. */
  readonly devOf: (instance: Guid) => string;
}

export interface HypervDrivers {
  readonly vmbus: Vmbus;
  readonly hn: HnModule;
  readonly modules: readonly Module[];
}

export function hypervDrivers(kernel: FreebsdKernel, { vfTraits, devOf }: HypervOptions): HypervDrivers {
  const vmbus = new Vmbus(kernel, devOf);
  const pci = new Newbus<PciDevice>(kernel);
  const hn = hnModule(kernel, vmbus);
  return { vmbus, hn, modules: [vmbusPcib({ kernel, vmbus, pci }), hn, ...vfDrivers(kernel, pci, vfTraits)] };
}
