/**
 * IPv6 autoconfiguration, as far as it answers one question: which devices get a link-local address of their own.
 * Source: net/ipv6/addrconf.c (addrconf_notify()); reference A.11.
 * What this leaves out: duplicate address detection, router solicitation, everything that IPv6 is for.
 */
import { type MacAddress, macBytes } from '../../base/mac.ts';
import type { Task } from '../../sim/operation.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { IFF } from '../uapi/linux.ts';
import { IFF_NO_ADDRCONF, type Netdev } from './netdev.ts';
import type { NetdevEvent, NotifierBlock } from './notifier.ts';
import type { Profile } from './profile.ts';

export function addrconf(sim: Simulation, profile: Profile): NotifierBlock {
  return { name: 'addrconf', priority: 0, builtIn: true, notify: (event, dev) => notify(sim, profile, event, dev) };
}

/** addrconf_notify(). */
function* notify(sim: Simulation, profile: Profile, event: NetdevEvent, dev: Netdev): Task<'done'> {
  const gains = event === 'NETDEV_UP' || event === 'NETDEV_CHANGE';
  if (gains && dev.up && !dev.hasLinkLocal && !skips(profile, dev)) hold(sim, dev, true);
  if (event === 'NETDEV_DOWN' && dev.hasLinkLocal) hold(sim, dev, false);
  return 'done';
}

function skips(profile: Profile, dev: Netdev): boolean {
  if (profile.addrconfSkips === 'IFF_SLAVE') return (dev.flags.now & IFF.SLAVE) !== 0;
  return (dev.privFlags & IFF_NO_ADDRCONF) !== 0;
}

function hold(sim: Simulation, dev: Netdev, held: boolean): void {
  dev.hasLinkLocal = held;
  sim.trace.emit({ kind: 'ipv6.address', dev: dev.dev, address: linkLocal(dev.devAddr), held });
}

/** EUI-64 in fe80::/64 (RFC 4291, appendix A). */
function linkLocal(mac: MacAddress): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macBytes(mac);
  const group = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${group(a ^ 2, b)}:${group(c, 0xff)}:${group(0xfe, d)}:${group(e, f)}`;
}
