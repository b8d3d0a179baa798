/**
 * The driver of the VF that the real guest of the transcripts has: it knows no carrier, and so neither does the registry
 * (drivers/net/ethernet/8390/ne2k-pci.c). Everything else that it does is the hardware's.
 */
import type { DriverFactory } from '../../../src/guest/linux/modules.ts';
import { Netdev } from '../../../src/guest/linux/netdev.ts';
import type { PciDevice, PciDriver } from '../../../src/guest/linux/pci-core.ts';
import type { Errno } from '../../../src/guest/uapi/errno.ts';
import type { Task } from '../../../src/sim/operation.ts';

const name = 'ne2k-pci';

export const ne2k: DriverFactory = ({ sim, net, pci }) => {
  const bound = new Map<PciDevice, Netdev>();
  const driver: PciDriver = {
    name,
    matches: () => true,
    *probe(device) {
      const { fn, dev, domain, path, vendorId, deviceId } = device;
      const slotName = (): string | undefined => device.slot?.name;
      const netdev = new Netdev(sim, {
        dev,
        parent: {
          bus: 'pci',
          path,
          driver: name,
          pci: { domain, device: device.device, vendorId, deviceId, slotName },
        },
        mac: fn.mac,
        mtuMin: 68,
        carrier: true,
        ops: {
          open: noError,
          stop: nothing,
          *startXmit(frame) {
            yield* fn.transmit(frame);
          },
        },
      });
      const errno = yield* net.registerLocked(netdev);
      if (errno === undefined) bound.set(device, netdev);
      return errno;
    },
    *remove(device) {
      const netdev = bound.get(device);
      if (netdev !== undefined) yield* net.unregisterLocked(netdev);
    },
  };
  return {
    name,
    load: () => pci.drivers.register(driver),
    unload: () => pci.drivers.unregister(driver),
  };
};

function* noError(): Task<Errno | undefined> {
  return undefined;
}

function* nothing(): Task {}
