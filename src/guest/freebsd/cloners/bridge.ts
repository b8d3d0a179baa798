/**
 * bridge(4). Its requests look at its data (bridge_ioctl() takes the lock that lies in it), and nothing keeps them from
 * doing so while it goes. Source: net/if_bridge.c (bridge_clone_create(), bridge_ioctl()), from memory.
 * What this leaves out: members, and all that a bridge is for.
 */
import type { CloneType } from '../clone/cloner.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { simpleType } from './simple.ts';
import { ETHERNET } from './softc.ts';

export function bridgeType(net: FreebsdNet): CloneType {
  const access = fixed(net, 'ioctl-locked') ? 'locked' : 'unlocked';
  return simpleType(net, { name: 'bridge', access, looks: ETHERNET });
}
