/**
 * faith(4), which translated IPv6 to IPv4 and is in no release that a profile stands for: it is here because FreeBSD's own
 * test of cloners has it. Source: net/if_faith.c (faith_clone_create()), from memory.
 * What this leaves out: the translation.
 */
import { IFF } from '../../uapi/freebsd.ts';
import type { CloneType } from '../clone/cloner.ts';
import type { FreebsdNet } from '../net.ts';
import { simpleType } from './simple.ts';

export function faithType(net: FreebsdNet): CloneType {
  const looks = { link: 'other', flags: IFF.LOOPBACK | IFF.MULTICAST } as const;
  return simpleType(net, { name: 'faith', access: 'none', looks });
}
