/** What drivers of Ethernet devices have from the kernel. Source: net/ethernet/eth.c. */
import { type MacAddress, parseMac } from '../../../base/mac.ts';
import type { Task } from '../../../sim/operation.ts';
import type { Errno } from '../../uapi/errno.ts';
import { writeMac } from '../device.ts';
import type { Netdev } from '../netdev.ts';
import type { Registry } from '../registry.ts';

/** is_valid_ether_addr(): neither zero nor a multicast address. */
export const isUnicast = (mac: MacAddress): boolean => typeof parseMac(mac) === 'string';

/** eth_mac_addr() of a device that can change its address while it is up (IFF_LIVE_ADDR_CHANGE). */
export function* takeMac(net: Registry, dev: Netdev, mac: MacAddress): Task<Errno | undefined> {
  if (!isUnicast(mac)) return 'EADDRNOTAVAIL';
  writeMac(net, dev, mac);
  return undefined;
}
