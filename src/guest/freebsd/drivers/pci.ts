import type { PciFunction } from '../../../bus/pci-function.ts';
import type { NewbusDevice } from './newbus.ts';

/** A PCI function behind a bridge of the VMBus, as the drivers of VFs see it. */
export interface PciDevice extends NewbusDevice {
  readonly fn: PciFunction;
  readonly vendorId: number;
  readonly deviceId: number;
}
