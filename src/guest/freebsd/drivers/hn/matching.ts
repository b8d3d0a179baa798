/** Which interface is an hn's VF. Source: if_hn.c (hn_ismyvf()); reference E.3. */
import type { Ifnet } from '../../net/ifnet.ts';
import { fixed } from '../../net.ts';
import { VF_DRIVER_IDS } from '../vf-ids.ts';
import type { Hn } from './softc.ts';

/** By the present address alone; lagg(4) and vlan(4) have that of what is below them, and all else can be a VF (G-32). */
export function isMyVf(hn: Hn, ifp: Ifnet): boolean {
  if (ifp === hn.ifp || ifp.type !== 'ether' || ['lagg', 'vlan'].includes(ifp.dname)) return false;
  const onlyFunctions = fixed(hn.kernel.net, 'hn-knows-its-vf');
  if (onlyFunctions && !VF_DRIVER_IDS.some(({ ifname }) => ifname === ifp.dname)) return false;
  return ifp.mac === hn.ifp.mac;
}

/** hw.hn.vf_transparent. */
export const isTransparent = (hn: Hn): boolean => fixed(hn.kernel.net, 'vf-transparent');
