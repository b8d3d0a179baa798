/**
 * gif(4), a tunnel. Source: net/if_gif.c (gif_clone_create(), GIF_MTU, gif_ioctl_sx), from memory.
 * What this leaves out: the tunnel.
 */
import { IFF } from '../../uapi/freebsd.ts';
import type { CloneType } from '../clone/cloner.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { simpleType } from './simple.ts';

/** GIF_MTU. */
const MTU = 1280;

export function gifType(net: FreebsdNet): CloneType {
  const access = fixed(net, 'tunnel-ioctl-locked') ? 'locked' : 'unlocked';
  const looks = { link: 'other', flags: IFF.POINTOPOINT | IFF.MULTICAST, mtu: MTU } as const;
  return simpleType(net, { name: 'gif', access, looks });
}
