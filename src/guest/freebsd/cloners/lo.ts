/**
 * lo(4): each vnet has lo0 from the start and cannot do without it. Source: net/if_loop.c (lo_clone_create(), LOMTU,
 * if_clone_simple() with minifs of 1), from memory.
 * What this leaves out: what is sent comes back.
 */
import { IFF } from '../../uapi/freebsd.ts';
import type { CloneType } from '../clone/cloner.ts';
import type { FreebsdNet } from '../net.ts';
import { simpleType } from './simple.ts';

/** LOMTU. */
const MTU = 16384;

export function loType(net: FreebsdNet): CloneType {
  const looks = { link: 'loop', flags: IFF.LOOPBACK | IFF.MULTICAST, mtu: MTU } as const;
  return simpleType(net, { name: 'lo', mandatory: 1, access: 'none', looks });
}
