/**
 * IPv6 autoconfiguration, as far as it answers one question: which devices get a link-local address of their own.
 * Source: net/ipv6/addrconf.c (addrconf_notify()); reference A.11.
 * What this leaves out: duplicate address detection, router solicitation, everything that IPv6 is for.
 */
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { IFF } from '../uapi/linux.ts';
import { IFF_NO_ADDRCONF, type Netdev } from './netdev.ts';
import type { NetdevEvent, NotifierBlock } from './notifier.ts';
import type { Profile } from './profile.ts';

export function addrconf(sim: Simulation, profile: Profile): NotifierBlock {
  const skips = (dev: Netdev): boolean =>
    profile.addrconfSkips === 'IFF_SLAVE' ? (dev.flags.now & IFF.SLAVE) !== 0 : (dev.privFlags & IFF_NO_ADDRCONF) !== 0;
  const tell = (dev: Netdev, held: boolean): void => {
    const address = linkLocal(dev.devAddr);
    sim.trace.emit({ kind: 'ipv6.address', dev: dev.dev, address, held });
  };
  return {
    name: 'addrconf',
    priority: 0,
    builtIn: true,
    *notify(event: NetdevEvent, dev: Netdev): Task<'done'> {
      const gains = event === 'NETDEV_UP' || event === 'NETDEV_CHANGE';
      if (gains && dev.up && !dev.hasLinkLocal && !skips(dev)) {
        dev.hasLinkLocal = true;
        tell(dev, true);
      }
      if (event === 'NETDEV_DOWN' && dev.hasLinkLocal) {
        dev.hasLinkLocal = false;
        tell(dev, false);
      }
      return 'done';
    },
  };
}

/** EUI-64 in fe80::/64 (RFC 4291, appendix A). */
function linkLocal(mac: string): string {
  const bytes = mac.split(':').map((pair) => Number.parseInt(pair, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const group = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${group(a ^ 2, b)}:${group(c, 0xff)}:${group(0xfe, d)}:${group(e, f)}`;
}
