import type { Netdev } from './netdev.ts';

/** Where the VMBus hangs below /sys/devices (seen on Azure; reference, userspace section 1). */
export const VMBUS_PATH = '/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00';

/** A device's directory below /sys under the name it has, or had. */
export function devpathOf(dev: Netdev, name: string): string {
  return dev.parent === undefined ? `/devices/virtual/net/${name}` : `${VMBUS_PATH}/${dev.parent.path}/net/${name}`;
}
